import type { BenchErrorCode } from '../bench-error.js';
import { runThroughput, type ThroughputJob, type ThroughputResult } from './throughput.js';

/** What is done in a process of its own: its heap and its compiled code have seen nothing else. */
export type Job = ThroughputJob;

export type JobResult<J extends Job = Job> = J extends ThroughputJob ? ThroughputResult : never;

/** What a worker says, in order: any number of `progress`, then one of the others. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'result'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly code: BenchErrorCode | null; readonly message: string };

export function runJob(job: Job, tell: (text: string) => void): Promise<JobResult> {
  return runThroughput(job, tell);
}
