import {
  compileFeatures,
  type FeatureSet,
  featuresHorizon,
  pruneFeatures,
  readFeatures,
  takesAny,
  updateFeatures,
} from '../aggregate/feature-set.js';
import { type CompiledPattern, type CompiledState, type CompileOptions, PatternCompiler } from '../compiler/compile.js';
import type { Interest } from '../compiler/interest.js';
import type { EngineEvent } from '../event.js';
import { type Output, SkipError } from '../nfa/output.js';
import { beginRun, forgetLastTake, NOT_PLAIN, stepOnlyRun } from '../nfa/plain-step.js';
import type { PatternState } from '../nfa/run.js';
import { advanceTime, dropOldestRuns, nextDeadline, stepEvent } from '../nfa/step.js';
import type { Pattern } from '../pattern/pattern.js';
import { EventIndex, type Waiting } from './event-index.js';
import { HELD, KeyChange, type KeyState } from './key-state.js';

const NO_SLOTS: readonly number[] = [];
const change = new KeyChange();

export interface NamedPattern {
  readonly id: string;
  readonly pattern: Pattern;
}

export interface RuleSetOptions extends CompileOptions {
  /** Most runs that one pattern may keep for one key; over it the oldest are dropped and reported. Default 10,000. */
  readonly runsMax?: number;
  /** Of an earlier rule set with the same options: what it has compiled is used again. */
  readonly compiler?: PatternCompiler;
}

/** Many patterns that look at the same events under the same key. A pattern's place in `patterns` is its slot. */
export interface RuleSet {
  readonly ids: readonly string[];
  readonly patterns: readonly CompiledPattern[];
  readonly runsMax: number;
  readonly compiler: PatternCompiler;
  readonly index: EventIndex;
  /** The states of all patterns in one list, and where those of each slot begin: fewer places to read than the patterns. */
  readonly states: readonly CompiledState[];
  readonly firstState: Int32Array;
  /** The features that conditions read; `null`: none. */
  readonly features: FeatureSet | null;
}

/** Where a rule set puts what it finds. `slot` is set before each call to the pattern that calls. */
export interface RuleSetOutput extends Output {
  slot: number;
  /** A limit was reached: so many of the oldest runs were dropped. */
  onRunsDropped?(runs: number): void;
  /** A skip strategy with `onMiss: error` had nothing to skip to: the key's state of this pattern was dropped. */
  onSkipError?(error: SkipError): void;
}

/** Throws `PatternError` with the problems of the first pattern that cannot be compiled. */
export function compileRuleSet(patterns: readonly NamedPattern[], options: RuleSetOptions = {}): RuleSet {
  const compiler = options.compiler ?? new PatternCompiler(options);
  const compiled = patterns.map((p) => compiler.compile(p.pattern));
  const cells = [...new Set(compiled.flatMap((pattern) => pattern.features))];
  return {
    ids: patterns.map((p) => p.id),
    patterns: compiled,
    runsMax: options.runsMax ?? 10_000,
    compiler,
    states: compiled.flatMap((pattern) => pattern.states),
    firstState: firstStates(compiled),
    index: new EventIndex(waitingIn(compiled), compiled.length, compiler.predicates.mark),
    features: cells.length === 0 ? null : compileFeatures(cells, (where) => compiler.testOf(where)),
  };
}

function firstStates(patterns: readonly CompiledPattern[]): Int32Array {
  let next = 0;
  return Int32Array.from(patterns, (pattern) => {
    next += pattern.states.length;
    return next - pattern.states.length;
  });
}

function waitingIn(patterns: readonly CompiledPattern[]): readonly Waiting[] {
  const waiting = new Map<Interest, { interest: Interest; starts: number[]; awaited: boolean }>();
  const of = (interest: Interest) => {
    const known = waiting.get(interest) ?? { interest, starts: [], awaited: false };
    waiting.set(interest, known);
    return known;
  };
  patterns.forEach((pattern, slot) => {
    for (const state of pattern.states) {
      if (state.isStart) of(state.interest).starts.push(slot);
      else if (!state.isFinal && !state.isStop) of(state.interest).awaited = true;
    }
  });
  return [...waiting.values()];
}

/**
 * Looks whether the event can begin or change anything at all, whatever its key knows; `processSeen` must follow at once if
 * it can. Time is not looked at: what has a deadline (`nextKeyDeadline`) must have been advanced to the event's time.
 */
export function canMatter(rules: RuleSet, event: EngineEvent): boolean {
  const matters = rules.index.look(event);
  return matters || (rules.features !== null && takesAny(rules.features, event));
}

/** Advances the key to the event's time and gives the event to every pattern. Times of one key must not fall. */
export function processKey(
  rules: RuleSet,
  given: KeyState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): KeyState | undefined {
  rules.index.look(event);
  return processSeen(rules, given, event, output);
}

