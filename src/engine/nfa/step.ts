import type { MatchNode } from '../buffer/match-node.js';
import type { PatternState, Run } from '../buffer/run.js';
import type { CompiledPattern } from '../compiler/compile.js';
import { type CompiledState, type CompiledTransition, IGNORE, PROCEED } from '../compiler/compiled-state.js';
import type { EngineEvent } from '../event.js';
import { type Output, stepsOf } from './output.js';
import { heapAdd, heapPoll } from './run-heap.js';
import { emitMatches } from './skip.js';

/**
 * The transition function of one pattern over one key.
 *
 * Invariants
 * 1. The state given is never changed; what did not change is shared with the state returned, and when nothing changed the
 *    very same state is returned and nothing was allocated.
 * 2. `undefined` stands for the initial state (the start run alone), so a key that has nothing under way needs no state.
 * 3. Runs are expanded in the order of the heap's array, and their results added in the order in which they arise.
 */
const NONE: readonly Run[] = [];

/**
 * Processes one event. Event times and `seq` must not fall, and `advanceTime` to the event's time comes first.
 * Throws `SkipError`; what was found before is in `output`.
 */
export function processEvent(
  pattern: CompiledPattern,
  given: PatternState | undefined,
  event: EngineEvent,
  output: Output,
): PatternState | undefined {
  pattern.mark.next();
  return stepEvent(pattern, given, event, output, false);
}

/**
 * `processEvent` where the caller has moved the pattern's `mark` on: one of several patterns that see the same event.
 * `indexed`: the interests that hold for the event have been marked as seen, so that runs that wait for others are left alone.
 */
export function stepEvent(
  pattern: CompiledPattern,
  given: PatternState | undefined,
  event: EngineEvent,
  output: Output,
  indexed: boolean,
): PatternState | undefined {
  const state = given ?? pattern.initial;
  const before = state.partial;
  const now = pattern.mark.now[0]!;
  let partial: Run[] | null = null;
  let found: Run[] | null = null;
  for (let i = 0; i < before.length; i++) {
    const run = before[i]!;
    const untouched = indexed && pattern.states[run.state]!.interest.seen !== now;
    const results = untouched ? null : expand(pattern, run, event);
    if (results === null) {
      if (partial !== null) heapAdd(partial, run);
      continue;
    }
    partial ??= before.slice(0, i);
    found = addResults(pattern, results, partial, found);
  }
  if (partial === null) return given;
  return settle(pattern, partial, state, found, output);
}

/**
 * Moves event time on: runs whose window ended at or before `time` are dropped (and reported, if wanted), absences at the
 * end become matches, and matches that were held back may be emitted.
 */
export function advanceTime(
  pattern: CompiledPattern,
  given: PatternState | undefined,
  time: number,
  output: Output,
): PatternState | undefined {
  // The earliest start is the heap's root, so without gap windows one comparison tells whether any window has ended.
  if (given === undefined || nextDeadline(pattern, given) > time) return given;
  const partial: Run[] = [];
  let found: Run[] | null = null;
  for (const run of given.partial) {
    const state = pattern.states[run.state]!;
    const end = expiredAt(pattern, state, run, time);
    if (end === null) {
      heapAdd(partial, run);
    } else if (state.isPending) {
      found ??= [];
      heapAdd(found, run);
    } else {
      output.onTimeout?.({ time: end, steps: stepsOf(pattern, run.head) });
    }
  }
  return settle(pattern, partial, given, found, output);
}

/**
 * When the next window of this state ends, in ms of event time; infinity: none. With `gaps` false only match windows count:
 * Flink sets timers for those alone, and notices the end of a gap window when the key's next event comes.
 */
export function nextDeadline(pattern: CompiledPattern, state: PatternState, gaps = true): number {
  const earliest = state.partial[0]!;
  let deadline = Number.POSITIVE_INFINITY;
  if (earliest.first === null) return deadline;
  if (pattern.windowMs > 0) deadline = earliest.first.time + pattern.windowMs;
  if (!gaps || !pattern.hasGaps) return deadline;
  for (const run of state.partial) {
    const compiled = pattern.states[run.state]!;
    if (compiled.gapMs > 0 && !compiled.isStart) deadline = Math.min(deadline, run.head!.event.time + compiled.gapMs);
  }
  return deadline;
}

/** The state without its `count` oldest runs. */
export function dropOldestRuns(state: PatternState, count: number): PatternState {
  const partial = state.partial.slice();
  for (let i = 0; i < count && partial[0]!.first !== null; i++) heapPoll(partial);
  return { partial, completed: state.completed };
}

