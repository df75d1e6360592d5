import { binned } from './counts.js';

describe('alerts over time', () => {
  it('are counted in stretches of a length that people count in', () => {
    expect(binned([0, 59_999, 60_000, 3_000_000])).toHaveLength(51);
    expect(binned([0, 59_999, 60_000, 3_000_000]).slice(0, 2)).toEqual([
      { from: 0, to: 60_000, count: 2 },
      { from: 60_000, to: 120_000, count: 1 },
    ]);
  });

  it.each([[[]], [[5]], [[0, 1e12]], [[5, 5, 5]]])('keep every one: %j', (times: number[]) => {
    const bins = binned(times);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(times.length);
    expect(bins.length).toBeLessThanOrEqual(61);
  });
});
