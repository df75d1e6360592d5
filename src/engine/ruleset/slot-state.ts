import type { MatchNode } from '../buffer/match-node.js';
import type { PatternState } from '../buffer/run.js';
import type { CompiledPattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import { pruneGraph } from '../graph/compact.js';
import { type GraphState, graphItems, latestStart } from '../graph/node.js';
import { type GraphOutput, type GraphProcessLimits, stepGraph } from '../graph/process.js';
import { type NearMiss, tellExpiring, tellStopped } from '../nfa/near-misses.js';
import { type Output, SkipError } from '../nfa/output.js';
import { beginRun, matchAtOnce, onlyRunHasEnded } from '../nfa/plain-step.js';
import { advanceTime, dropOldestRuns, nextDeadline, stepEvent } from '../nfa/step.js';
import { closeWindows, heldValues, stepWindow, type WindowedState, type WindowOutput } from '../nfa/windows.js';

/** What one pattern knows of one key: runs one by one, or as a shared graph, or windows. Which of them is the pattern's, for good. */
export type SlotState = PatternState | GraphState | WindowedState;

export const isGraphState = (state: SlotState): state is GraphState => 'sets' in state;
export const isWindowed = (state: SlotState): state is WindowedState => 'panes' in state;
export const isRunState = (state: SlotState): state is PatternState => 'partial' in state;

/** Whether the state is of the kind that the slot's pattern has. */
export function fitsSlot({ pattern, shares }: Slot, state: SlotState): boolean {
  return pattern.window !== null ? isWindowed(state) : shares ? isGraphState(state) : isRunState(state);
}

/** How a pattern of a rule set is run. */
export interface Slot {
  readonly pattern: CompiledPattern;
  /** Its runs are kept as a shared graph. */
  readonly shares: boolean;
  readonly limits: Limits;
  /** The same, as the graph has them. */
  readonly graphLimits: GraphProcessLimits;
}

/** What is done when a pattern has more for one key than it may. `quarantine` is `restart`, and the host stops the pattern. */
export type OverflowPolicy = 'dropOldest' | 'dropNewest' | 'restart' | 'quarantine';

/** Bounds of one pattern for one key. */
export interface Limits {
  /** Most runs, or items of the shared graph. */
  readonly runsMax: number;
  /** Most matches that one event completes and that are written out; for shared graphs, whose runs can be more than anyone can read. */
  readonly matchesMax: number;
  /** Most events that its runs hold, or values that its windows keep; the host looks now and then (`heldEvents`). */
  readonly eventsMax: number;
  /**
   * Over `runsMax`: `dropOldest` the runs that began first; `dropNewest` what the event would have added; `restart` all of them. A
   * shared graph always drops the oldest.
   */
  readonly overflow: OverflowPolicy;
}

/** Where a rule set puts what it finds. `slot` is set before each call to the pattern that calls. */
export interface RuleSetOutput extends Output, GraphOutput, WindowOutput {
  slot: number;
  /** Of patterns that ask for it. */
  onNearMiss?(nearMiss: NearMiss): void;
  /** A skip strategy with `onMiss: error` had nothing to skip to: the key's state of this pattern was dropped. */
  onSkipError?(error: SkipError): void;
}

/** Gives an event that concerns the pattern to its state, of which the interests that hold have been marked as seen. */
export function stepSlot(
  slot: Slot,
  given: SlotState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): SlotState | undefined {
  const { pattern, limits } = slot;
  if (pattern.window !== null) return stepWindow(pattern.window, given as WindowedState | undefined, event, output);
  if (slot.shares) return stepShared(slot, given as GraphState | undefined, event, output);
  let before = given as PatternState | undefined;
  const isOver = before !== undefined && output.onTimeout === undefined && onlyRunHasEnded(pattern, before, event.time);
  if (isOver) before = undefined;
  if (before === undefined) {
    if (pattern.plainStart !== null) return beginRun(pattern, event);
    if (pattern.wholeMatch !== null) return matchAtOnce(pattern, event, output);
  }
  // If the end of a window fails at its skip strategy, the event at hand still begins anew.
  const known =
    before === undefined ? undefined : (advanceSlot(slot, before, event.time, output) as PatternState | undefined);
  if (pattern.oneShort !== null && known !== undefined && output.onNearMiss !== undefined)
    tellStopped(pattern, known, event, (nearMiss) => output.onNearMiss!(nearMiss));
  try {
    const after = stepEvent(pattern, known, event, output, true);
    return after === undefined || after.partial.length - 1 <= limits.runsMax
      ? after
      : shrink(limits, known, after, output);
  } catch (error) {
    return afterSkipError(error, output);
  }
}

function stepShared(
  { pattern, graphLimits }: Slot,
  before: GraphState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): GraphState | undefined {
  return stepGraph(pattern, before, event, output, graphLimits);
}

function shrink(
  { overflow, runsMax }: Limits,
  before: PatternState | undefined,
  after: PatternState,
  output: RuleSetOutput,
): PatternState | undefined {
  const runs = after.partial.length - 1;
  if (overflow === 'dropOldest') {
    output.onRunsDropped?.(runs - runsMax);
    return dropOldestRuns(after, runs - runsMax);
  }
  const kept = overflow === 'dropNewest' ? before : undefined;
  output.onRunsDropped?.(runs - (kept === undefined ? 0 : kept.partial.length - 1));
  return kept;
}

/** Moves event time on for one pattern. */
export function advanceSlot(slot: Slot, before: SlotState, time: number, output: RuleSetOutput): SlotState | undefined {
  if (isWindowed(before)) return closeWindows(slot.pattern.window!, before, time, output);
  if (isGraphState(before)) return pruneGraph(slot.pattern, before, time);
  if (slot.pattern.oneShort !== null && output.onNearMiss !== undefined)
    tellExpiring(slot.pattern, before, time, (nearMiss) => output.onNearMiss!(nearMiss));
  try {
    return advanceTime(slot.pattern, before, time, output);
  } catch (error) {
    return afterSkipError(error, output);
  }
}

function afterSkipError(error: unknown, output: RuleSetOutput): undefined {
  if (!(error instanceof SkipError)) throw error;
  output.onSkipError?.(error);
  return undefined;
}

/** When time must next be moved on for the state because it can give a match then, in ms; infinity: never. */
export function slotDeadline({ pattern }: Slot, state: SlotState): number {
  if (isWindowed(state)) return state.closesAt;
  const acts = !isGraphState(state) && (pattern.hasPending || state.completed.length > 0);
  return acts ? nextDeadline(pattern, state) : Number.POSITIVE_INFINITY;
}

/** Event time from which on nothing of the state can matter, in ms, if no event comes; infinity: the pattern has no window. */
export function slotEnd({ pattern }: Slot, state: SlotState, changedAt: number): number {
  if (pattern.windowMs === 0) return Number.POSITIVE_INFINITY;
  return (isGraphState(state) ? latestStart(state) : changedAt) + pattern.windowMs;
}

/** Runs under way, or items of the shared graph, or the parts that windows are put together of. */
export function slotRuns(state: SlotState): number {
  if (isRunState(state)) return state.partial.length - 1;
  return isGraphState(state) ? graphItems(state) : state.panes.length;
}

/** Events that a state holds, and values that windows keep; above `enough`, any number above it. */
export function heldEvents(state: SlotState, enough: number): number {
  if (isWindowed(state)) return state.newest.length + state.panes.length + heldValues(state);
  if (isGraphState(state)) return graphItems(state);
  const runs = [...state.partial, ...state.completed];
  let atMost = 0;
  for (const { head } of runs) for (let node = head; node !== null && atMost <= enough; node = node.previous) atMost++;
  if (atMost <= enough) return atMost;
  // Runs share what they have in common.
  const nodes = new Set<MatchNode>();
  for (const { head } of runs)
    for (let node = head; node !== null && nodes.size <= enough && !nodes.has(node); node = node.previous)
      nodes.add(node);
  return nodes.size;
}

/** Bit of a state that must be looked at when its window ends, whatever the event is. */
export const HELD = 1 << 31;

/** The bits of the interests (`Interest.bit`) that the state waits for, and `HELD`. */
export function slotMask({ pattern }: Slot, state: SlotState): number {
  if (isWindowed(state)) return HELD;
  const { states } = pattern;
  let mask = 0;
  if (isGraphState(state)) {
    for (const index of state.states) mask |= states[index]!.interest.bit;
    return mask;
  }
  const { partial } = state;
  if (state.completed.length > 0 || pattern.hasPending) mask = HELD;
  for (let i = 0; i < partial.length; i++) {
    const run = partial[i]!;
    if (run.first !== null) mask |= states[run.state]!.interest.bit;
  }
  return mask;
}
