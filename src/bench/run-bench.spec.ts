import { formatEntry, formatReport } from './format/report.js';
import type { ThroughputJob, ThroughputResult } from './jobs/throughput.js';
import type { Measured } from './measure/passes.js';
import { type BenchDeps, isSound, runBench } from './run-bench.js';

const measured = (eventsPerSecond: number, matches: number): Measured => ({
  eventsPerSecond,
  min: eventsPerSecond * 0.9,
  max: eventsPerSecond * 1.1,
  cpuMicrosPerEvent: 0.5,
  matches,
  gc: { count: 3, major: 1, totalMs: 12, longestMs: 6.25, p999Ms: 6.25 },
  passes: [{ seconds: 1, cpuSeconds: 1, foreignCpuSeconds: 0, matches }],
});

function resultOf(job: ThroughputJob, eventsPerSecond: number, more: Partial<ThroughputResult> = {}): ThroughputResult {
  return {
    workload: job.workload,
    title: '',
    stream: job.stream,
    mode: job.mode,
    events: 1000,
    expected: 7,
    expectedBy: 'table',
    countsAgree: true,
    ...measured(eventsPerSecond, 7),
    keys: 10,
    runs: 12,
    bytesPerKey: 321.5,
    floor: { ...measured(4_000_000, 7), ratio: eventsPerSecond / 4_000_000, cpuRatio: 0.4 },
    unread: null,
    ...more,
  };
}

const job = (workload: string): ThroughputJob => ({
  kind: 'throughput',
  workload,
  stream: 'u5k',
  mode: 'in-order',
  warmup: 0,
  passes: 1,
  secondsMin: 0,
});

/** Answers throughput jobs by their workload's name. */
function deps(answers: Readonly<Record<string, (job: ThroughputJob) => ThroughputResult>>): BenchDeps {
  const run = async (asked: ThroughputJob): Promise<ThroughputResult> => answers[asked.workload]!(asked);
  return { run: run as BenchDeps['run'], peers: null, progress: () => undefined };
}

describe('a benchmark', () => {
  it('goes on after a job that failed, and is not sound then', async () => {
    const entries = await runBench(
      [
        { job: job('W1'), sweep: null },
        { job: job('W2'), sweep: null },
      ],
      deps({
        W1: () => {
          throw new Error('it broke\n    at the engine');
        },
        W2: (asked) => resultOf(asked, 1_000_000),
      }),
    );
    expect(entries.map(isSound)).toEqual([false, true]);
    expect(formatEntry(entries[0]!)).toBe('W1 on u5k, in-order: failed');
    expect(formatReport(entries)).toContain('FAILED W1 on u5k, in-order: it broke');
    expect(formatReport(entries)).not.toContain('at the engine');
  });

  it('compares the points of a sweep with its first', async () => {
    const entries = await runBench(
      [
        { job: job('steps-3'), sweep: 'steps' },
        { job: job('steps-6'), sweep: 'steps' },
      ],
      deps({
        'steps-3': (asked) => resultOf(asked, 1_000_000),
        'steps-6': (asked) => resultOf(asked, 800_000),
      }),
    );
    expect(entries.map((entry) => (entry.kind === 'throughput' ? entry.relative : null))).toEqual([1, 0.8]);
    expect(formatReport(entries)).toMatch(/steps-6 .* 80 %$/m);
  });

  it('prints aligned columns with units, and says that peers are not built', async () => {
    const entries = await runBench(
      [{ job: job('W1'), sweep: null }],
      deps({ W1: (asked) => resultOf(asked, 2_000_000) }),
    );
    const [head, line] = formatReport(entries).split('\n');
    expect(head).toBe(
      'workload  stream  mode      matches   events/s         µs CPU  bytes/key  longest GC    floor/s  of floor  by CPU  peers/s',
    );
    expect(line).toBe(
      'W1        u5k     in-order        7  2,000,000  ±10 %     0.5        322     6.25 ms  4,000,000      50 %    40 %  not built',
    );
  });

  it('calls a wrong count wrong, with all counts, and is not sound', async () => {
    const wrong = { countsAgree: false, expected: 8 };
    const entries = await runBench(
      [{ job: job('W1'), sweep: null }],
      deps({ W1: (asked) => resultOf(asked, 2_000_000, wrong) }),
    );
    expect(entries.map(isSound)).toEqual([false]);
    expect(formatReport(entries)).toContain(
      'WRONG W1 on u5k, in-order: there are 8 matches; the engine found 7, the floor 7.',
    );
  });
});
