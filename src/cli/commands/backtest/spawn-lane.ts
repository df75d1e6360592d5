import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Lane, LaneResult } from '../../../backtest/lanes.js';
import type { BacktestSource } from './prepare.js';

export interface LaneData {
  readonly source: BacktestSource;
  readonly lane: Lane;
}

/** Runs one lane in a thread. Rejects when the thread fails; nobody need listen before the result is wanted. */
export function spawnLane(source: BacktestSource, lane: Lane): Promise<LaneResult> {
  const { promise, resolve, reject } = Promise.withResolvers<LaneResult>();
  // The same kind of file as this one: built, or a source.
  const entry = new URL(`./lane-worker${extname(import.meta.url)}`, import.meta.url);
  const workerData: LaneData = { source: plain(source), lane };
  const worker = new Worker(entry, { name: `lane ${lane.index}`, workerData });
  worker.on('message', (result: LaneResult) => resolve(result));
  worker.on('error', reject);
  worker.on('exit', (code) => reject(new Error(`lane ${lane.index} ended with ${code} before it had a result`)));
  promise.catch(() => {
    // Whoever awaits the result hears of it; until then it must not count as unhandled.
  });
  return promise;
}

/** What can be sent: the options of a command hold more than those of a lane. */
const plain = (source: BacktestSource): BacktestSource => JSON.parse(JSON.stringify(source)) as BacktestSource;
