import type { EngineEvent } from '../event.js';
import type { FeatureFn } from '../expression/feature.js';
import { sumAt } from './exact-sum.js';
import {
  CAPACITY,
  COUNT,
  copyRow,
  FIRST,
  fitNarrow,
  HEAD,
  isWide,
  MISSING,
  msAfter,
  narrowRow,
  OLDEST,
  type RingMemory,
  ringCapacity,
  ringCount,
  rowsOf,
  SETTLED,
  timeAt,
  WIDE,
  wideRow,
  writeRows,
} from './ring-rows.js';
import { restoreWindow, totalsAt, type WindowState } from './window.js';
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
 * The events that a window holds for one key, changed in place: for a host that keeps the windows of many keys in memory outside
 * the garbage-collected heap. The same in every value as `window.ts`, whose states it can be made of and turned into.
 *
 *     head     capacity, first row, number of rows, settled rows: four words; time of the first row, if there is one
 *     totals   those of the layout but `mid`, which `settled` stands for
 *     rows     `capacity` of them, in a ring, wide or narrow (`ring-rows.ts`)
 *
 * I1. Rows are those from the first, which is the oldest, on; after the last place comes the first again.
 * I2. Totals are kept by adding what comes and taking away what goes, and begin anew when no row is left.
 * I3. The oldest `settled` rows have the extremes of themselves and all settled ones after them, the others of all unsettled ones
 *     up to themselves; so those of the window are in two rows. When the last settled one leaves and another must go, all are
 *     settled again: constant work an event on average.
 */

/** Totals begin one place before those that the ring has: `mid` is not among them. */
const totalsOf = (at: number): number => at + HEAD - 1;

/** Makes a ring without rows of the memory at `at`, in doubles. */
export function clearRing(window: Window, memory: RingMemory, at: number, capacity: number, wide: boolean): void {
  memory.words[at * 2 + CAPACITY] = wide ? capacity + WIDE : capacity;
  empty(window, memory, at);
}

function empty(window: Window, { doubles, words }: RingMemory, at: number): void {
  words[at * 2 + FIRST] = 0;
  words[at * 2 + COUNT] = 0;
  words[at * 2 + SETTLED] = 0;
  doubles.fill(0, at + HEAD, rowsOf(window, at));
}

/** Time of the newest row of a ring that has rows. */
export const newestTime = (window: Window, memory: RingMemory, at: number): number =>
  timeAt(window, memory, at, ringCount(memory, at) - 1);

/** Reads what an event will look at that comes at `time`: where its row will be, and the oldest if it is too old by then. */
export function touchRing(window: Window, memory: RingMemory, at: number, time: number): number {
  const { doubles, words } = memory;
  const count = ringCount(memory, at);
  const wide = isWide(memory, at);
  const next = wide ? doubles[wideRow(window, memory, at, count)]! : words[narrowRow(window, memory, at, count)]!;
  if (doubles[at + OLDEST]! >= time - window.overMs) return next;
  return next + (wide ? doubles[wideRow(window, memory, at, 0)]! : words[narrowRow(window, memory, at, 0)]!);
}

/** Drops the rows that are too old to be in the window with the event; answers how many are left. */
export function dropOlder(window: Window, memory: RingMemory, at: number, event: EngineEvent): number {
  const { doubles, words } = memory;
  const count = words[at * 2 + COUNT]!;
  const oldest = event.time - window.overMs;
  if (count === 0 || doubles[at + OLDEST]! >= oldest) return count;
  if (timeAt(window, memory, at, count - 1) < oldest) {
    empty(window, memory, at);
    return 0;
  }
  const dropped = isWide(memory, at) ? dropWide(window, memory, at, oldest) : dropNarrow(window, memory, at, oldest);
  words[at * 2 + COUNT] = count - dropped;
  if (window.hasExtremes) unsettle(window, memory, at, dropped);
  return count - dropped;
}

/** Drops the first row, and those after it that are too old; not all are. Answers how many. */
function dropWide(window: Window, memory: RingMemory, at: number, oldest: number): number {
  const { doubles, words } = memory;
  const { stride } = window;
  const rows = rowsOf(window, at);
  const capacity = ringCapacity(memory, at);
  let first = words[at * 2 + FIRST]!;
  let dropped = 0;
  do {
    tally(window, doubles, totalsOf(at), doubles, rows + first * stride, -1);
    first = first + 1 === capacity ? 0 : first + 1;
    dropped++;
  } while (doubles[rows + first * stride]! < oldest);
  words[at * 2 + FIRST] = first;
  doubles[at + OLDEST] = doubles[rows + first * stride]!;
  return dropped;
}

function dropNarrow(window: Window, memory: RingMemory, at: number, oldest: number): number {
  const { doubles, words } = memory;
  const { stride } = window;
  const rows = rowsOf(window, at) * 2;
  const capacity = ringCapacity(memory, at);
  const before = doubles[at + OLDEST]!;
  let first = words[at * 2 + FIRST]!;
  let since = 0;
  let dropped = 0;
  do {
    takeAway(window, memory, totalsOf(at), rows + first * stride);
    first = first + 1 === capacity ? 0 : first + 1;
    dropped++;
    since = msAfter(before, words[rows + first * stride]!);
  } while (before + since < oldest);
  words[at * 2 + FIRST] = first;
  doubles[at + OLDEST] = before + since;
  return dropped;
}

