import type { EngineEvent } from '../event.js';
import type { FeatureFn } from '../expression/feature.js';
import { sumAt } from './exact-sum.js';
import {
  type FieldPlaces,
  greatest,
  least,
  tally,
  type Window,
  writeEmpty,
  writeExtremes,
  writeRow,
} from './window-layout.js';

/**
 * The events that a window holds for one key.
 *
 * I1. Rows of the state are those at `from` up to `to` in the array, of which there is at least one; `to` is followed by the
 *     totals of the newest state that shares the array, so a state is the newest exactly if the array ends there.
 * I2. The rows of any state never change, and what is not the newest state never reads totals. So a state is a value, though
 *     the array grows in place: what was added later is not seen, and the totals of older states are found again from rows.
 * I3. Totals are kept by adding what comes and taking away what goes; they begin anew when the window is empty. They are exact
 *     (`exact-sum.ts`), and depend neither on when a state was copied nor on when it was saved.
 * I4. Rows before `mid` have the extremes of themselves and all rows up to `mid`, the others of all from `mid` up to
 *     themselves; so those of the window are in two rows. `mid` is one for all states that share the array.
 * I5. from <= mid: once all rows before `mid` have left, the others are copied, and `mid` becomes their end. This takes as long
 *     as they have come since the last time, so an event costs constant work on average, and the array holds no more than
 *     twice the most that the window held of late.
 */
export class WindowState {
  constructor(
    readonly rows: number[],
    readonly from: number,
    readonly to: number,
  ) {}
}

/** The totals of the state that is being made. */
const scratch: number[] = Array.from({ length: 64 }, () => 0.5);

/** The window with one more event, without what is then older than it allows. Times must not fall. */
export function addEvent(window: Window, state: WindowState | undefined, event: EngineEvent): WindowState {
  if (state === undefined) return firstEvent(window, event);
  const { stride, totalPlaces } = window;
  const { rows, from, to } = state;
  const oldest = event.time - window.overMs;
  let kept = from;
  while (kept < to && rows[kept]! < oldest) kept += stride;
  if (kept === to) return firstEvent(window, event);
  if (rows.length !== to + totalPlaces || kept > rows[to]!) {
    return writeEvent(window, copyRows(window, state, kept), 0, to - kept, event);
  }
  for (let i = 0; i < totalPlaces; i++) scratch[i] = rows[to + i]!;
  for (let at = from; at < kept; at += stride) tally(window, scratch, 0, rows, at, -1);
  return writeEvent(window, rows, kept, to, event);
}

/** Of doubles, as arrays of rows must be from the start. */
const BLANK: readonly number[] = Array.from({ length: 32 }, () => 0.5);

function firstEvent(window: Window, event: EngineEvent): WindowState {
  for (let i = 0; i < window.totalPlaces; i++) scratch[i] = 0;
  return writeEvent(window, BLANK.slice(0, window.stride + window.totalPlaces), 0, 0, event);
}

/** Writes a row at `to`, and the totals in `scratch` with it added. */
function writeEvent(window: Window, rows: number[], from: number, to: number, event: EngineEvent): WindowState {
  const { stride, totalPlaces } = window;
  writeRow(window, rows, to, event);
  if (window.hasExtremes) writeExtremes(window, rows, to, to > scratch[0]! ? to - stride : -1);
  tally(window, scratch, 0, rows, to, 1);
  const end = to + stride;
  for (let i = 0; i < totalPlaces; i++) rows[end + i] = scratch[i]!;
  return new WindowState(rows, from, end);
}

/** The rows from `kept` on in an array of their own, `mid` being their end (I5), with their totals in `scratch`. */
function copyRows(window: Window, state: WindowState, kept: number): number[] {
  totalsAt(window, state, kept);
  const rows = state.rows.slice(kept, state.to);
  scratch[0] = rows.length;
  settleExtremes(window, rows, rows.length);
  return rows;
}

/** Writes the extremes of all rows up to `mid`. */
function settleExtremes(window: Window, rows: number[], mid: number): void {
  if (!window.hasExtremes) return;
  const last = mid - window.stride;
  for (let at = last; at >= 0; at -= window.stride) {
    writeExtremes(window, rows, at, at === last ? -1 : at + window.stride);
  }
}

/**
 * A window's state from its times and, for each of its fields, values; `null`: all missing. `totals` are those that `ownTotals`
 * said, if any.
 */
