import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BacktestProgress } from '../../../backtest/backtest.js';
import type { LaneResult } from '../../../backtest/findings/lane-result.js';
import type { Lane } from '../../../backtest/run/lane.js';
import { DecodeFailure, type DecodeFailureReason } from '../../../runtime/ports/decoder.js';
import { CommandError } from '../../command-error.js';
import type { Keeping } from './attempt.js';
import type { BacktestSource } from './prepare.js';

export interface LaneData {
  readonly source: BacktestSource;
  readonly lane: Lane;
  /** Absent: what is cut short begins anew. */
  readonly keeping?: Keeping;
}

/** What a lane tells while it runs. */
export interface LaneListener extends BacktestProgress {
  /** It has kept what it has come to. */
  onSaved?(): void;
}

export type LaneMessage =
  | { readonly kind: 'progress'; readonly fraction: number; readonly events: number }
  | { readonly kind: 'resumed'; readonly events: number }
  | { readonly kind: 'saved' }
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
export function spawnLane(data: LaneData, listener: LaneListener): Promise<LaneResult> {
  const { promise, resolve, reject } = Promise.withResolvers<LaneResult>();
  // The same kind of file as this one: built, or a source.
  const entry = new URL(`./lane-worker${extname(import.meta.url)}`, import.meta.url);
  const { lane } = data;
  const worker = new Worker(entry, {
    name: `lane ${lane.index}`,
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  worker.on('message', (message: LaneMessage) => {
    if (message.kind === 'result') resolve(message.result);
    else if (message.kind === 'progress') listener.onProgress?.(message.fraction, message.events);
    else if (message.kind === 'resumed') listener.onResumed?.(message.events);
    else if (message.kind === 'saved') listener.onSaved?.();
    else if (message.kind === 'failed') reject(new CommandError(message.message));
    else listener.onBadRow?.(message.file, message.row, new DecodeFailure(message.reason, message.detail));
  });
  worker.on('error', reject);
  worker.on('exit', (code) => reject(new Error(`lane ${lane.index} ended with ${code} before it had a result`)));
  promise.catch(() => {
    // Whoever awaits the result hears of it; until then it must not count as unhandled.
  });
  return promise;
}