/** `tally` of a narrow row that goes. */
function takeAway({ fields }: Window, { doubles, words }: RingMemory, base: number, row: number): void {
  for (let i = 0; i < fields.length; i++) {
    const { value, sum, present } = fields[i]!;
    const hundredths = words[row + value]! | 0;
    if (hundredths === MISSING) continue;
    if (sum > 0) doubles[base + sum] = doubles[base + sum]! - hundredths;
    if (present > 0) doubles[base + present] = doubles[base + present]! - 1;
  }
}

function unsettle(window: Window, memory: RingMemory, at: number, dropped: number): void {
  const { words } = memory;
  const settled = words[at * 2 + SETTLED]!;
  if (dropped <= settled) words[at * 2 + SETTLED] = settled - dropped;
  else settle(window, memory, at);
}

function settle(window: Window, memory: RingMemory, at: number): void {
  const count = ringCount(memory, at);
  memory.words[at * 2 + SETTLED] = count;
  let beside = -1;
  for (let number = count - 1; number >= 0; number--) {
    const row = wideRow(window, memory, at, number);
    writeExtremes(window, memory.doubles, row, beside);
    beside = row;
  }
}

/** Adds an event to a wide ring that has room. Times must not fall. */
export function addRow(window: Window, memory: RingMemory, at: number, event: EngineEvent): void {
  const { doubles, words } = memory;
  const count = words[at * 2 + COUNT]!;
  const row = wideRow(window, memory, at, count);
  writeRow(window, doubles, row, event);
  if (window.hasExtremes) {
    writeExtremes(window, doubles, row, count > words[at * 2 + SETTLED]! ? wideRow(window, memory, at, count - 1) : -1);
  }
  tally(window, doubles, totalsOf(at), doubles, row, 1);
  if (count === 0) doubles[at + OLDEST] = event.time;
  words[at * 2 + COUNT] = count + 1;
}

/** Remembers what the ring holds, for `pasteRing`, until the next call. */
export function copyRing(window: Window, memory: RingMemory, at: number): void {
  const { doubles, words } = memory;
  const { stride, totalPlaces } = window;
  const count = ringCount(memory, at);
  copied.count = count;
  copied.settled = words[at * 2 + SETTLED]!;
  const places = totalPlaces + count * stride;
  if (copied.places.length < places) copied.places = new Float64Array(places * 2);
  const { places: target } = copied;
  for (let i = 1; i < totalPlaces; i++) target[i] = doubles[totalsOf(at) + i]!;
  for (let number = 0; number < count; number++)
    copyRow(window, memory, at, number, target, totalPlaces + number * stride);
}

/** Makes a ring for `capacity` rows of what `copyRing` has remembered; of a narrow one, into which all of it fits, unless `wide`. */
export function pasteRing(window: Window, memory: RingMemory, at: number, capacity: number, wide: boolean): void {
  const { doubles, words } = memory;
  const { totalPlaces } = window;
  const { count, settled, places } = copied;
  words[at * 2 + CAPACITY] = wide ? capacity + WIDE : capacity;
  words[at * 2 + FIRST] = 0;
  words[at * 2 + COUNT] = count;
  words[at * 2 + SETTLED] = settled;
  for (let i = 1; i < totalPlaces; i++) doubles[totalsOf(at) + i] = places[i]!;
  // The time of the first row, or of none.
  doubles[at + OLDEST] = places[totalPlaces]!;
  writeRows(window, memory, at, places, totalPlaces, totalPlaces + count * window.stride);
}

/** The totals, beginning at place 1, and the rows after them. */
const copied = { count: 0, settled: 0, places: new Float64Array(64) };

/** Writes the values of the window's cells as of `time`, which is not before the newest row. */
export function readRing(window: Window, memory: RingMemory, at: number, time: number): void {
  const left = rowsBefore(window, memory, at, time - window.overMs);
  if (left === ringCount(memory, at)) writeEmpty(window);
  else if (left === 0) readWhole(window, memory, at);
  else writeCells(window, memory, at, left, totalsWithout(window, memory, at, left), 0);
}

/** Adds to `totals`, whose first place is not used, those of the rows inside the window at `time`; answers how many rows these are. */
export function addTotals(window: Window, memory: RingMemory, at: number, time: number, totals: Float64Array): number {
  const left = rowsBefore(window, memory, at, time - window.overMs);
  const own = totalsWithout(window, memory, at, left);
  for (let i = 1; i < window.totalPlaces; i++) totals[i] = totals[i]! + own[i]!;
  return ringCount(memory, at) - left;
}

