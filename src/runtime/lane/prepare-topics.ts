import { JOURNAL_RETENTION_MS } from '../journal/journal.js';
import type { TopicSpec } from '../ports/log.js';
import type { OutputTopics } from './commit/lane-output.js';
import type { LaneOptions } from './options.js';
import type { Routing } from './routing.js';

/** Where alerts of shadow rules go. */
function shadowTopic({ alerts, shadowAlerts }: LaneOptions): TopicSpec {
  return shadowAlerts ?? { ...alerts, name: `${alerts.name}-shadow` };
}

/** Where near misses go. */
const nearMissTopic = ({ nearMisses }: LaneOptions): TopicSpec => nearMisses ?? { name: 'near-misses', partitions: 1 };

/** Names of the topics of all that a lane gives out. */
export const outputTopics = (options: LaneOptions): OutputTopics => ({
  alerts: options.alerts.name,
  shadow: shadowTopic(options).name,
  nearMisses: nearMissTopic(options).name,
  deadLetters: options.deadLetters.name,
  late: options.late.name,
});

/** Makes the topics that are not there yet. Throws, and says what to do, where those that are do not fit the settings. */
export async function prepareTopics(options: LaneOptions, routing: Routing): Promise<void> {
  const { log, source, alerts, deadLetters, late, journal, others = [] } = options;
  const kept = { ...journal, retentionMs: JOURNAL_RETENTION_MS };
  const sources = [source, ...others.map((other) => other.source)];
  const made = [...sources, alerts, shadowTopic(options), nearMissTopic(options), deadLetters, late, kept];
  for (const topic of made) if (topic !== null) await log.createTopic(topic);
  for (const { topic } of routing.routes) await log.createTopic(topic);
  routing.know(await log.topics());
  for (const topic of sources) if (topic !== null) checkSource(topic, options, routing);
}

/** The source may not have the partitions that the settings name, which matters where keys are others than its own. */
function checkSource(source: TopicSpec, { report }: LaneOptions, routing: Routing): void {
  const there = routing.partitionsOf(source);
  if (there === source.partitions) return;
  const advice = `topic ${source.name} has ${there} partitions, and the settings say ${source.partitions}: set streams.*.partitions to ${there}`;
  if (source.partitions === 1 && routing.current.needsOnePartition)
    throw new Error(`${advice}, so that patterns with another key see all of their events`);
  report(advice);
}
