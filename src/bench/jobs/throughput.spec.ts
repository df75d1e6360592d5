import { runThroughput, type ThroughputJob } from './throughput.js';

const job = (more: Partial<ThroughputJob>): ThroughputJob => ({
  kind: 'throughput',
  workload: 'W1',
  stream: 'u5k/10000/500',
  mode: 'in-order',
  warmup: 0,
  passes: 1,
  secondsMin: 0,
  ...more,
});
const silent = (): void => undefined;

describe('a throughput job', () => {
  it.each(['W1', 'W2', 'W3', 'W4', 'W6-10', 'watched-10', 'steps-3', 'windows-10m'])(
    '%s: the engine finds what the floor finds, in order and behind a watermark',
    async (workload) => {
      const inOrder = await runThroughput(job({ workload }), silent);
      const behind = await runThroughput(job({ workload, mode: 'watermark' }), silent);
      for (const result of [inOrder, behind]) {
        expect(result).toMatchObject({ workload, events: 10_000, expectedBy: 'floor', countsAgree: true });
        expect(result.matches).toBe(result.floor.matches);
      }
      expect(inOrder.matches).toBe(behind.matches);
      expect(inOrder.matches).toBeGreaterThan(0);
    },
  );

  it('compares with the known count where there is one, and measures matches unread where they are many', async () => {
    const result = await runThroughput(job({ workload: 'W5', stream: 'hot' }), silent);
    expect(result).toMatchObject({ expected: 41_810, expectedBy: 'table', matches: 41_810, countsAgree: true });
    expect(result.unread).toMatchObject({ matches: 0 });
  });

  it('tells what the state holds, and figures that belong together', async () => {
    const result = await runThroughput(job({ passes: 3 }), silent);
    expect(result.keys).toBeGreaterThan(0);
    expect(result.runs).toBeGreaterThanOrEqual(result.keys);
    expect(result.bytesPerKey).toBeGreaterThan(50);
    expect(result.passes).toHaveLength(3);
    expect(result.min).toBeLessThanOrEqual(result.eventsPerSecond);
    expect(result.eventsPerSecond).toBeLessThanOrEqual(result.max);
    expect(result.floor.ratio).toBeCloseTo(result.eventsPerSecond / result.floor.eventsPerSecond);
  });
});
