import { VALUE_MAX } from '../expression/scalar-code.js';
import { hundredthsOf } from './exact-sum.js';

/**
 * The values of a window in ascending order, in an array of doubles from `at` on. A value comes or goes in O(log n) steps, and moves
 * those above it by a place: a copy of memory, of which a thousand values take less time than finding the key.
 */

/** Up to so many places are moved one by one. */
const MOVED_ONE_BY_ONE = 24;

/** Adds a value to the `count` that are there; answers whether an equal one was among them. */
export function insertSorted(doubles: Float64Array, at: number, count: number, x: number): boolean {
  const place = placeOf(doubles, at, count, x);
  const end = at + count;
  if (end - place > MOVED_ONE_BY_ONE) doubles.copyWithin(place + 1, place, end);
  else for (let i = end; i > place; i--) doubles[i] = doubles[i - 1]!;
  doubles[place] = x;
  return place < end && doubles[place + 1] === x;
}

/** Takes away a value that is among the `count`; answers whether an equal one is left. */
export function removeSorted(doubles: Float64Array, at: number, count: number, x: number): boolean {
  const place = placeOf(doubles, at, count, x);
  const end = at + count - 1;
  const isLeft = place < end && doubles[place + 1] === x;
  if (end - place > MOVED_ONE_BY_ONE) doubles.copyWithin(place, place + 1, end + 1);
  else for (let i = place; i < end; i++) doubles[i] = doubles[i + 1]!;
  return isLeft;
}

/** How many different values there are among the `count`. */
export function countDifferent(doubles: Readonly<Float64Array>, at: number, count: number): number {
  let different = 0;
  for (let i = at; i < at + count; i++) if (i === at || doubles[i] !== doubles[i - 1]) different++;
  return different;
}

/** Place of the first of the `count` values that is not less than `x`. */
function placeOf(doubles: Readonly<Float64Array>, at: number, count: number, x: number): number {
  let [low, high] = [at, at + count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (doubles[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The quantile `q` (0 to 1) of the numbers among `count` sorted codes, `numbers` of which are numbers; between two of them in a
 * straight line, as NumPy, R (type 7) and spreadsheets have it. NaN of none.
 */
export function quantileOf(
  doubles: Readonly<Float64Array>,
  at: number,
  count: number,
  numbers: number,
  q: number,
): number {
  if (numbers === 0) return Number.NaN;
  const first = numbers === count ? at : placeOf(doubles, at, count, -VALUE_MAX);
  const rank = (numbers - 1) * q;
  const below = Math.floor(rank);
  const a = doubles[first + below]!;
  return below === rank ? a : between(a, doubles[first + below + 1]!, rank - below);
}

/** Of amounts with two decimals in hundredths, as on paper. */
function between(a: number, b: number, share: number): number {
  const [from, to] = [hundredthsOf(a), hundredthsOf(b)];
  const inHundredths = (from + (to - from) * share) / 100;
  return Number.isNaN(inHundredths) ? a + (b - a) * share : inHundredths;
}
