import { parentPort, workerData } from 'node:worker_threads';
import { backtestLane } from '../../../backtest/backtest.js';
import type { Output } from '../../output.js';
import { prepare } from './prepare.js';
import type { LaneData } from './spawn-lane.js';

/** One lane of a back-test in a thread of its own. What the first lane says of rules and rows is not said again. */
const { source, lane } = workerData as LaneData;
const silent: Output = { json: false, say: () => {}, result: () => {}, progress: () => {} };
const { input, close } = await prepare(source, silent);
try {
  const result = await backtestLane({ ...input, now: () => performance.now() / 1000 }, lane);
  parentPort!.postMessage(result);
} finally {
  await close();
}
