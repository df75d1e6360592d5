/** `stakeout bench` as people and scripts run it, with few events: that it works and counts right, not how fast it is. */
import { CliProcess } from '../harness/cli-process.js';
import { built } from './kit/build.js';

beforeAll(built);

const bench = (...args: string[]) => CliProcess.run(['bench', ...args]);

interface Entry {
  readonly kind: string;
  readonly workload: string;
  readonly matches: number;
  readonly expected: number;
  readonly peers: unknown;
}

describe('stakeout bench', () => {
  it('measures a workload in both modes, each in a process of its own, and prints one JSON document', async () => {
    const { status, stdout, stderr } = await bench('--quick', '--workload', 'W1', '--json');
    const entries = JSON.parse(stdout) as readonly Entry[];
    expect(entries).toMatchObject([
      { kind: 'throughput', workload: 'W1', stream: 'u5k/20000/1000/5000', mode: 'in-order', events: 20_000 },
      { kind: 'throughput', workload: 'W1', stream: 'u5k/20000/1000/5000', mode: 'watermark', events: 20_000 },
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        expectedBy: 'floor',
        countsAgree: true,
        eventsPerSecond: expect.any(Number),
        min: expect.any(Number),
        max: expect.any(Number),
        cpuMicrosPerEvent: expect.any(Number),
        gc: { count: expect.any(Number), longestMs: expect.any(Number), p999Ms: expect.any(Number) },
        floor: { eventsPerSecond: expect.any(Number), ratio: expect.any(Number) },
        peers: null,
      });
      expect(entry.matches).toBeGreaterThan(0);
      expect(entry.matches).toBe(entry.expected);
    }
    expect(stderr).toContain('W1 on u5k/20000/1000/5000, watermark: ');
    expect(status).toBe(0);
  });

  it('prints a table for people, and what else can be measured', async () => {
    const { status, stdout } = await bench('--quick', '--workload', 'W6-10', 'keys', 'reload', '--mode', 'in-order');
    expect(stdout).toMatch(/^workload +stream +mode +matches +events\/s/m);
    expect(stdout).toMatch(/^W6-10 +u5k\/20000\/1000\/5000 +in-order +801 .* not built$/m);
    expect(stdout).toMatch(/^20,000 keys with [\d,]+ runs under way: [\d,]+ bytes\/key/m);
    expect(stdout).toMatch(/^one pattern added to 1,000: .* 1 pattern and \d+ predicates compiled$/m);
    expect(status).toBe(0);
  });

  it.each([
    [['--workload', 'W7'], 'There is no workload W7. Workloads are W1, W2, W3, W4, W5, W6-N,'],
    [['--workload', 'W1', '--stream', 'u6k'], 'There is no stream u6k. Streams are u5k, u500, z5k, hot'],
    [['--mode', 'backwards'], '--mode is in-order, watermark or both, not backwards.'],
    [['--passes', '0'], '--passes is a whole number from 1 on, not 0.'],
    [['--peer', 'espresso'], 'There is no peer espresso. Peers are esper, siddhi, drools, flink, java.'],
  ])('refuses %j with a plain message', async (args, message) => {
    const { status, stdout, stderr } = await bench(...args);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });
});
