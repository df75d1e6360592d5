import { extname } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { FromLane, LaneData, ToLane } from './messages.js';

/** A lane's thread as the main thread sees it. */
export interface LaneHandle {
  postMessage(message: ToLane): void;
  on(event: 'message', listener: (message: FromLane) => void): unknown;
  /** Something was thrown that nobody caught, or memory ran out; `exit` follows. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** The thread is gone, for whatever reason. */
  on(event: 'exit', listener: (code: number) => void): unknown;
  /** Ends the thread wherever it is. */
  terminate(): Promise<unknown>;
}

export type SpawnLane = (data: LaneData) => LaneHandle;

/**
 * What a lane makes of a record is gone with it, or stays as long as a rule's window. So little new space is enough: more makes memory
 * grow by some hundred megabytes a lane, and nothing faster.
 */
const YOUNG_MB = 24;

/** Starts a lane's thread. `options`: for the thread's own flags. */
export function spawnLane(data: LaneData, options: Pick<WorkerOptions, 'execArgv'> = {}): LaneHandle {
  // The same kind of file as this one: built, or a source.
  const entry = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
  return new Worker(entry, {
    ...options,
    name: `lane ${data.number}`,
    workerData: data,
    transferList: [data.statePort],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
}
