import type { EngineEvent } from '../event.js';
import type { EventTest } from '../expression/event-test.js';
import { addExactly, addPairs } from './exact-sum.js';
import type { FeatureFn } from './feature.js';
import type { FeatureCell } from './feature-table.js';
import { accumulate, begin, type FieldColumns, greatest, least, type WindowLayout } from './window-columns.js';

/** A cell, and where its statistic lies in the entries of its window. */
export interface WindowCell {
  readonly cell: FeatureCell;
  readonly fn: FeatureFn;
  /** `null` for `count`. */
  readonly field: FieldColumns | null;
}

/** All features over the same events and the same time. */
export interface Window extends WindowLayout {
  /** Canonical JSON of what the window holds: `where`, `overMs` and the fields in order. */
  readonly id: string;
  readonly overMs: number;
  /** `null`: every event counts. */
  readonly test: EventTest | null;
  readonly cells: readonly WindowCell[];
}

/**
 * The events that a window holds for one key, oldest first.
 *
 * I1. 0 <= from <= mid <= to; entries are counted from the beginning of the array, which may hold more than this state's:
 *     what is before `from` has left the window, what is from `to` on was added by later states that share the array.
 * I2. An entry below the `to` of any state never changes. So a state is a value, though the array grows in place.
 * I3. The totals of an entry below `mid` are over it and all up to `mid`; those of the others are over `mid` up to the entry.
 *     So every statistic is that of two entries together: nothing is ever subtracted, and no error builds up.
 * I4. `mid` depends on the events alone, never on when a state was saved or copied.
 */
export class WindowState {
  constructor(
    readonly entries: number[],
    readonly from: number,
    readonly mid: number,
    readonly to: number,
  ) {}
}

/**
 * The window with one more event, and without what is older than it allows. Times must not fall. Constant work but for the copy
 * that is made when all up to `mid` have left: it takes as long as the entries that came since the last one.
 */
export function addEvent(window: Window, state: WindowState | undefined, event: EngineEvent): WindowState {
  const { stride } = window;
  if (state === undefined) return firstEvent(window, event);
  const oldest = event.time - window.overMs;
  const { to } = state;
  let { entries, from } = state;
  while (from < to && entries[from * stride]! < oldest) from++;
  if (from === to) return firstEvent(window, event);
  if (from > state.mid) return append(window, fromMiddle(window, entries, from, to), event);
  if (entries.length === to * stride) {
    writeEvent(window, entries, to, to > state.mid, event);
    return new WindowState(entries, from, state.mid, to + 1);
  }
  // Another state was made from this one already (I2).
  entries = entries.slice(from * stride, to * stride);
  return append(window, new WindowState(entries, 0, state.mid - from, to - from), event);
}

function firstEvent(window: Window, event: EngineEvent): WindowState {
  const entries = BLANK.slice(0, window.stride);
  writeEvent(window, entries, 0, false, event);
  return new WindowState(entries, 0, 0, 1);
}

/** Most places that an entry can have without being allocated twice. */
const BLANK_PLACES = 32;
/** Of doubles, as arrays of entries must be from the start. */
const BLANK: readonly number[] = Array.from({ length: BLANK_PLACES }, () => 0.5);

function append(window: Window, state: WindowState, event: EngineEvent): WindowState {
  writeEvent(window, state.entries, state.to, state.to > state.mid, event);
  return new WindowState(state.entries, state.from, state.mid, state.to + 1);
}

/** A state whose `mid` is its end, with totals to match. */
export function fromMiddle(window: Window, shared: readonly number[], from: number, to: number): WindowState {
  const { stride } = window;
  const entries = shared.slice(from * stride, to * stride);
  const last = entries.length - stride;
  begin(window, entries, last);
  for (let at = last - stride; at >= 0; at -= stride) accumulate(window, entries, at, at + stride);
  return new WindowState(entries, 0, to - from, to - from);
}

