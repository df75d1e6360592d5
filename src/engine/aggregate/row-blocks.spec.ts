import { blockBegins } from './row-blocks.js';

/** Times of rows, by a number for each that looks like chance. */
function timesOf(count: number, gapMax: number): number[] {
  let [time, state] = [1_790_000_000_000, 7];
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    time += state % gapMax;
    return time;
  });
}

const begins = (times: readonly number[]): number[] => [...blockBegins(times.length, (row) => times[row]!)];
/** Times of the rows that begin a block, but for the first. */
const beginTimes = (times: readonly number[]): number[] =>
  begins(times)
    .slice(1)
    .map((row) => times[row]!);

describe('blocks of rows', () => {
  it('are one where there are few rows', () => expect(begins(timesOf(63, 1000))).toEqual([0]));

  it.each([1000, 86_400_000])('have 16 rows at least and 33 on average, gaps up to %d ms', (gapMax) => {
    const found = begins(timesOf(20_000, gapMax));
    const sizes = found.slice(1).map((begin, i) => begin - found[i]!);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(16);
    expect(20_000 / sizes.length).toBeGreaterThan(29);
    expect(20_000 / sizes.length).toBeLessThan(38);
  });

  it('begin at the same rows when some come behind and others go before', () => {
    const times = timesOf(3000, 5000);
    const all = beginTimes(times);
    for (let from = 0; from + 500 <= times.length; from += 37) {
      const some = times.slice(from, from + 500);
      const known = new Set(beginTimes(some));
      // All but those so near to an end that there is not enough to compare with.
      const inside = all.filter((time) => time >= some[16]! && time < some[484]!);
      expect(inside.every((time) => known.has(time))).toBe(true);
      expect(known.size).toBe(inside.length);
    }
  });

  it('is one block where all rows have one time', () => expect(begins(Array(5000).fill(1000))).toEqual([0]));
});