/** `processKey` after `canMatter` for the same event. */
export function processSeen(
  rules: RuleSet,
  given: KeyState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): KeyState | undefined {
  const { index, patterns } = rules;
  let features = given?.features;
  if (rules.features !== null) {
    features = updateFeatures(rules.features, features, event);
    readFeatures(rules.features, features, event.time);
  }
  change.begin(given);
  const slots = given === undefined ? NO_SLOTS : given.slots;
  const plainly = output.onTimeout === undefined;
  const looksAt = plainly ? index.mask | HELD : -1;
  const now = rules.compiler.predicates.mark.now[0]!;
  let at = 0;
  let start = index.nextStart(0);
  for (;;) {
    // Nothing but this is done for a state that the event cannot touch.
    while (at < slots.length && slots[at]! < start && (given!.masks[at]! & looksAt) === 0) at++;
    const held = at < slots.length ? slots[at]! : Number.POSITIVE_INFINITY;
    const slot = Math.min(held, start);
    if (slot === Number.POSITIVE_INFINITY) break;
    const before = slot === held ? given!.states[at] : undefined;
    if (slot !== start && plainly) {
      const run = before!.partial[0]!;
      const after = stepOnlyRun(rules.states[rules.firstState[slot]! + run.state]!, before!, event, now);
      if (after !== NOT_PLAIN) {
        if (after !== before) change.set(at, slot, after, after === undefined ? 0 : maskOf(rules, slot, after));
        at++;
        continue;
      }
    }
    output.slot = slot;
    const after = processSlot(rules, patterns[slot]!, before, event, output);
    if (after !== before) change.set(at, slot, after, after === undefined ? 0 : maskOf(rules, slot, after));
    if (slot === held) at++;
    if (slot === start) start = index.nextStart(slot + 1);
  }
  forgetLastTake();
  return change.result(features);
}

/** Moves event time on for all patterns of the key. */
export function advanceKey(
  rules: RuleSet,
  given: KeyState | undefined,
  time: number,
  output: RuleSetOutput,
): KeyState | undefined {
  if (given === undefined) return undefined;
  const features = rules.features === null ? undefined : pruneFeatures(rules.features, given.features, time);
  change.begin(given);
  given.slots.forEach((slot, at) => {
    const before = given.states[at]!;
    output.slot = slot;
    const after = advanceSlot(rules.patterns[slot]!, before, time, output);
    if (after !== before) change.set(at, slot, after, after === undefined ? 0 : maskOf(rules, slot, after));
  });
  return change.result(features);
}

/**
 * When event time must next be moved on for the key, in ms: the end of a window that can give a match (an absence at the end,
 * or a match that was held back). Infinity: none; a window that only ends runs can wait for the key's next event.
 */
export function nextKeyDeadline(rules: RuleSet, state: KeyState): number {
  let deadline = Number.POSITIVE_INFINITY;
  for (let i = 0; i < state.slots.length; i++) {
    const pattern = rules.patterns[state.slots[i]!]!;
    const s = state.states[i]!;
    if (pattern.hasPending || s.completed.length > 0) deadline = Math.min(deadline, nextDeadline(pattern, s));
  }
  return deadline;
}

/** How long after its newest event the key's state can still matter, in ms; infinity where a pattern has no window. */
export function keyHorizon(rules: RuleSet, state: KeyState): number {
  let horizon = state.features === undefined ? 0 : featuresHorizon(rules.features!);
  for (const slot of state.slots) {
    const { windowMs } = rules.patterns[slot]!;
    horizon = Math.max(horizon, windowMs > 0 ? windowMs : Number.POSITIVE_INFINITY);
  }
  return horizon;
}

/** The bits of the interests that the runs of a slot's state wait for, and `HELD`. */
export function maskOf(rules: RuleSet, slot: number, state: PatternState): number {
  const { partial } = state;
  const first = rules.firstState[slot]!;
  let mask = state.completed.length > 0 || rules.patterns[slot]!.hasPending ? HELD : 0;
  for (let i = 0; i < partial.length; i++) {
    const run = partial[i]!;
    if (run.first !== null) mask |= rules.states[first + run.state]!.interest.bit;
  }
  return mask;
}

/** Runs under way in all patterns of the key. */
export function countRuns(state: KeyState | undefined): number {
  let runs = 0;
  if (state !== undefined) for (const s of state.states) runs += s.partial.length - 1;
  return runs;
}

function processSlot(
  rules: RuleSet,
  pattern: CompiledPattern,
  before: PatternState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): PatternState | undefined {
  if (before === undefined && pattern.plainStart !== null) return beginRun(pattern, event);
  try {
    const after = stepEvent(pattern, advanceTime(pattern, before, event.time, output), event, output, true);
    const runs = after === undefined ? 0 : after.partial.length - 1;
    if (runs <= rules.runsMax) return after;
    output.onRunsDropped?.(runs - rules.runsMax);
    return dropOldestRuns(after!, runs - rules.runsMax);
  } catch (error) {
    return afterSkipError(error, output);
  }
}

function advanceSlot(
  pattern: CompiledPattern,
  before: PatternState | undefined,
  time: number,
  output: RuleSetOutput,
): PatternState | undefined {
  try {
    return advanceTime(pattern, before, time, output);
  } catch (error) {
    return afterSkipError(error, output);
  }
}

function afterSkipError(error: unknown, output: RuleSetOutput): undefined {
  if (!(error instanceof SkipError)) throw error;
  output.onSkipError?.(error);
  return undefined;
}
