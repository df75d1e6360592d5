import { BenchError } from './bench-error.js';
import { type Job, runJob, type WorkerMessage } from './jobs/job.js';

/** The process that a job runs in: takes one job over IPC, answers, and ends. */
function tell(message: WorkerMessage): void {
  process.send!(message);
}

// Whoever asked is gone, or has the answer.
process.once('disconnect', () => process.exit());
process.once('message', (job: Job) => {
  runJob(job, (text) => tell({ kind: 'progress', text }))
    .then(
      (result) => tell({ kind: 'result', result }),
      (error: Error) =>
        tell({
          kind: 'failed',
          code: error instanceof BenchError ? error.code : null,
          message: error instanceof BenchError ? error.message : (error.stack ?? String(error)),
        }),
    )
    .finally(() => process.disconnect());
});
