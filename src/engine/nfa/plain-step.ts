import type { MatchNode } from '../buffer/match-node.js';
import type { PatternState, Run } from '../buffer/run.js';
import { type CompiledPattern, isPlainTake } from '../compiler/compile.js';
import { type CompiledState, type CompiledTransition, IGNORE, PROCEED } from '../compiler/compiled-state.js';
import type { EngineEvent } from '../event.js';
import { type Match, type Output, stepsOf } from './output.js';

/**
 * The commonest steps without the machinery of the general way (`step.ts`), and with its very results: a state of one run, of
 * which the event carries on, ends or completes just that one; or no state, where the event begins a run.
 */

/** No plain step: go the general way. */
export const NOT_PLAIN = Symbol('not plain');
/** The event completes the run, and its match is to be told at once: see `matchOfOnlyRun`. */
export const COMPLETES = Symbol('completes');

const NONE: readonly Run[] = [];

/** Begins a run of the pattern, which has a `plainStart`. */
export function beginRun(pattern: CompiledPattern, event: EngineEvent): PatternState {
  return successor(pattern.start, pattern.start.startRun, pattern.plainStart!, event);
}

/** Gives the event to a pattern of one step, which has a `wholeMatch` and so no state. */
export function matchAtOnce(pattern: CompiledPattern, event: EngineEvent, output: Output): undefined {
  const { test } = pattern.wholeMatch!;
  if (test !== null && !test(event, event.fields, null)) return undefined;
  output.onMatch({ steps: [{ name: pattern.steps[pattern.start.step]!, events: [event] }] });
  return undefined;
}

/**
 * Gives the event to the only run of a state, which is in `state`. The event must not be able to begin a run of the pattern, the
 * interests that hold must be marked as seen, and time-outs must not be wanted.
 */
export function stepOnlyRun(
  state: CompiledState,
  given: PatternState,
  event: EngineEvent,
  now: number,
): PatternState | undefined | typeof NOT_PLAIN | typeof COMPLETES {
  if (given.partial.length !== 2 || given.completed.length > 0 || state.gapMs > 0 || state.isPending) return NOT_PLAIN;
  if (state.interest.seen !== now) return given;
  const run = given.partial[0]!;
  if (state.windowMs > 0 && event.time - run.first!.time >= state.windowMs) return undefined;
  const edge = soleEdge(state, event, run.head);
  if (edge === null) return undefined;
  if (edge === NOT_PLAIN) return NOT_PLAIN;
  const { action, target } = edge;
  if (action === IGNORE) return target === state ? given : NOT_PLAIN;
  if (target.isFinal) return state.noSkip ? COMPLETES : NOT_PLAIN;
  return isPlainTake(edge) ? successor(state, run, target, event) : NOT_PLAIN;
}

/** The match of the only run of a state, which the event completes. Nothing is left of the state. */
export function matchOfOnlyRun(pattern: CompiledPattern, given: PatternState, event: EngineEvent): Match {
  const run = given.partial[0]!;
  const { step } = pattern.states[run.state]!;
  return { steps: stepsOf(pattern, { event, step, previous: run.head }) };
}

/** Whether the window of the state's only run has ended, so that nothing is left of the state but time-outs. */
export function onlyRunHasEnded({ windowMs, hasPending }: CompiledPattern, state: PatternState, time: number): boolean {
  if (windowMs === 0 || hasPending || state.partial.length !== 2 || state.completed.length > 0) return false;
  return time - state.partial[0]!.first!.time >= windowMs;
}

/** The one take or ignore that applies, where no proceed does; `null`: nothing applies. */
export function soleEdge(
  state: CompiledState,
  event: EngineEvent,
  head: MatchNode | null,
): CompiledTransition | typeof NOT_PLAIN | null {
  let sole: CompiledTransition | null = null;
  const { transitions } = state;
  for (let i = 0; i < transitions.length; i++) {
    const t = transitions[i]!;
    if (t.test !== null && !t.test(event, event.fields, head)) continue;
    if (sole !== null || t.action === PROCEED) return NOT_PLAIN;
    sole = t;
  }
  return sole;
}

/** What came of the last plain take. Many patterns of one form do the same with the same event: they share the result. */
const last = {
  event: null as EngineEvent | null,
  before: null as Run | null,
  step: 0,
  target: 0,
  start: null as Run | null,
  after: null as PatternState | null,
};

/** The state after the only run, or the start run, went from `state` to `target` by a plain take. */
function successor(state: CompiledState, run: Run, target: CompiledState, event: EngineEvent): PatternState {
  const { step, startRun } = state;
  const isSame =
    last.event === event &&
    last.before === run &&
    last.target === target.index &&
    last.step === step &&
    last.start === startRun;
  if (isSame) return last.after!;
  const taken: Run = {
    state: target.index,
    head: { event, step, previous: run.head },
    first: run.first ?? event,
  };
  const after: PatternState = { partial: [taken, startRun], completed: NONE };
  last.event = event;
  last.before = run;
  last.step = step;
  last.target = target.index;
  last.start = startRun;
  last.after = after;
  return after;
}

/** Lets go of the last event. */
export function forgetLastTake(): void {
  last.event = null;
  last.before = null;
  last.after = null;
}
