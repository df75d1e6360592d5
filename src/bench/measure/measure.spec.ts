import { collectGarbage, PauseObserver, pauseFigures, percentile } from './garbage.js';
import { measure, median, type PassPlan } from './passes.js';

const planOf = (more: Partial<PassPlan>): PassPlan => ({
  events: 1000,
  warmup: 0,
  passes: 1,
  secondsMin: 0,
  makePass: () => ({ matches: 1, run: () => undefined, finish: () => undefined }),
  ...more,
});

describe('measuring', () => {
  let pauses: PauseObserver;
  beforeEach(() => {
    pauses = new PauseObserver();
  });
  afterEach(() => pauses.stop());

  it('takes the median, and of an even number the mean of the middle', () => {
    expect(median([1, 2, 9])).toBe(2);
    expect(median([1, 2, 4, 9])).toBe(3);
  });

  it('takes the percentile that a share is at or below', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.999)).toBe(100);
    expect(percentile([], 0.5)).toBe(0);
  });

  it('runs warm-up passes before the timed ones, each made anew, and ends each stream', async () => {
    const log: string[] = [];
    let made = 0;
    const makePass = () => {
      const name = `pass ${++made}`;
      return { matches: 3, run: () => void log.push(`${name} run`), finish: () => void log.push(`${name} finish`) };
    };
    const measured = await measure(planOf({ warmup: 1, passes: 2, makePass }), pauses);
    expect(log).toEqual(['pass 1 run', 'pass 1 finish', 'pass 2 run', 'pass 2 finish', 'pass 3 run', 'pass 3 finish']);
    expect(measured.passes).toHaveLength(2);
    expect(measured.matches).toBe(3);
  });

  it('repeats passes that are over at once, up to a bound', async () => {
    const measured = await measure(planOf({ secondsMin: 1000 }), pauses);
    expect(measured.passes.length).toBeGreaterThan(1);
  });

  it('refuses passes that disagree about the matches', async () => {
    let made = 0;
    const makePass = () => ({ matches: ++made, run: () => undefined, finish: () => undefined });
    await expect(measure(planOf({ passes: 2, makePass }), pauses)).rejects.toThrow(
      'one pass found 1 matches, another 2',
    );
  });

  it('sees the pauses of the collector within a time, and tells major ones apart', async () => {
    const before = performance.now();
    collectGarbage();
    const after = performance.now();
    await pauses.settle();
    const figures = pauseFigures(pauses.between(before, after));
    expect(figures.major).toBeGreaterThanOrEqual(1);
    expect(figures.longestMs).toBeGreaterThan(0);
    expect(figures.totalMs).toBeGreaterThanOrEqual(figures.longestMs);
    expect(pauses.between(after + 1, after + 2)).toEqual([]);
  });
});
