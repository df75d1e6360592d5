import { addToPair, type Doubles, hundredthsOf } from './exact-sum.js';

/**
 * Standard deviation of values that come and go: the sum of the values and that of their squares, each a pair of doubles, in
 * hundredths, so that those of amounts of money are whole numbers. The two nearly cancel out where values are far larger than
 * their differences; of a pair enough is left over.
 */
export const SPREAD_PLACES = 4;

/** Values beyond it are left out: their squares would leave the range of doubles. */
const SPREAD_MAX = 1e140;

/** Whether the value counts in a spread. */
export const spreads = (x: number): boolean => Math.abs(x) <= SPREAD_MAX;

/** Adds a value (`sign` 1), or takes it away (-1). */
export function addToSpread(sums: Doubles, at: number, x: number, sign: 1 | -1): void {
  const hundredths = hundredthsOf(x);
  const y = Number.isNaN(hundredths) ? x * 100 : hundredths;
  addToPair(sums, at, sign * y);
  const square = y * y;
  addToPair(sums, at + 2, sign * square);
  const rest = productRest(y, y, square);
  if (rest !== 0) addToPair(sums, at + 2, sign * rest);
}

/** Population standard deviation of the `count` values that are in; NaN of none. */
export function deviationAt(sums: Readonly<Doubles>, at: number, count: number): number {
  if (count === 0) return Number.NaN;
  const sum = sums[at]!;
  const squares = sums[at + 2]!;
  // count * squares - sum * sum, both as pairs
  const left = count * squares;
  const right = sum * sum;
  const rest = productRest(count, squares, left) - productRest(sum, sum, right);
  const difference = left - right + (rest + count * sums[at + 3]! - 2 * sum * sums[at + 1]!);
  return difference > 0 ? Math.sqrt(difference) / count / 100 : 0;
}

/** What rounding has left out of a product (Dekker's). */
function productRest(a: number, b: number, product: number): number {
  const aHigh = highHalf(a);
  const bHigh = highHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** The upper 26 bits of a number. */
function highHalf(a: number): number {
  const scaled = a * 134_217_729;
  return scaled - (scaled - a);
}
