import { BenchError } from './bench-error.js';
import { type BenchOptions, planJobs } from './plan.js';

const options = (more: Partial<BenchOptions>): BenchOptions => ({
  workloads: [],
  modes: ['in-order', 'watermark'],
  warmup: 2,
  passes: 5,
  secondsMin: 1,
  ...more,
});
const planned = (more: Partial<BenchOptions>): readonly string[] =>
  planJobs(options(more)).map(({ job }) =>
    job.kind === 'throughput' ? `${job.workload} ${job.stream} ${job.mode}` : job.kind,
  );

describe('the plan of a benchmark', () => {
  it('is all workloads on their streams when none is named', () => {
    expect(planned({ modes: ['in-order'] })).toEqual([
      'W1 u5k in-order',
      'W2 u5k in-order',
      'W3 u5k in-order',
      'W4 u5k in-order',
      'W5 hot in-order',
      'W5 hot/20000/100/40 in-order',
      'W5 hot/20000/100/80 in-order',
      'W6-100 u5k/200000/10000 in-order',
      'W6-1000 u5k/40000/2000 in-order',
    ]);
  });

  it('runs each in every mode, in turn', () => {
    expect(planned({ workloads: ['W2'] })).toEqual(['W2 u5k in-order', 'W2 u5k watermark']);
  });

  it('takes any number of patterns, another stream, and fewer events of it', () => {
    expect(planned({ workloads: ['W6-7'], stream: 'u500', events: 1000, modes: ['watermark'] })).toEqual([
      'W6-7 u500/1000/50/500 watermark',
    ]);
  });

  it('compares the points of a sweep on one stream, in order', () => {
    expect(planned({ workloads: ['patterns'] })).toEqual(
      [10, 30, 100, 300, 1000].map((n) => `W6-${n} u5k/40000/2000 in-order`),
    );
    expect(planned({ workloads: ['steps', 'windows'], events: 100 }).map((text) => text.split(' ')[0])).toEqual([
      'steps-3',
      'steps-6',
      'steps-12',
      'steps-24',
      'windows-10m',
      'windows-20m',
      'windows-30m',
      'windows-40m',
    ]);
    expect(planJobs(options({ workloads: ['steps'] })).every(({ sweep }) => sweep === 'steps')).toBe(true);
  });

  it('has fewer keys when there shall be fewer events', () => {
    expect(planJobs(options({ workloads: ['keys'], events: 5000 }))).toEqual([
      { job: { kind: 'keys', workload: 'keys', keys: 5000, updates: 10_000 }, sweep: null },
    ]);
  });

  it.each(['W7', 'w1', 'W6-0', 'steps-1', ''])('refuses %p and names what there is', (name) => {
    expect(() => planJobs(options({ workloads: [name] }))).toThrow(BenchError);
    expect(() => planJobs(options({ workloads: [name] }))).toThrow(
      `There is no workload ${name}. Workloads are W1, W2, W3, W4, W5, W6-N, W6, standard, patterns, watched, steps, windows, keys, reload.`,
    );
  });
});
