import { parentPort, workerData } from 'node:worker_threads';
import { backtestLane } from '../../../backtest/backtest.js';
import type { DecodeFailure } from '../../../runtime/ports/decoder.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';
import { openOrFail } from '../files.js';
import { checkpointsOf } from './attempt.js';
import { prepare } from './prepare.js';
import type { LaneData, LaneMessage } from './spawn-lane.js';

/** One lane of a back-test in a thread of its own. What there is to say of rules was said when the command read them. */
const { source, lane, keeping } = workerData as LaneData;
const silent: Output = { json: false, say: () => {}, result: () => {}, progress: () => {} };
const tell = (message: LaneMessage): void => parentPort!.postMessage(message);

try {
  const prepared = await prepare(source, silent);
  const { input, close } = prepared;
  try {
    const progress = {
      onProgress: (fraction: number, events: number) => tell({ kind: 'progress', fraction, events }),
      onBadRow: (file: string, row: number, { reason, detail }: DecodeFailure) =>
        tell({ kind: 'badRow', file, row, reason, detail }),
      onResumed: (events: number) => tell({ kind: 'resumed', events }),
    };
    const saved = (): void => tell({ kind: 'saved' });
    const kept = keeping && { checkpoints: await checkpointsOf(keeping, prepared, lane, saved) };
    const now = (): number => performance.now() / 1000;
    const result = await openOrFail(() => backtestLane({ ...input, now, progress, ...kept }, lane));
    tell({ kind: 'result', result });
  } finally {
    await close();
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  tell({ kind: 'failed', message: error.message });
}