export function restoreWindow(
  window: Window,
  times: readonly number[],
  columns: readonly (readonly number[] | null)[],
  totals: readonly number[],
): WindowState {
  const { stride, totalPlaces } = window;
  const to = times.length * stride;
  const rows = BLANK.slice(0, stride + totalPlaces);
  for (let at = 0, i = 0; at < to; at += stride, i++) {
    rows[at] = times[i]!;
    for (let f = 0; f < columns.length; f++) rows[at + 1 + f] = columns[f]?.[i] ?? Number.NaN;
    for (let place = 1 + columns.length; place < stride; place++) rows[at + place] = Number.NaN;
  }
  sumRows(window, rows, 0, to);
  for (let i = 0; i < totals.length; i++) scratch[1 + i] = totals[i]!;
  scratch[0] = to;
  settleExtremes(window, rows, to);
  for (let i = 0; i < totalPlaces; i++) rows[to + i] = scratch[i]!;
  return new WindowState(rows, 0, to);
}

/** The totals of a state, but `mid`, if they are not those that its rows have when they are added up anew; else nothing. */
export function ownTotals(window: Window, state: WindowState): readonly number[] {
  const { totalPlaces } = window;
  const { rows, from, to } = state;
  if (rows.length !== to + totalPlaces) return [];
  sumRows(window, rows, from, to);
  for (let i = 1; i < totalPlaces; i++) if (scratch[i] !== rows[to + i]) return rows.slice(to + 1);
  return [];
}

/** Leaves in `scratch`, which it answers, the totals of the rows from `kept` on: from the state's own where it has them. */
export function totalsAt(window: Window, state: WindowState, kept: number): readonly number[] {
  const { stride, totalPlaces } = window;
  const { rows, from, to } = state;
  if (rows.length === to + totalPlaces) {
    for (let i = 0; i < totalPlaces; i++) scratch[i] = rows[to + i]!;
    for (let at = from; at < kept; at += stride) tally(window, scratch, 0, rows, at, -1);
  } else {
    sumRows(window, rows, kept, to);
  }
  return scratch;
}

/** Leaves in `scratch` the totals of rows, added up one by one. */
function sumRows(window: Window, rows: readonly number[], from: number, to: number): void {
  for (let i = 0; i < window.totalPlaces; i++) scratch[i] = 0;
  for (let at = from; at < to; at += window.stride) tally(window, scratch, 0, rows, at, 1);
}

/** Writes the values of the window's cells as of `time`, which is not before the newest event. */
export function readWindow(window: Window, state: WindowState | undefined, time: number): void {
  const kept = state === undefined ? 0 : firstInside(window, state, time);
  if (state === undefined || kept === state.to) {
    writeEmpty(window);
    return;
  }
  const { cells, stride, totalPlaces } = window;
  const { rows, from, to } = state;
  let totals: readonly number[] = rows;
  let at = to;
  if (kept !== from || rows.length !== to + totalPlaces) {
    totalsAt(window, state, kept);
    [totals, at] = [scratch, 0];
  }
  for (let i = 0; i < cells.length; i++) {
    const { cell, fn, field } = cells[i]!;
    if (field === null) cell.value = (to - kept) / stride;
    else if (fn === 'sum') cell.value = sumAt(totals, at + field.sum);
    else if (fn === 'avg') cell.value = sumAt(totals, at + field.sum) / totals[at + field.present]!;
    else cell.value = extreme(window, state, kept, fn, field);
  }
}

/** The oldest row inside the window at `time`; `to` when there is none. */
function firstInside(window: Window, state: WindowState, time: number): number {
  const { rows, from, to } = state;
  const oldest = time - window.overMs;
  if (rows[from]! >= oldest) return from;
  let [outside, inside] = [0, (to - from) / window.stride];
  while (inside - outside > 1) {
    const middle = (outside + inside) >> 1;
    if (rows[from + middle * window.stride]! < oldest) outside = middle;
    else inside = middle;
  }
  return from + inside * window.stride;
}

function extreme(window: Window, state: WindowState, kept: number, fn: FeatureFn, field: FieldPlaces): number {
  const { stride } = window;
  const { rows, to } = state;
  const better = fn === 'min' ? least : greatest;
  const isNewest = rows.length === to + window.totalPlaces;
  if (isNewest && kept <= rows[to]!) {
    const place = fn === 'min' ? field.min : field.max;
    const last = rows[to - stride + place]!;
    return kept === rows[to] ? last : to === rows[to] ? rows[kept + place]! : better(rows[kept + place]!, last);
  }
  let best = Number.NaN;
  for (let at = kept; at < to; at += stride) best = better(best, rows[at + field.value]!);
  return best;
}

/** Whether some event of the window still counts at `time`. */
export const isAlive = (window: Window, state: WindowState, time: number): boolean =>
  state.rows[state.to - window.stride]! >= time - window.overMs;
