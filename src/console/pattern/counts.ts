export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const LENGTHS = [1e3, 5e3, 15e3, 60e3, 300e3, 900e3, 3_600e3, 10_800e3, 21_600e3, 86_400e3, 604_800e3, 2_592_000e3];
const BINS_MAX = 60;

/** How many of the times lie in each of at most sixty equal stretches, of a length that people count in. */
export function binned(times: readonly number[]): readonly Bin[] {
  if (times.length === 0) return [];
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const length =
    LENGTHS.find((ms) => (last - first) / ms < BINS_MAX - 1) ?? Math.ceil((last - first + 1) / (BINS_MAX - 1));
  const begin = Math.floor(first / length) * length;
  const counts = new Array<number>(Math.floor((last - begin) / length) + 1).fill(0);
  for (const time of times) counts[Math.floor((time - begin) / length)]! += 1;
  return counts.map((count, n) => ({ from: begin + n * length, to: begin + (n + 1) * length, count }));
}
