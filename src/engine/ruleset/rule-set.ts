import {
  compileFeatures,
  type FeatureSet,
  type FeatureState,
  featuresHorizon,
  pruneFeatures,
  readFeatures,
  takesAny,
  updateFeatures,
} from '../aggregate/feature-set.js';
import { type CompiledPattern, type CompileOptions, PatternCompiler } from '../compiler/compile.js';
import type { Interest } from '../compiler/compiled-state.js';
import type { EngineEvent } from '../event.js';
import { isGraphPattern } from '../graph/eligible.js';
import { forgetLastTake } from '../nfa/plain-step.js';
import type { Pattern } from '../pattern/pattern.js';
import { EventIndex, type Waiting } from './event-index.js';
import { GroupStep } from './group-step.js';
import { KeyChange, type KeyState, NO_GROUPS, type SlotGroup, slotsOf, withFeatures } from './key-state.js';
import { advanceSlot, HELD, type Limits, type RuleSetOutput, slotDeadline, slotMask, slotRuns } from './slot-state.js';
import { isStopped, type SteppedSlots, stepAny, stepKnown } from './slot-step.js';
import { compileTelling, type Telling, type Told } from './telling.js';

/** So many slots that an event begins may be worth a group. */
const GROUPED_MIN = 3;
const change = new KeyChange();

export interface NamedPattern extends Told {
  readonly id: string;
  readonly pattern: Pattern;
  /** What it has under way goes on to its end, and nothing begins. */
  readonly drains?: boolean;
  /** In place of those of the rule set. */
  readonly limits?: Partial<Limits>;
}

export interface RuleSetOptions extends CompileOptions {
  /** Default: 10,000 runs, 10,000 matches, `dropOldest`. */
  readonly limits?: Partial<Limits>;
  /**
   * `auto` (default): patterns whose runs multiply keep them as a shared graph, where their conditions allow it. `never`: all keep
   * runs one by one, just as Flink does (`splitsAtOnce`), as the report of time-outs needs. Matches are the same, but for the order
   * of those with one first event, and so for which of them a skip strategy keeps.
   */
  readonly sharing?: 'auto' | 'never';
  /** Of an earlier rule set with the same options: what it has compiled is used again, unless the lists are others now. */
  readonly compiler?: PatternCompiler;
}

/** Many patterns that look at the same events under the same key. A pattern's place in `patterns` is its slot. */
export interface RuleSet extends SteppedSlots {
  readonly ids: readonly string[];
  readonly patterns: readonly CompiledPattern[];
  readonly compiler: PatternCompiler;
  readonly index: EventIndex;
  /** Steps slots that hold the same state together. */
  readonly groups: GroupStep;
  /** What is told of the matches of each slot; `null`: nothing. */
  readonly tellings: readonly (Telling | null)[];
  /** The features that conditions read or that are told; `null`: none. */
  readonly features: FeatureSet | null;
  /** Some pattern emits when windows end. */
  readonly hasWindows: boolean;
}

/** Throws `PatternError` with the problems of the first pattern that cannot be compiled. */
export function compileRuleSet(patterns: readonly NamedPattern[], options: RuleSetOptions = {}): RuleSet {
  const reusable = options.compiler?.options.lists === options.lists;
  const compiler =
    (reusable ? options.compiler : undefined) ??
    new PatternCompiler({ ...options, splitsAtOnce: options.sharing === 'never' });
  const compiled = patterns.map((p) => compiler.compile(p.pattern, p.drains));
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const slots = compiled.map((pattern, slot) => {
    const own = { ...limits, ...patterns[slot]!.limits };
    return {
      pattern,
      shares: options.sharing !== 'never' && pattern.window === null && isGraphPattern(pattern),
      limits: own,
      graphLimits: { itemsMax: own.runsMax, matchesMax: own.matchesMax },
    };
  });
  const stopped = { count: 0, slots: new Uint8Array(slots.length), apart: false };
  const steps = new Float64Array(slots.length);
  const tellings = patterns.map((told, slot) => compileTelling(compiler, compiled[slot]!, told));
  const read = compiled.flatMap((pattern) => pattern.features);
  const cells = [...new Set([...read, ...tellings.flatMap((telling) => telling?.cells ?? [])])];
  const states = compiled.flatMap((pattern) => pattern.states);
  const firstState = firstStates(compiled);
  return {
    ids: patterns.map((p) => p.id),
    patterns: compiled,
    slots,
    compiler,
    states,
    firstState,
    stopped,
    steps,
    groups: new GroupStep({ slots, states, firstState, stopped, steps }),
    index: new EventIndex(waitingIn(compiled), compiled.length, compiler.predicates.mark),
    tellings,
    features: cells.length === 0 ? null : compileFeatures(cells, (where) => compiler.testOf(where)),
    hasWindows: compiled.some(({ window }) => window !== null),
  };
}

