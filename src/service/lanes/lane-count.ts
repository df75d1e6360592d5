import { availableParallelism } from 'node:os';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import type { Log } from '../../runtime/ports/log.js';
import type { Settings } from '../../runtime/settings/index.js';
import { topicStreams } from '../compose/streams/topic-streams.js';

/** Whether detection runs in the main thread: the embedded log belongs to its process, and is read where it is. */
export function inMainThread({ lanes, kafka }: Settings): boolean {
  return lanes === 0 || kafka.brokers === undefined;
}

/**
 * How many lanes to start. A number is taken as it stands: lanes beyond the partitions wait to take over. `auto`: one for each
 * core, at most one for each partition there is now (or, of a topic that is not there yet, will be made).
 */
export async function laneCount(settings: Settings, log: Pick<Log, 'topics'>, cores = availableParallelism()) {
  if (settings.lanes !== 'auto') return settings.lanes;
  const streams = topicStreams(settings);
  const filters = streams.map(({ topics }) => topicFilter(topics!));
  const found = (await log.topics()).filter(({ name }) => filters.some((isRead) => isRead(name)));
  const total = found.reduce((sum, topic) => sum + topic.partitions, 0);
  // Of topics that are found by a regular expression, there may be none yet and many later.
  const areNamed = streams.every(({ topics }) => 'names' in topics!);
  const expected = areNamed ? streams.reduce((sum, { partitions }) => sum + partitions, 0) : cores;
  return Math.max(1, Math.min(cores, total === 0 ? expected : total));
}
