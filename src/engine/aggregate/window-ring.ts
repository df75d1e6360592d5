import type { EngineEvent } from '../event.js';
import type { FeatureFn } from '../expression/feature.js';
import { sumAt } from './exact-sum.js';
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
 *     rows     `capacity` of them, in a ring
 *
 * I1. Rows are those from the first, which is the oldest, on; after the last place comes the first again.
 * I2. Totals are kept by adding what comes and taking away what goes, and begin anew when no row is left.
 * I3. The oldest `settled` rows have the extremes of themselves and all settled ones after them, the others of all unsettled ones
 *     up to themselves; so those of the window are in two rows. When the last settled one leaves and another must go, all are
 *     settled again: constant work an event on average.
 */
export interface RingMemory {
  readonly doubles: Float64Array;
  /** The same memory as words of 4 bytes. */
  readonly words: Uint32Array;
}

/** Doubles of the head. */
export const HEAD = 3;
export const OLDEST = 2;
/** Words of the head. */
export const CAPACITY = 0;
export const FIRST = 1;
export const COUNT = 2;
const SETTLED = 3;

/** Doubles that a ring for so many rows takes. */
export const ringPlaces = (window: Window, capacity: number): number =>
  HEAD + window.totalPlaces - 1 + capacity * window.stride;

export const ringCapacity = ({ words }: RingMemory, at: number): number => words[at * 2 + CAPACITY]!;

/** Rows in the ring. */
export const ringCount = ({ words }: RingMemory, at: number): number => words[at * 2 + COUNT]!;

/** Totals begin one place before those that the ring has: `mid` is not among them. */
const totalsOf = (at: number): number => at + HEAD - 1;
const rowsOf = (window: Window, at: number): number => at + HEAD + window.totalPlaces - 1;

/** Where the row with this number from the first stands. */
function rowAt(window: Window, { words }: RingMemory, at: number, number: number): number {
  const capacity = words[at * 2 + CAPACITY]!;
  const place = words[at * 2 + FIRST]! + number;
  return rowsOf(window, at) + (place < capacity ? place : place - capacity) * window.stride;
}

/** Makes a ring without rows of the memory at `at`, in doubles. */
export function clearRing(window: Window, memory: RingMemory, at: number, capacity: number): void {
  memory.words[at * 2 + CAPACITY] = capacity;
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
  memory.doubles[rowAt(window, memory, at, ringCount(memory, at) - 1)]!;

/** Reads what an event will look at that comes at `time`: where its row will be, and the oldest if it is too old by then. */
export function touchRing(window: Window, memory: RingMemory, at: number, time: number): number {
  const { doubles } = memory;
  const next = doubles[rowAt(window, memory, at, ringCount(memory, at))]!;
  return doubles[at + OLDEST]! < time - window.overMs ? next + doubles[rowAt(window, memory, at, 0)]! : next;
}

/** Drops the rows that are too old to be in the window with the event; answers how many are left. */
export function dropOlder(window: Window, memory: RingMemory, at: number, event: EngineEvent): number {
  const { doubles, words } = memory;
  const { stride } = window;
  const head = at * 2;
  const count = words[head + COUNT]!;
  const rows = rowsOf(window, at);
  const oldest = event.time - window.overMs;
  let first = words[head + FIRST]!;
  if (count === 0 || doubles[at + OLDEST]! >= oldest) return count;
  if (doubles[rowAt(window, memory, at, count - 1)]! < oldest) {
    empty(window, memory, at);
    return 0;
  }
  const capacity = words[head + CAPACITY]!;
  let dropped = 0;
  do {
    tally(window, doubles, totalsOf(at), doubles, rows + first * stride, -1);
    first = first + 1 === capacity ? 0 : first + 1;
    dropped++;
  } while (doubles[rows + first * stride]! < oldest);
  words[head + FIRST] = first;
  words[head + COUNT] = count - dropped;
  doubles[at + OLDEST] = doubles[rows + first * stride]!;
  if (window.hasExtremes) unsettle(window, memory, at, dropped);
  return count - dropped;
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
    const row = rowAt(window, memory, at, number);
    writeExtremes(window, memory.doubles, row, beside);
    beside = row;
  }
}

