/**
 * Sums without error. A sum has three places: hundredths, high, low.
 *
 * - Values of at most two decimals are counted in whole hundredths, so that amounts of money sum up as on paper: 0.1 and 0.2 make
 *   0.3. Exact while the sum is below 2^53 hundredths.
 * - All others are summed as a pair of doubles, `high` being their sum rounded and `low` what rounding has left out (Knuth's
 *   two-sum). Exact while the bits of the values and of their sum span less than 105 places.
 *
 * So a sum depends on the values alone, not on the order in which they came and went. Beyond those limits the error is some 2^-53,
 * or 2^-105, of the largest sum on the way.
 */
export const SUM_PLACES = 3;

/** Larger values are not counted in hundredths: 8,192 of them could not leave the whole numbers. */
const HUNDREDTHS_MAX = 2 ** 40;

/** Where numbers are kept: an array of the heap, or memory outside it. */
export type Doubles = number[] | Float64Array;

/** The value in whole hundredths; NaN if it is not so many, or too many. */
export function hundredthsOf(x: number): number {
  const hundredths = Math.round(x * 100);
  const fits = hundredths / 100 === x && hundredths <= HUNDREDTHS_MAX && hundredths >= -HUNDREDTHS_MAX;
  return fits ? hundredths : Number.NaN;
}

/** Adds `x` to the sum at `at`; `-x` takes it away again. */
export function addExactly(sums: Doubles, at: number, x: number): void {
  const hundredths = Math.round(x * 100);
  if (hundredths / 100 === x && hundredths <= HUNDREDTHS_MAX && hundredths >= -HUNDREDTHS_MAX) {
    sums[at] = sums[at]! + hundredths;
    return;
  }
  addToPair(sums, at + 1, x);
}

/** Adds `x` to the pair of doubles at `at`, high and low. */
export function addToPair(sums: Doubles, at: number, x: number): void {
  const high = sums[at]!;
  const sum = high + x;
  const part = sum - high;
  const low = sums[at + 1]! + (high - (sum - part) + (x - part));
  const total = sum + low;
  sums[at] = total;
  // The same again, so that the low part stays below half of the high one's last place.
  const rest = total - sum;
  sums[at + 1] = sum - (total - rest) + (low - rest);
}

/** Hundredths and others together. */
export const sumAt = (sums: Readonly<Doubles>, at: number): number => sums[at]! / 100 + sums[at + 1]!;
