import { BenchError } from './bench-error.js';
import type { Job } from './jobs/job.js';
import type { Mode } from './measure/engine-pass.js';
import { parseStream, shortened } from './stream/spec.js';
import { WORKLOAD_NAMES, workloadOf } from './workloads/catalogue.js';

/** What is asked for. */
export interface BenchOptions {
  /** Workloads and sweeps by name; none: the standard ones. */
  readonly workloads: readonly string[];
  /** Instead of each workload's own streams. */
  readonly stream?: string;
  /** At most so many events, with accounts in proportion. */
  readonly events?: number;
  readonly modes: readonly Mode[];
  readonly warmup: number;
  readonly passes: number;
  /** Short passes are repeated until they have taken so long together. */
  readonly secondsMin: number;
}

/** One job of a benchmark. */
export interface PlannedJob {
  readonly job: Job;
  /** The sweep it is a point of; `null`: none. */
  readonly sweep: string | null;
}

const STANDARD = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6-100', 'W6-1000'];

/** Live keys of `keys`. */
const KEYS = 1_000_000;
/** Rules that run when `reload` adds one. */
const RULES = 1000;

/** Points of each sweep; the first is what the others are compared with. */
const SWEEPS: ReadonlyMap<string, { readonly workloads: readonly string[]; readonly stream?: string }> = new Map([
  ['patterns', { workloads: ['W6-10', 'W6-30', 'W6-100', 'W6-300', 'W6-1000'], stream: 'u5k/40000/2000' }],
  ['watched', { workloads: ['watched-10', 'watched-30', 'watched-100', 'watched-300', 'watched-1000'] }],
  ['steps', { workloads: ['steps-3', 'steps-6', 'steps-12', 'steps-24'] }],
  ['windows', { workloads: ['windows-10m', 'windows-20m', 'windows-30m', 'windows-40m'] }],
]);

/** Measurements that are no throughput. */
const SPECIAL: ReadonlyMap<string, (options: BenchOptions) => Job> = new Map([
  [
    'keys',
    ({ events }: BenchOptions): Job => ({
      kind: 'keys',
      workload: 'keys',
      keys: Math.min(KEYS, events ?? KEYS),
      updates: 2 * Math.min(KEYS, events ?? KEYS),
    }),
  ],
  ['reload', ({ passes }: BenchOptions): Job => ({ kind: 'reload', workload: 'reload', patterns: RULES, passes })],
]);

/** Names that stand for several workloads. */
const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['W6', ['W6-100', 'W6-1000']],
  ['standard', STANDARD],
]);

/** Everything that `--workload` takes, for messages. */
export const NAMES: readonly string[] = [...WORKLOAD_NAMES, ...GROUPS.keys(), ...SWEEPS.keys(), ...SPECIAL.keys()];

/** The jobs that answer the options, in order. Throws `BenchError` for a workload or stream that is not known. */
export function planJobs(options: BenchOptions): readonly PlannedJob[] {
  const names = options.workloads.length === 0 ? STANDARD : options.workloads;
  return names.flatMap((name) => GROUPS.get(name) ?? [name]).flatMap((name) => jobsOf(name, options));
}

function jobsOf(name: string, options: BenchOptions): readonly PlannedJob[] {
  const special = SPECIAL.get(name);
  if (special !== undefined) return [{ job: special(options), sweep: null }];
  const sweep = SWEEPS.get(name);
  if (sweep === undefined) return throughputJobs(known(name), options, options.modes, null);
  return sweep.workloads.flatMap((workload) => {
    const stream = options.stream ?? sweep.stream;
    return throughputJobs(workload, { ...options, ...(stream === undefined ? {} : { stream }) }, ['in-order'], name);
  });
}

/** The name, if there is such a workload. */
function known(name: string): string {
  try {
    return workloadOf(name).name;
  } catch (error) {
    throw new BenchError('UNKNOWN_WORKLOAD', `There is no workload ${name}. Workloads are ${NAMES.join(', ')}.`, {
      cause: error,
    });
  }
}

function throughputJobs(
  workload: string,
  options: BenchOptions,
  modes: readonly Mode[],
  sweep: string | null,
): readonly PlannedJob[] {
  const { warmup, passes, secondsMin } = options;
  const streams = options.stream === undefined ? workloadOf(workload).streams : [options.stream];
  return streams.flatMap((text) => {
    const whole = parseStream(text);
    const stream = options.events === undefined ? whole.name : shortened(whole, options.events).name;
    return modes.map(
      (mode): PlannedJob => ({
        job: { kind: 'throughput', workload, stream, mode, warmup, passes, secondsMin },
        sweep,
      }),
    );
  });
}