/** Adds an event to a ring that has room. Times must not fall. */
export function addRow(window: Window, memory: RingMemory, at: number, event: EngineEvent): void {
  const { doubles, words } = memory;
  const count = words[at * 2 + COUNT]!;
  const row = rowAt(window, memory, at, count);
  writeRow(window, doubles, row, event);
  if (window.hasExtremes) {
    writeExtremes(window, doubles, row, count > words[at * 2 + SETTLED]! ? rowAt(window, memory, at, count - 1) : -1);
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
  let next = totalPlaces;
  for (let number = 0; number < count; number++) {
    const row = rowAt(window, memory, at, number);
    for (let i = 0; i < stride; i++) target[next++] = doubles[row + i]!;
  }
}

/** Makes a ring for `capacity` rows of what `copyRing` has remembered. */
export function pasteRing(window: Window, { doubles, words }: RingMemory, at: number, capacity: number): void {
  const { count, settled, places } = copied;
  words[at * 2 + CAPACITY] = capacity;
  words[at * 2 + FIRST] = 0;
  words[at * 2 + COUNT] = count;
  words[at * 2 + SETTLED] = settled;
  const length = window.totalPlaces - 1 + count * window.stride;
  for (let i = 0; i < length; i++) doubles[at + HEAD + i] = places[i + 1]!;
  // The time of the first row, or of none.
  doubles[at + OLDEST] = places[window.totalPlaces]!;
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
  const { doubles } = memory;
  const count = ringCount(memory, at);
  if (count === 0 || doubles[at + OLDEST]! >= oldest) return 0;
  let [outside, inside] = [0, count];
  while (inside - outside > 1) {
    const middle = (outside + inside) >> 1;
    if (doubles[rowAt(window, memory, at, middle)]! < oldest) outside = middle;
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
  for (let number = 0; number < left; number++) {
    tally(window, spare, 0, doubles, rowAt(window, memory, at, number), -1);
  }
  return spare;
}

let spare = new Float64Array(64);

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
    const last = doubles[rowAt(window, memory, at, count - 1) + place]!;
    if (left === settled) return last;
    const first = doubles[rowAt(window, memory, at, left) + place]!;
    return settled === count ? first : better(first, last);
  }
  let best = Number.NaN;
  for (let number = left; number < count; number++) {
    best = better(best, doubles[rowAt(window, memory, at, number) + field.value]!);
  }
  return best;
}

/** What a ring with rows holds, as a state of its own. */
export function stateOfRing(window: Window, memory: RingMemory, at: number): WindowState {
  const { doubles } = memory;
  const count = ringCount(memory, at);
  const times: number[] = [];
  const columns = window.fields.map((): number[] => []);
  for (let number = 0; number < count; number++) {
    const row = rowAt(window, memory, at, number);
    times.push(doubles[row]!);
    for (let i = 0; i < columns.length; i++) columns[i]!.push(doubles[row + 1 + i]!);
  }
  const totals = doubles.subarray(at + HEAD, rowsOf(window, at));
  return restoreWindow(window, times, columns, Array.from(totals));
}

/** Makes a ring of a state, for at least as many rows as it has. */
export function ringOfState(
  window: Window,
  state: WindowState,
  memory: RingMemory,
  at: number,
  capacity: number,
): void {
  const { doubles, words } = memory;
  const { rows, from, to } = state;
  const totals = totalsAt(window, state, from);
  clearRing(window, memory, at, capacity);
  for (let i = 1; i < window.totalPlaces; i++) doubles[totalsOf(at) + i] = totals[i]!;
  const target = rowsOf(window, at);
  for (let i = from; i < to; i++) doubles[target + i - from] = rows[i]!;
  words[at * 2 + COUNT] = (to - from) / window.stride;
  if (to > from) doubles[at + OLDEST] = rows[from]!;
  if (window.hasExtremes) settle(window, memory, at);
}