/** Whether the totals may have more than whole hundredths. */
export function mayHaveRest(window: Window, memory: RingMemory, at: number): boolean {
  const base = totalsOf(at);
  const { doubles } = memory;
  const isRest = ({ sum }: FieldPlaces): boolean =>
    sum > 0 && (doubles[base + sum + 1] !== 0 || doubles[base + sum + 2] !== 0);
  return isWide(memory, at) || window.fields.some(isRest);
}

/** Writes the values of the window's cells at a time at which all rows, of which there are some, are inside. */
export const readWhole = (window: Window, memory: RingMemory, at: number): void =>
  writeCells(window, memory, at, 0, memory.doubles, totalsOf(at));

/** Without the oldest `left` rows, of totals that begin at `base`. */
function writeCells(
  window: Window,
  memory: RingMemory,
  at: number,
  left: number,
  totals: Float64Array,
  base: number,
): void {
  const { cells } = window;
  for (let i = 0; i < cells.length; i++) {
    const { cell, fn, field } = cells[i]!;
    if (field === null) cell.value = ringCount(memory, at) - left;
    else if (fn === 'sum') cell.value = sumAt(totals, base + field.sum);
    else if (fn === 'avg') cell.value = sumAt(totals, base + field.sum) / totals[base + field.present]!;
    else cell.value = extreme(window, memory, at, left, fn, field);
  }
}

/** How many rows are older than `oldest`. */
function rowsBefore(window: Window, memory: RingMemory, at: number, oldest: number): number {
  const count = ringCount(memory, at);
  if (count === 0 || memory.doubles[at + OLDEST]! >= oldest) return 0;
  let [outside, inside] = [0, count];
  while (inside - outside > 1) {
    const middle = (outside + inside) >> 1;
    if (timeAt(window, memory, at, middle) < oldest) outside = middle;
    else inside = middle;
  }
  return inside;
}

/** The totals, from place 0 on, without the oldest `left` rows. They hold until the next call. */
function totalsWithout(window: Window, memory: RingMemory, at: number, left: number): Float64Array {
  const { doubles } = memory;
  const base = totalsOf(at);
  if (spare.length < window.totalPlaces) spare = new Float64Array(window.totalPlaces * 2);
  for (let i = 1; i < window.totalPlaces; i++) spare[i] = doubles[base + i]!;
  if (row.length < window.stride) row = new Float64Array(window.stride * 2);
  for (let number = 0; number < left; number++) {
    copyRow(window, memory, at, number, row, 0);
    tally(window, spare, 0, row, 0, -1);
  }
  return spare;
}

let spare = new Float64Array(64);
let row = new Float64Array(16);

function extreme(
  window: Window,
  memory: RingMemory,
  at: number,
  left: number,
  fn: FeatureFn,
  field: FieldPlaces,
): number {
  const { doubles } = memory;
  const better = fn === 'min' ? least : greatest;
  const count = ringCount(memory, at);
  const settled = memory.words[at * 2 + SETTLED]!;
  if (left <= settled) {
    const place = fn === 'min' ? field.min : field.max;
    const last = doubles[wideRow(window, memory, at, count - 1) + place]!;
    if (left === settled) return last;
    const first = doubles[wideRow(window, memory, at, left) + place]!;
    return settled === count ? first : better(first, last);
  }
  let best = Number.NaN;
  for (let number = left; number < count; number++) {
    best = better(best, doubles[wideRow(window, memory, at, number) + field.value]!);
  }
  return best;
}

/** What a ring with rows holds, as a state of its own. */
export function stateOfRing(window: Window, memory: RingMemory, at: number): WindowState {
  const { doubles } = memory;
  const count = ringCount(memory, at);
  const times: number[] = [];
  const columns = window.fields.map((): number[] => []);
  const row: number[] = [];
  for (let number = 0; number < count; number++) {
    copyRow(window, memory, at, number, row, 0);
    times.push(row[0]!);
    for (let i = 0; i < columns.length; i++) columns[i]!.push(row[1 + i]!);
  }
  const totals = doubles.subarray(at + HEAD, rowsOf(window, at));
  return restoreWindow(window, times, columns, Array.from(totals));
}

/** Whether a ring of the state must be wide. */
export const mustBeWide = (window: Window, { rows, from, to }: WindowState): boolean =>
  !fitNarrow(window, rows, from, to);

/** Makes a ring of a state, for at least as many rows as it has. */
export function ringOfState(
  window: Window,
  state: WindowState,
  memory: RingMemory,
  at: number,
  capacity: number,
  wide: boolean,
): void {
  const { doubles, words } = memory;
  const { rows, from, to } = state;
  const totals = totalsAt(window, state, from);
  clearRing(window, memory, at, capacity, wide);
  for (let i = 1; i < window.totalPlaces; i++) doubles[totalsOf(at) + i] = totals[i]!;
  words[at * 2 + COUNT] = (to - from) / window.stride;
  if (to > from) doubles[at + OLDEST] = rows[from]!;
  writeRows(window, memory, at, rows, from, to);
  if (window.hasExtremes) settle(window, memory, at);
}