function writeEvent(window: Window, entries: number[], to: number, follows: boolean, event: EngineEvent): void {
  const { stride, fields } = window;
  const at = to * stride;
  entries[at] = event.time;
  for (let i = 0; i < fields.length; i++) {
    const { name, value } = fields[i]!;
    const x = event.fields[name];
    entries[at + value] = typeof x === 'number' && x - x === 0 ? x : Number.NaN;
  }
  if (follows) accumulate(window, entries, at, at - stride);
  else begin(window, entries, at);
}

/** Writes the present values of the window's cells: of its events at most `overMs` before `time`. */
export function readWindow(window: Window, state: WindowState | undefined, time: number): void {
  const { cells } = window;
  const from = state === undefined ? 0 : firstInside(window, state, time);
  for (let i = 0; i < cells.length; i++) {
    const { cell, fn, field } = cells[i]!;
    if (state === undefined || from === state.to) cell.value = fn === 'count' || fn === 'sum' ? 0 : Number.NaN;
    else if (field === null) cell.value = state.to - from;
    else if (from > state.mid) cell.value = scan(window, state, from, fn, field);
    else cell.value = statistic(window, state, from, fn, field);
  }
}

/** The oldest entry inside the window at `time`; `to` when there is none. */
function firstInside(window: Window, state: WindowState, time: number): number {
  const { stride, overMs } = window;
  const { entries, to } = state;
  const oldest = time - overMs;
  if (entries[state.from * stride]! >= oldest) return state.from;
  let outside = state.from;
  let inside = to;
  while (inside - outside > 1) {
    const middle = (outside + inside) >> 1;
    if (entries[middle * stride]! < oldest) outside = middle;
    else inside = middle;
  }
  return inside;
}

/** Of the entries before and after `mid` together (I3). */
function statistic(window: Window, state: WindowState, from: number, fn: FeatureFn, field: FieldColumns): number {
  const { entries, mid, to } = state;
  const first = from * window.stride;
  const last = (to - 1) * window.stride;
  if (from === mid) return single(entries, last, fn, field);
  if (to === mid) return single(entries, first, fn, field);
  const { sum, present, min, max } = field;
  switch (fn) {
    case 'min':
      return least(entries[first + min]!, entries[last + min]!);
    case 'max':
      return greatest(entries[first + max]!, entries[last + max]!);
    default: {
      const total = addPairs(
        entries[first + sum]!,
        entries[first + sum + 1]!,
        entries[last + sum]!,
        entries[last + sum + 1]!,
      );
      return fn === 'sum' ? total : total / (entries[first + present]! + entries[last + present]!);
    }
  }
}

/** Of the totals of one entry. */
function single(entries: readonly number[], at: number, fn: FeatureFn, field: FieldColumns): number {
  switch (fn) {
    case 'min':
      return entries[at + field.min]!;
    case 'max':
      return entries[at + field.max]!;
    case 'sum':
      return entries[at + field.sum]!;
    default:
      return entries[at + field.sum]! / entries[at + field.present]!;
  }
}

/** Of the values themselves: only where events that do not count have moved the window's begin beyond `mid`. */
function scan(window: Window, state: WindowState, from: number, fn: FeatureFn, field: FieldColumns): number {
  const { stride } = window;
  const { entries } = state;
  const pair = [0, 0];
  let present = 0;
  let extreme = Number.NaN;
  for (let at = from * stride; at < state.to * stride; at += stride) {
    const x = entries[at + field.value]!;
    if (Number.isNaN(x)) continue;
    present++;
    addExactly(pair, 0, 0, x);
    extreme = fn === 'max' ? greatest(extreme, x) : least(extreme, x);
  }
  if (fn === 'min' || fn === 'max') return extreme;
  return fn === 'sum' ? pair[0]! : pair[0]! / present;
}

/** Whether some event of the window still counts at `time`. */
export function isAlive(window: Window, state: WindowState, time: number): boolean {
  return state.entries[(state.to - 1) * window.stride]! >= time - window.overMs;
}