const DEFAULT_LIMITS: Limits = { runsMax: 10_000, matchesMax: 10_000, eventsMax: 100_000, overflow: 'dropOldest' };

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
  let features = given?.features;
  if (rules.features !== null) {
    features = updateFeatures(rules.features, features, event);
    readFeatures(rules.features, features, event.time, event);
  }
  return giveToSlots(rules, given, event, output, features);
}

/**
 * `processSeen` for a host that keeps the windows of features itself: the state given has none, and the features' cells have the
 * values that they have with the event.
 */
export const processRead = (
  rules: RuleSet,
  given: KeyState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): KeyState | undefined => giveToSlots(rules, given, event, output, undefined);

function giveToSlots(
  rules: RuleSet,
  given: KeyState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
  features: FeatureState | undefined,
): KeyState | undefined {
  const { index } = rules;
  const plainly = output.onTimeout === undefined;
  const now = rules.compiler.predicates.mark.now[0]!;
  const grouped = given !== undefined && given.groups.length > 0;
  if (plainly && !rules.stopped.apart && (grouped || index.startCount >= GROUPED_MIN))
    return rules.groups.step(given, features, event, now, index, output);
  if (given === undefined) return giveToNone(rules, event, output, features);
  return giveToEach(rules, grouped ? apart(rules, given) : given, event, output, features);
}

/** To a key of which no slot knows anything. Rules about one event alone, which may look at every event, begin nothing. */
function giveToNone(
  rules: RuleSet,
  event: EngineEvent,
  output: RuleSetOutput,
  features: FeatureState | undefined,
): KeyState | undefined {
  const { index } = rules;
  let begins = false;
  for (let slot = index.nextStart(0); slot !== Number.POSITIVE_INFINITY; slot = index.nextStart(slot + 1)) {
    const after = stepAny(rules, slot, undefined, event, output);
    if (after === undefined) continue;
    if (!begins) change.begin(undefined);
    begins = true;
    change.set(0, slot, after, slotMask(rules.slots[slot]!, after));
  }
  forgetLastTake();
  return begins ? change.result(features) : withFeatures(undefined, features);
}

/** Slot by slot. */
function giveToEach(
  rules: RuleSet,
  given: KeyState,
  event: EngineEvent,
  output: RuleSetOutput,
  features: FeatureState | undefined,
): KeyState | undefined {
  const { index } = rules;
  change.begin(given);
  const { slots, masks, states } = given;
  const plainly = output.onTimeout === undefined;
  const looksAt = plainly ? index.mask | HELD : -1;
  const now = rules.compiler.predicates.mark.now[0]!;
  let at = 0;
  let start = index.nextStart(0);
  for (;;) {
    // Nothing but this is done for a state that the event cannot touch.
    while (at < slots.length && slots[at]! < start && (masks[at]! & looksAt) === 0) at++;
    const held = at < slots.length ? slots[at]! : Number.POSITIVE_INFINITY;
    const slot = Math.min(held, start);
    if (slot === Number.POSITIVE_INFINITY) break;
    const before = slot === held ? states[at] : undefined;
    const after =
      slot !== start && plainly
        ? stepKnown(rules, slot, before!, event, now, output)
        : stepAny(rules, slot, before, event, output);
    if (after !== before) change.set(at, slot, after, after === undefined ? 0 : slotMask(rules.slots[slot]!, after));
    if (slot === held) at++;
    if (slot === start) start = index.nextStart(slot + 1);
  }
  forgetLastTake();
  return change.result(features);
}

