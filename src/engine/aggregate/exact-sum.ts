/**
 * Sums without error: a sum is a pair of doubles, `high` being the sum rounded and `low` what rounding has left out (Knuth's
 * two-sum). While the bits of all values and of their sum span less than 105 places, no bit is lost: amounts of a
 * hundredth and more, up to 10^14 in all. The sum then depends on the values alone, not on the order in which they came and
 * went, and decimal amounts that make 50,000.00 make 50000. Beyond that the error is 2^-105 of the largest intermediate sum.
 */

/** Writes at `to` and `to + 1` the pair at `from` and `from + 1` plus `x`. A sum over the range of doubles is infinite. */
export function addExactly(pairs: number[], from: number, to: number, x: number): void {
  const high = pairs[from]!;
  const sum = high + x;
  const part = sum - high;
  const low = pairs[from + 1]! + (high - (sum - part) + (x - part));
  const total = sum + low;
  pairs[to] = total;
  // The same again, so that the low part stays below half of the high one's last place.
  const rest = total - sum;
  pairs[to + 1] = total - total === 0 ? sum - (total - rest) + (low - rest) : 0;
}

/** The sum of two pairs, rounded once. */
export function addPairs(high1: number, low1: number, high2: number, low2: number): number {
  const sum = high1 + high2;
  const part = sum - high1;
  const total = sum + (high1 - (sum - part) + (high2 - part) + low1 + low2);
  return total - total === 0 ? total : sum;
}
