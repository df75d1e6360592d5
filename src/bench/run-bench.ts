import type { Job, ResultOf } from './jobs/job.js';
import type { KeysResult } from './jobs/keys.js';
import type { ReloadResult } from './jobs/reload.js';
import type { ThroughputJob, ThroughputResult } from './jobs/throughput.js';
import type { ComparedPeer, PeerFailure, PeerRunner } from './peers.js';
import type { PlannedJob } from './plan.js';

export interface ThroughputEntry extends ThroughputResult {
  readonly kind: 'throughput';
  /** The sweep it is a point of; `null`: none. */
  readonly sweep: string | null;
  /** Rate to that of the sweep's first point; `null`: no sweep. */
  readonly relative: number | null;
  /** In the order asked for; `null`: peers are not built. */
  readonly peers: readonly (ComparedPeer | PeerFailure)[] | null;
}

/** A job that could not be done. */
export interface FailedEntry {
  readonly kind: 'failed';
  readonly workload: string;
  readonly error: string;
  readonly job: Job;
}

export type KeysEntry = KeysResult & { readonly kind: 'keys' };
export type ReloadEntry = ReloadResult & { readonly kind: 'reload' };
export type BenchEntry = ThroughputEntry | KeysEntry | ReloadEntry | FailedEntry;

export interface BenchDeps {
  /** Does a job in a process of its own. */
  run<K extends Job['kind']>(job: Job & { readonly kind: K }, tell: (text: string) => void): Promise<ResultOf[K]>;
  /** `null`: peers are not built. */
  readonly peers: PeerRunner | null;
  /** What is going on now, in one line. */
  progress(text: string): void;
  /** Called as soon as each entry is there. */
  onEntry?(entry: BenchEntry): void;
}

/** Does the jobs one after the other, the peers of each right after it. A job that fails is an entry; the others go on. */
export async function runBench(jobs: readonly PlannedJob[], deps: BenchDeps): Promise<readonly BenchEntry[]> {
  const entries: BenchEntry[] = [];
  /** Rate of the first point of each sweep. */
  const first = new Map<string, number>();
  for (const [i, planned] of jobs.entries()) {
    const { job, sweep } = planned;
    const tell = (text: string): void => deps.progress(`${i + 1}/${jobs.length} ${nameOf(job)}: ${text}`);
    let entry: BenchEntry;
    try {
      entry = await entryOf(job, sweep, first, deps, tell);
    } catch (error) {
      entry = { kind: 'failed', workload: job.workload, error: (error as Error).message, job };
    }
    entries.push(entry);
    deps.onEntry?.(entry);
  }
  return entries;
}

/** Whether everything could be measured, and every count is right. */
export const isSound = (entry: BenchEntry): boolean => entry.kind !== 'failed' && entry.countsAgree;

async function entryOf(
  job: Job,
  sweep: string | null,
  first: Map<string, number>,
  deps: BenchDeps,
  tell: (text: string) => void,
): Promise<BenchEntry> {
  switch (job.kind) {
    case 'throughput':
      return throughputEntry(job, sweep, first, deps, tell);
    case 'keys':
      return { kind: 'keys', ...(await deps.run(job, tell)) };
    case 'reload':
      return { kind: 'reload', ...(await deps.run(job, tell)) };
  }
}

async function throughputEntry(
  job: ThroughputJob,
  sweep: string | null,
  first: Map<string, number>,
  deps: BenchDeps,
  tell: (text: string) => void,
): Promise<ThroughputEntry> {
  const result = await deps.run(job, tell);
  if (sweep !== null && !first.has(sweep)) first.set(sweep, result.eventsPerSecond);
  const found = sweep === null ? await deps.peers?.run(job.workload, job.stream, job.mode, tell) : [];
  return {
    kind: 'throughput',
    ...result,
    sweep,
    relative: sweep === null ? null : result.eventsPerSecond / first.get(sweep)!,
    peers:
      found?.map((peer) =>
        'error' in peer ? peer : { ...peer, ratio: result.eventsPerSecond / peer.eventsPerSecond },
      ) ?? null,
  };
}

/** What a job is called in messages. */
export function nameOf(job: Job | ThroughputEntry): string {
  return job.kind === 'throughput' ? `${job.workload} on ${job.stream}, ${job.mode}` : job.workload;
}
