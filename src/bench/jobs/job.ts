import type { BenchErrorCode } from '../bench-error.js';
import { type KeysJob, type KeysResult, runKeys } from './keys.js';
import { type ReloadJob, type ReloadResult, runReload } from './reload.js';
import { runThroughput, type ThroughputJob, type ThroughputResult } from './throughput.js';

/** What is done in a process of its own: its heap and its compiled code have seen nothing else. */
export type Job = ThroughputJob | KeysJob | ReloadJob;

export interface ResultOf {
  readonly throughput: ThroughputResult;
  readonly keys: KeysResult;
  readonly reload: ReloadResult;
}

export type JobResult = ResultOf[Job['kind']];

/** What a worker says, in order: any number of `progress`, then one of the others. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'result'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly code: BenchErrorCode | null; readonly message: string };

/** Does a job in this process. */
export function runJob(job: Job, tell: (text: string) => void): Promise<JobResult> {
  switch (job.kind) {
    case 'throughput':
      return runThroughput(job, tell);
    case 'keys':
      return runKeys(job, tell);
    case 'reload':
      return runReload(job, tell);
  }
}
