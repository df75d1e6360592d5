import { fork } from 'node:child_process';
import { once } from 'node:events';
import { BenchError } from './bench-error.js';
import type { Job, ResultOf, WorkerMessage } from './jobs/job.js';

/** Two million events, a rule set and a million keys as objects fit. */
const HEAP_MEGABYTES = 12_288;

/** Runs a job in a fresh process. Throws `BenchError` `WORKER_FAILED`, or what the job threw if that was one. */
export async function runInProcess<K extends Job['kind']>(
  job: Job & { readonly kind: K },
  tell: (text: string) => void,
): Promise<ResultOf[K]> {
  const child = fork(new URL('./worker.js', import.meta.url), {
    execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`],
    // Standard output is for the result of the command.
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  let answer: Exclude<WorkerMessage, { kind: 'progress' }> | null = null;
  child.on('message', (message: WorkerMessage) => {
    if (message.kind === 'progress') tell(message.text);
    else answer = message;
  });
  child.send(job);
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  const last = answer as Exclude<WorkerMessage, { kind: 'progress' }> | null;
  if (last?.kind === 'result') return last.result as ResultOf[K];
  if (last?.kind === 'failed') throw new BenchError(last.code ?? 'WORKER_FAILED', last.message);
  throw new BenchError('WORKER_FAILED', `The process of the benchmark ended with ${status ?? signal}.`);
}