/** The state without groups. */
function apart(rules: RuleSet, state: KeyState): KeyState {
  const { slots, states } = slotsOf(state);
  const masks = slots.map((slot, i) => slotMask(rules.slots[slot]!, states[i]!));
  return { slots, states, masks, groups: NO_GROUPS, features: state.features };
}

/** Stops a slot for good: see `StoppedSlots`. */
export function stopSlot({ stopped }: RuleSet, slot: number): void {
  if (stopped.slots[slot] === 1) return;
  stopped.slots[slot] = 1;
  stopped.count++;
  // A group is stepped as one, whatever slots it has.
  stopped.apart = true;
}

/** The state without what one slot has. */
export function dropSlot(rules: RuleSet, state: KeyState, slot: number): KeyState | undefined {
  const given = state.groups.length === 0 ? state : apart(rules, state);
  const at = given.slots.indexOf(slot);
  if (at < 0) return state;
  change.begin(given);
  change.set(at, slot, undefined, 0);
  return change.result(state.features);
}

/** Moves event time on for all patterns of the key. */
export function advanceKey(
  rules: RuleSet,
  state: KeyState | undefined,
  time: number,
  output: RuleSetOutput,
): KeyState | undefined {
  if (state === undefined) return undefined;
  const features = rules.features === null ? undefined : pruneFeatures(rules.features, state.features, time);
  const given = output.onTimeout === undefined || state.groups.length === 0 ? state : apart(rules, state);
  if (features !== undefined && output.onWindowEnd === undefined && rules.hasWindows)
    readFeatures(rules.features!, features, time);
  change.begin(given);
  given.slots.forEach((slot, at) => {
    const before = given.states[at]!;
    output.slot = slot;
    const known = rules.slots[slot]!;
    const after = isStopped(rules, slot) ? undefined : advanceSlot(known, before, time, output);
    if (after !== before) change.set(at, slot, after, after === undefined ? 0 : slotMask(known, after));
  });
  return change.result(features, groupsAlive(given.groups, time));
}

const SILENT: RuleSetOutput = { slot: 0, onMatch: () => undefined };

/**
 * The state without what has ended by `time`, of which nothing is left to be told: as much is there of a key that was swept, or put back, and of
 * one that was not. The very state where nothing has. What has a deadline (`nextKeyDeadline`) must have been advanced to `time`.
 */
export function withoutEnded(rules: RuleSet, state: KeyState, time: number): KeyState | undefined {
  const given = state.groups.length === 0 ? state : apart(rules, state);
  const until = Math.min(time, nextKeyDeadline(rules, given) - 1);
  const after = advanceKey(rules, withFeatures(given, undefined), until, SILENT);
  const states = after?.states ?? [];
  if (states.length === given.states.length && states.every((one, i) => one === given.states[i])) return state;
  return withFeatures(after, state.features);
}

/** Time does no more to a group than to end it; a slot whose window has ended before those of others goes with them. */
function groupsAlive(groups: readonly SlotGroup[], time: number): readonly SlotGroup[] {
  const isAlive = ({ state, horizonMs }: SlotGroup): boolean =>
    state.partial.some((run) => run.first !== null && time - run.first.time < horizonMs);
  return groups.every(isAlive) ? groups : groups.filter(isAlive);
}

/**
 * When event time must next be moved on for the key, in ms: the end of a window that can give a match (an absence at the end,
 * or a match that was held back). Infinity: none; a window that only ends runs can wait for the key's next event.
 */
export function nextKeyDeadline(rules: RuleSet, state: KeyState): number {
  let deadline = Number.POSITIVE_INFINITY;
  for (let i = 0; i < state.slots.length; i++) {
    // Most states have none, and their mask says so.
    if ((state.masks[i]! & HELD) === 0) continue;
    deadline = Math.min(deadline, slotDeadline(rules.slots[state.slots[i]!]!, state.states[i]!));
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
  for (const group of state.groups) horizon = Math.max(horizon, group.horizonMs);
  return horizon;
}

/** Runs under way in all patterns of the key. */
export function countRuns(state: KeyState | undefined): number {
  if (state === undefined) return 0;
  let runs = 0;
  for (const s of state.states) runs += slotRuns(s);
  for (const group of state.groups) runs += slotRuns(group.state) * group.slots.length;
  return runs;
}