/** The state that follows from its runs, and from those that are `found` complete; gives out matches. */
export function settle(
  pattern: CompiledPattern,
  partial: Run[],
  state: PatternState,
  found: readonly Run[] | null,
  output: Output,
): PatternState | undefined {
  let completed: readonly Run[] = state.completed;
  if (found !== null || completed.length > 0) {
    const heap = completed.slice();
    if (found !== null) for (const run of found) heapAdd(heap, run);
    emitMatches(pattern, partial, heap, output);
    completed = heap.length === 0 ? NONE : heap;
  }
  const isInitial = partial.length === 1 && partial[0]!.first === null && completed.length === 0;
  // An array that grew by `push` has room for many more: a key's state is kept, so it gets one that fits.
  return isInitial ? undefined : { partial: partial.slice(), completed };
}

/** The time at which the run's window ended, or `null` when it goes on. A gap window goes before the match window. */
export function expiredAt(pattern: CompiledPattern, state: CompiledState, run: Run, time: number): number | null {
  if (state.isStart) return null;
  const gapEnd = run.head!.event.time + state.gapMs;
  if (state.gapMs > 0 && time >= gapEnd) return gapEnd;
  const windowEnd = run.first!.time + pattern.windowMs;
  return pattern.windowMs > 0 && time >= windowEnd ? windowEnd : null;
}

/** Sorts the results of one run; a stop state discards all of them but the completed ones. */
export function addResults(
  pattern: CompiledPattern,
  results: readonly Run[],
  partial: Run[],
  found: Run[] | null,
): Run[] | null {
  let completed = found;
  let stopped = false;
  for (const result of results) {
    const state = pattern.states[result.state]!;
    if (state.isFinal) {
      completed ??= [];
      heapAdd(completed, result);
    } else if (state.isStop) {
      stopped = true;
    }
  }
  if (stopped) return completed;
  for (const result of results) if (!pattern.states[result.state]!.isFinal) heapAdd(partial, result);
  return completed;
}

/** What becomes of one run; `null`: it stays just as it is. */
export function expand(pattern: CompiledPattern, run: Run, event: EngineEvent): Run[] | null {
  const state = pattern.states[run.state]!;
  const edges = collectEdges(state, event, run.head);
  if (state.isStart) {
    if (edges === null) return null;
  } else {
    if (edges === null) return [];
    if (edges.length === 1 && edges[0]!.action === IGNORE && edges[0]!.target === state) return null;
  }
  const results: Run[] = [];
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i]!;
    if (edge.action === IGNORE) {
      if (!state.isStart)
        results.push(edge.target === state ? run : { state: edge.target.index, head: run.head, first: run.first });
    } else {
      take(run, edge, event, results);
    }
  }
  if (state.isStart) {
    if (results.length === 0) return null;
    results.push(run);
  }
  return results;
}

interface Edge {
  readonly action: CompiledTransition['action'];
  readonly target: CompiledState;
  /** Step of the state that the edge leaves. */
  readonly step: number;
}

/** The takes and ignores that apply, found by walking proceeds depth first, last proceed first. `null`: none. */
function collectEdges(from: CompiledState, event: EngineEvent, head: MatchNode | null): Edge[] | null {
  let edges: Edge[] | null = null;
  let stack: CompiledState[] | null = null;
  let state: CompiledState | undefined = from;
  while (state !== undefined) {
    const transitions: readonly CompiledTransition[] = state.transitions;
    for (let i = 0; i < transitions.length; i++) {
      const t: CompiledTransition = transitions[i]!;
      if (t.test !== null && !t.test(event, event.fields, head)) continue;
      if (t.action === PROCEED) {
        stack ??= [];
        stack.push(t.target);
      } else {
        edges ??= [];
        edges.push({ action: t.action, target: t.target, step: state.step });
      }
    }
    state = stack?.pop();
  }
  return edges;
}

function take(run: Run, edge: Edge, event: EngineEvent, results: Run[]): void {
  const head: MatchNode = { event, step: edge.step, previous: run.head };
  const taken: Run = { state: edge.target.index, head, first: run.first ?? event };
  results.push(taken);
  if (!edge.target.mayComplete) return;
  // Conditions still see the run as it was before this event.
  const final = finalAfterProceed(edge.target, event, run.head);
  if (final !== null) results.push({ state: final.index, head, first: taken.first });
}

function finalAfterProceed(from: CompiledState, event: EngineEvent, head: MatchNode | null): CompiledState | null {
  const stack = [from];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    for (const t of state.transitions) {
      if (t.action !== PROCEED || (t.test !== null && !t.test(event, event.fields, head))) continue;
      if (t.target.isFinal) return t.target;
      stack.push(t.target);
    }
  }
  return null;
}
