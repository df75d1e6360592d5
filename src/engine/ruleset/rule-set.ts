import { type CompiledPattern, type CompileOptions, compilePattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import { type Output, SkipError } from '../nfa/output.js';
import type { PatternState } from '../nfa/run.js';
import { advanceTime, dropOldestRuns, nextDeadline, processEvent } from '../nfa/step.js';
import type { Pattern } from '../pattern/pattern.js';

export interface NamedPattern {
  readonly id: string;
  readonly pattern: Pattern;
}

export interface RuleSetOptions extends CompileOptions {
  /** Most runs that one pattern may keep for one key; over it the oldest are dropped and reported. Default 10,000. */
  readonly runsMax?: number;
}

/** Many patterns that look at the same events under the same key. A pattern's place in `patterns` is its slot. */
export interface RuleSet {
  readonly ids: readonly string[];
  readonly patterns: readonly CompiledPattern[];
  readonly runsMax: number;
}

/**
 * What all patterns of a rule set know of one key: the slots that have anything under way, ascending, and their states.
 * It never changes; `undefined` stands for a key of which nothing is known.
 */
export interface KeyState {
  readonly slots: readonly number[];
  readonly states: readonly PatternState[];
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
  return {
    ids: patterns.map((p) => p.id),
    patterns: patterns.map((p) => compilePattern(p.pattern, options)),
    runsMax: options.runsMax ?? 10_000,
  };
}

/** Advances the key to the event's time and gives the event to every pattern. Times of one key must not fall. */
export function processKey(
  rules: RuleSet,
  given: KeyState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): KeyState | undefined {
  const { patterns } = rules;
  const change = given === undefined ? null : new KeyChange(given);
  let fresh: KeyChange | null = change;
  for (let slot = 0; slot < patterns.length; slot++) {
    const pattern = patterns[slot]!;
    const before = change?.before(slot);
    if (before === undefined && !mayBegin(pattern, event)) continue;
    output.slot = slot;
    const after = processSlot(rules, pattern, before, event, output);
    if (after === before) continue;
    fresh ??= new KeyChange(undefined);
    fresh.set(slot, after);
  }
  return fresh === null ? undefined : fresh.result();
}

/** Moves event time on for all patterns of the key. */
export function advanceKey(
  rules: RuleSet,
  given: KeyState | undefined,
  time: number,
  output: RuleSetOutput,
): KeyState | undefined {
  if (given === undefined) return undefined;
  const change = new KeyChange(given);
  for (const slot of given.slots) {
    const before = change.before(slot);
    output.slot = slot;
    const after = advanceSlot(rules.patterns[slot]!, before, time, output);
    if (after !== before) change.set(slot, after);
  }
  return change.result();
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
  let horizon = 0;
  for (const slot of state.slots) {
    const { windowMs } = rules.patterns[slot]!;
    horizon = Math.max(horizon, windowMs > 0 ? windowMs : Number.POSITIVE_INFINITY);
  }
  return horizon;
}

/** Runs under way in all patterns of the key. */
export function countRuns(state: KeyState | undefined): number {
  let runs = 0;
  if (state !== undefined) for (const s of state.states) runs += s.partial.length - 1;
  return runs;
}

/** Most events begin nothing: told without allocating. */
function mayBegin(pattern: CompiledPattern, event: EngineEvent): boolean {
  const start = pattern.start.transitions;
  for (let i = 0; i < start.length; i++) {
    const test = start[i]!.test;
    if (test === null || test(event, event.fields, null)) return true;
  }
  return false;
}

function processSlot(
  rules: RuleSet,
  pattern: CompiledPattern,
  before: PatternState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): PatternState | undefined {
  try {
    const after = processEvent(pattern, advanceTime(pattern, before, event.time, output), event, output);
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

/** Collects the changed slots of one key; must be asked in ascending order. Nothing changed: the given state is the result. */
class KeyChange {
  private at = 0;
  private slots: number[] | null = null;
  private states: PatternState[] = [];

  constructor(private readonly given: KeyState | undefined) {}

  /** State of the slot before, passing over (and keeping) all lower slots. */
  before(slot: number): PatternState | undefined {
    const given = this.given!;
    while (this.at < given.slots.length && given.slots[this.at]! < slot) this.keep();
    return given.slots[this.at] === slot ? given.states[this.at] : undefined;
  }

  set(slot: number, after: PatternState | undefined): void {
    const given = this.given;
    if (this.slots === null) {
      this.slots = given === undefined ? [] : given.slots.slice(0, this.at);
      this.states = given === undefined ? [] : given.states.slice(0, this.at);
    }
    if (given !== undefined && given.slots[this.at] === slot) this.at++;
    if (after === undefined) return;
    this.slots.push(slot);
    this.states.push(after);
  }

  result(): KeyState | undefined {
    if (this.slots === null) return this.given;
    while (this.given !== undefined && this.at < this.given.slots.length) this.keep();
    return this.slots.length === 0 ? undefined : { slots: this.slots.slice(), states: this.states.slice() };
  }

  private keep(): void {
    if (this.slots !== null) {
      this.slots.push(this.given!.slots[this.at]!);
      this.states.push(this.given!.states[this.at]!);
    }
    this.at++;
  }
}
