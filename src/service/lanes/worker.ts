import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../connectors/system-clock.js';
import type { LaneData } from './messages.js';
import { runLane } from './run-lane.js';

/** What a lane's thread runs; started by `spawnLane`. */
if (parentPort === null) throw new Error('this runs in a thread of the service');
runLane(workerData as LaneData, parentPort, systemClock);
