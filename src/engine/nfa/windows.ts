import type { EngineEvent } from '../event.js';
import type { Scalar } from '../expression/expression.js';
import type { AlignedForm, CompiledWindow } from '../window/compile-window.js';
import { addToTally, aggregateOf, mergeTallies, type Tally } from '../window/tally.js';
import type { Match, WindowResult } from './output.js';

/** Events of a key that are in the same windows. */
export interface Pane {
  /** Of a session, the time of its first event. */
  readonly start: number;
  /** Times of its first and last event. */
  readonly first: number;
  readonly last: number;
  readonly tally: Tally;
}

/**
 * What a window pattern knows of one key. It never changes.
 *
 * Invariants
 * 1. There is at least one pane, all of them are in the window that ends at `closesAt`, and none began at that time or later.
 * 2. Events come in order of time, and what ends at a time has ended before an event of that time counts. So windows end in order, no
 *    event comes to a window that has ended, and a session has one pane: two of them never have to be merged.
 */
export interface WindowedState {
  /** Oldest first. */
  readonly panes: readonly Pane[];
  /** End of the earliest window that has not ended; ms. */
  readonly closesAt: number;
  /** The newest events that counted, oldest first; never empty. */
  readonly newest: readonly EngineEvent[];
}

export interface WindowOutput {
  onMatch(match: Match): void;
  /** A window ends at `time`: features are to be read as of then. */
  onWindowEnd?(time: number): void;
}

/** Ends the windows that end at the event's time or before, then counts the event. */
export function stepWindow(
  window: CompiledWindow,
  before: WindowedState | undefined,
  event: EngineEvent,
  output: WindowOutput,
): WindowedState | undefined {
  const state = before === undefined ? undefined : closeWindows(window, before, event.time, output);
  if (window.take !== null && !window.take(event, event.fields, null)) return state;
  return window.session === null ? addAligned(window, state, event) : addToSession(window, state, event);
}

function addToSession(window: CompiledWindow, state: WindowedState | undefined, event: EngineEvent): WindowedState {
  const { gapMs, maxMs } = window.session!;
  const pane = paneWith(window, state?.panes[0], event.time, event);
  return {
    panes: [pane],
    closesAt: Math.min(event.time + gapMs, pane.start + maxMs),
    newest: newestWith(window, state, event),
  };
}

function addAligned(window: CompiledWindow, state: WindowedState | undefined, event: EngineEvent): WindowedState {
  const { paneMs, offsetMs } = window.aligned!;
  const start = Math.floor((event.time - offsetMs) / paneMs) * paneMs + offsetMs;
  const last = state?.panes.at(-1);
  const isSame = last?.start === start;
  const pane = paneWith(window, isSame ? last : undefined, start, event);
  const panes = state === undefined ? [] : isSame ? state.panes.slice(0, -1) : state.panes.slice();
  panes.push(pane);
  return {
    panes,
    closesAt: state === undefined ? firstEnd(window.aligned!, pane) : state.closesAt,
    newest: newestWith(window, state, event),
  };
}

function paneWith({ tallying }: CompiledWindow, pane: Pane | undefined, start: number, event: EngineEvent): Pane {
  const tally = addToTally(tallying, pane?.tally ?? tallying.empty, event);
  const { time } = event;
  return pane === undefined
    ? { start, first: time, last: time, tally }
    : { start: pane.start, first: pane.first, last: time, tally };
}

function newestWith(
  { eventsMax }: CompiledWindow,
  state: WindowedState | undefined,
  event: EngineEvent,
): readonly EngineEvent[] {
  if (state === undefined || eventsMax === 1) return [event];
  const { newest } = state;
  return [...(newest.length < eventsMax ? newest : newest.slice(1 - eventsMax)), event];
}

/** End of the first window that the pane is in. */
function firstEnd({ sizeMs, everyMs, offsetMs, paneMs }: AlignedForm, { start }: Pane): number {
  const base = offsetMs + sizeMs;
  return Math.ceil((start + paneMs - base) / everyMs) * everyMs + base;
}

/** Ends the windows that end at `time` or before. */
export function closeWindows(
  window: CompiledWindow,
  before: WindowedState,
  time: number,
  output: WindowOutput,
): WindowedState | undefined {
  let state: WindowedState | undefined = before;
  while (state !== undefined && state.closesAt <= time) {
    emit(window, state, output);
    state = window.aligned === null ? undefined : afterClose(window.aligned, state);
  }
  return state;
}

function afterClose(form: AlignedForm, { panes, closesAt, newest }: WindowedState): WindowedState | undefined {
  const nextStart = closesAt + form.everyMs - form.sizeMs;
  let gone = 0;
  while (gone < panes.length && panes[gone]!.start < nextStart) gone++;
  const oldest = panes[gone];
  if (oldest === undefined) return undefined;
  return {
    panes: gone === 0 ? panes : panes.slice(gone),
    closesAt: Math.max(closesAt + form.everyMs, firstEnd(form, oldest)),
    newest,
  };
}

function emit(window: CompiledWindow, state: WindowedState, output: WindowOutput): void {
  const { tallying, having } = window;
  const { panes, closesAt, newest } = state;
  const tally = panes.reduce<Tally | null>(
    (sum, pane) => (sum === null ? pane.tally : mergeTallies(tallying, sum, pane.tally)),
    null,
  )!;
  const start = window.aligned === null ? panes[0]!.start : closesAt - window.aligned.sizeMs;
  const [first, last] = [panes[0]!.first, panes.at(-1)!.last];
  const fields: Record<string, Scalar | null> = {
    ...{ windowStart: start, windowEnd: closesAt, firstTime: first, lastTime: last },
  };
  for (const aggregate of tallying.aggregates) fields[aggregate.name] = aggregateOf(aggregate, tally);
  const result: WindowResult = { start, end: closesAt, first, last, fields };
  output.onWindowEnd?.(closesAt);
  if (having !== null && having(resultEvent(result), fields, null) !== true) return;
  const events = newest.filter((event) => event.time >= start);
  output.onMatch({ steps: [{ name: window.step, events }], features: fields, window: result });
}

/** What came out of a window, as the event that expressions look at. */
export const resultEvent = ({ end, fields }: WindowResult): EngineEvent => ({ time: end, seq: 0, kind: '', fields });

/** Values that aggregates keep one by one, beside a few numbers a pane. */
export function heldValues({ panes }: WindowedState): number {
  let held = 0;
  for (const { tally } of panes) for (const { length } of tally.values) held += length;
  return held;
}
