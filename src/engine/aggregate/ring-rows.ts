import { type Doubles, hundredthsOf } from './exact-sum.js';
import type { Window } from './window-layout.js';

/** Memory that rings lie in. */
export interface RingMemory {
  readonly doubles: Float64Array;
  /** The same memory as words of 4 bytes. */
  readonly words: Uint32Array;
}

/** Doubles of a ring's head. */
export const HEAD = 3;
export const OLDEST = 2;
/** Words of the head. */
export const CAPACITY = 0;
export const FIRST = 1;
export const COUNT = 2;
export const SETTLED = 3;

/**
 * How the rows of a ring lie. `WIDE` is added to the capacity of a ring whose rows are `stride` doubles: time, values, extremes. In all
 * others they are as many words, half of the memory and of the waiting for it: the low 32 bits of the time, and values in whole
 * hundredths, which nearly all amounts and counts are.
 *
 * A ring with extremes is wide, and one that has, or had, an event that does not fit: a time that is no whole number or 2^32 ms from the
 * oldest row's, a value that is no whole number of hundredths below 2^31.
 */
export const WIDE = 2 ** 31;
/** The bits below it, which are the capacity. */
export const CAPACITY_BITS = WIDE - 1;
/** In the place of a value that is missing. */
export const MISSING = -(2 ** 31);
export const HUNDREDTHS_MAX = 2 ** 31 - 1;
const TIMES_MAX = 2 ** 32 - 1;

export const isWide = ({ words }: RingMemory, at: number): boolean => words[at * 2 + CAPACITY]! >= WIDE;

export const ringCapacity = ({ words }: RingMemory, at: number): number => words[at * 2 + CAPACITY]! & CAPACITY_BITS;

/** Rows in the ring. */
export const ringCount = ({ words }: RingMemory, at: number): number => words[at * 2 + COUNT]!;

/** Doubles that a ring for so many rows takes. */
export const ringPlaces = (window: Window, capacity: number, wide: boolean): number =>
  rowsOf(window, 0) + Math.ceil((capacity * window.stride) / (wide ? 1 : 2));

/** Where the rows begin, in doubles. */
export const rowsOf = (window: Window, at: number): number => at + HEAD + window.totalPlaces - 1;

function placeOf({ words }: RingMemory, at: number, number: number): number {
  const capacity = words[at * 2 + CAPACITY]! & CAPACITY_BITS;
  const place = words[at * 2 + FIRST]! + number;
  return place < capacity ? place : place - capacity;
}

/** Where the row with this number from the first stands in a wide ring, in doubles. */
export const wideRow = (window: Window, memory: RingMemory, at: number, number: number): number =>
  rowsOf(window, at) + placeOf(memory, at, number) * window.stride;

/** Where the row with this number from the first stands in a narrow ring, in words. */
export const narrowRow = (window: Window, memory: RingMemory, at: number, number: number): number =>
  rowsOf(window, at) * 2 + placeOf(memory, at, number) * window.stride;

/** Time of a row, from 0 on, of a ring that has so many. */
export function timeAt(window: Window, memory: RingMemory, at: number, number: number): number {
  if (isWide(memory, at)) return memory.doubles[wideRow(window, memory, at, number)]!;
  const oldest = memory.doubles[at + OLDEST]!;
  return oldest + msAfter(oldest, memory.words[narrowRow(window, memory, at, number)]!);
}

/** From the oldest row's time to that whose low bits are these. */
export const msAfter = (oldest: number, bits: number): number => (bits - oldest) >>> 0;

/** Puts a row, as doubles, to `to`. */
export function copyRow(window: Window, memory: RingMemory, at: number, number: number, target: Doubles, to: number) {
  const { stride } = window;
  const { doubles, words } = memory;
  if (isWide(memory, at)) {
    const row = wideRow(window, memory, at, number);
    for (let i = 0; i < stride; i++) target[to + i] = doubles[row + i]!;
    return;
  }
  const row = narrowRow(window, memory, at, number);
  const oldest = doubles[at + OLDEST]!;
  target[to] = oldest + msAfter(oldest, words[row]!);
  for (let i = 1; i < stride; i++) {
    target[to + i] = hundredthsIn(words[row + i]!);
  }
}

/** The value that stands in a word of a narrow row. */
export function hundredthsIn(word: number): number {
  const hundredths = word | 0;
  return hundredths === MISSING ? Number.NaN : hundredths / 100;
}

/** Writes rows, as doubles from `from` on, into a ring from its first place on. All fit. */
export function writeRows(
  window: Window,
  memory: RingMemory,
  at: number,
  rows: Readonly<Doubles>,
  from: number,
  to: number,
): void {
  const { stride } = window;
  const { doubles, words } = memory;
  const first = rowsOf(window, at);
  if (isWide(memory, at)) {
    for (let i = from; i < to; i++) doubles[first + i - from] = rows[i]!;
    return;
  }
  let next = first * 2;
  for (let row = from; row < to; row += stride) {
    words[next++] = rows[row]!;
    for (let i = 1; i < stride; i++) {
      const x = rows[row + i]!;
      words[next++] = Number.isNaN(x) ? MISSING : Math.round(x * 100);
    }
  }
}

/** Whether rows, as doubles, fit into a narrow ring. */
export function fitNarrow(window: Window, rows: Readonly<Doubles>, from: number, to: number): boolean {
  const { stride, hasExtremes } = window;
  if (hasExtremes) return false;
  const oldest = rows[from]!;
  if (to > from && !Number.isInteger(oldest)) return false;
  for (let row = from; row < to; row += stride) {
    const since = rows[row]! - oldest;
    if (!Number.isInteger(since) || since > TIMES_MAX) return false;
    for (let i = 1; i < stride; i++) if (!fitsHundredths(rows[row + i]!)) return false;
  }
  return true;
}

const fitsHundredths = (x: number): boolean => Number.isNaN(x) || Math.abs(hundredthsOf(x)) <= HUNDREDTHS_MAX;
