import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../../../runtime/settings/index.js';
import type { BacktestRunner, JobSummary } from '../../../service/backtests/backtest-job.js';
import type { JobMessage, JobOrder } from './job-process.js';

const STDERR_CHARS_MAX = 2_000;
/** It has nothing to tidy up, but for what a lane may be in the middle of. */
const KILL_MS = 2_000;

/** Back-tests of a service, each in a process of its own with its own heap. */
export function jobRunner(settings: Settings): BacktestRunner {
  // The same kind of file as this one: built, or a source.
  const entry = fileURLToPath(new URL(`./job-process${extname(import.meta.url)}`, import.meta.url));
  const heapMb = Math.max(64, Math.floor(settings.backtests.memory / 2 ** 20));
  return {
    start(request, folder, listener) {
      const child = fork(entry, [], {
        execArgv: [...process.execArgv, `--max-old-space-size=${heapMb}`, '--max-semi-space-size=8'],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      const { promise: ended, resolve, reject } = Promise.withResolvers<JobSummary>();
      let said = '';
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-STDERR_CHARS_MAX);
      });
      child.on('message', (message: JobMessage) => {
        if (message.kind === 'progress') listener.onProgress(message.fraction, message.events);
        else if (message.kind === 'resumed') listener.onResumed(message.events);
        else if (message.kind === 'saved') listener.onSaved();
        else if (message.kind === 'done') resolve(message.summary);
        else reject(new Error(message.message));
      });
      child.on('error', reject);
      // After the last message, which `exit` may come before.
      child.on('close', (code, signal) => {
        const isMemory = /heap out of memory|ERR_WORKER_OUT_OF_MEMORY/.test(said);
        const why = isMemory
          ? `it needs more memory than backtests.memory allows (${heapMb} MiB a thread)`
          : said.trim();
        reject(new Error(`the process of the back-test ended (${signal ?? code})${why === '' ? '' : `: ${why}`}`));
      });
      child.send({ settings, request, folder } satisfies JobOrder, () => undefined);
      return {
        ended,
        stop: () => {
          child.kill('SIGTERM');
          const timer = setTimeout(() => child.kill('SIGKILL'), KILL_MS);
          child.once('exit', () => clearTimeout(timer));
        },
      };
    },
  };
}
