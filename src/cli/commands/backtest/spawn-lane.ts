import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BacktestProgress } from '../../../backtest/backtest.js';
import type { Lane, LaneResult } from '../../../backtest/lanes.js';
import { DecodeFailure, type DecodeFailureReason } from '../../../runtime/ports/decoder.js';
import { CommandError } from '../../command-error.js';
import type { BacktestSource } from './prepare.js';

export interface LaneData {
  readonly source: BacktestSource;
  readonly lane: Lane;
}

export type LaneMessage =
  | { readonly kind: 'progress'; readonly fraction: number; readonly events: number }
  | {
      readonly kind: 'badRow';
      readonly file: string;
      readonly row: number;
      readonly reason: DecodeFailureReason;
      readonly detail: string;
    }
  /** What a person can mend: the thread's errors lose their class on the way. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'result'; readonly result: LaneResult };

/**
 * Events die young, or live as long as a rule's window. So little new space is enough, and much of it only makes memory grow: some
 * hundred megabytes less for each lane, at a tenth more time.
 */
const YOUNG_MB = 24;

/** Runs one lane in a thread. Rejects when the thread fails; nobody need listen before the result is wanted. */
export function spawnLane(source: BacktestSource, lane: Lane, progress: BacktestProgress): Promise<LaneResult> {
  const { promise, resolve, reject } = Promise.withResolvers<LaneResult>();
  // The same kind of file as this one: built, or a source.
  const entry = new URL(`./lane-worker${extname(import.meta.url)}`, import.meta.url);
  const workerData: LaneData = { source, lane };
  const worker = new Worker(entry, {
    name: `lane ${lane.index}`,
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  worker.on('message', (message: LaneMessage) => {
    if (message.kind === 'result') resolve(message.result);
    else if (message.kind === 'progress') progress.onProgress?.(message.fraction, message.events);
    else if (message.kind === 'failed') reject(new CommandError(message.message));
    else progress.onBadRow?.(message.file, message.row, new DecodeFailure(message.reason, message.detail));
  });
  worker.on('error', reject);
  worker.on('exit', (code) => reject(new Error(`lane ${lane.index} ended with ${code} before it had a result`)));
  promise.catch(() => {
    // Whoever awaits the result hears of it; until then it must not count as unhandled.
  });
  return promise;
}
