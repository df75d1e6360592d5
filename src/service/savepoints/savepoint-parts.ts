import { join } from 'node:path';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import type { Log, TopicPartition } from '../../runtime/ports/log.js';
import type { TakenSavepoint, TakeOptions } from '../../runtime/savepoint/take.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { RuleSets } from '../compose/rules/rule-set.js';
import type { StreamFacts } from '../compose/streams/stream-parts.js';
import { packageVersion } from '../version.js';

/** What a savepoint of a service is taken of. */
export interface SavepointParts {
  readonly settings: Settings;
  readonly log: Log;
  /** In the order of the settings. */
  readonly streams: readonly [StreamFacts, ...StreamFacts[]];
  readonly ruleSets: RuleSets;
}

/** All partitions that the group reads: of the streams' topics, and of those that events are forwarded to. */
export async function partitionsRead({ log, streams, ruleSets }: SavepointParts): Promise<TopicPartition[]> {
  const filters = streams.map(({ settings }) => topicFilter(settings.topics!));
  const routes = new Set(ruleSets.routes.map(({ topic }) => topic.name));
  const topics = (await log.topics()).filter(({ name }) => filters.some((isRead) => isRead(name)) || routes.has(name));
  return topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
}

/** What taking a savepoint takes from the settings. */
export function takeOptions({
  settings,
  log,
  streams: [{ definition }],
  ruleSets,
}: SavepointParts): Pick<TakeOptions, 'log' | 'group' | 'stream' | 'journalTopic' | 'ruleSets' | 'release'> {
  return {
    log,
    group: settings.kafka.groupId,
    stream: { name: definition.name, keyField: definition.keyField },
    journalTopic: settings.journal.topic,
    ruleSets: [ruleSets.source, ...ruleSets.others.values(), ...ruleSets.routes.map(({ ruleSet }) => ruleSet)],
    release: packageVersion(),
  };
}

export const savepointFolder = ({ data }: Settings): string => join(data.directory, 'savepoints');

/** `2026-01-31T10-00-00-000Z.savepoint`: names are in order of time, and hold in every file system. */
export const savepointName = (nowMs: number): string =>
  `${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}.savepoint`;

/** What is told of a savepoint, over HTTP and by the command. */
export interface SavepointSummary {
  readonly path: string;
  readonly bytes: number;
  readonly createdAt: string;
  readonly keys: number;
  readonly partitions: readonly SavepointPartitionSummary[];
}

export interface SavepointPartitionSummary extends TopicPartition {
  readonly position: number;
  readonly committed: number;
  readonly watermark: number | null;
  readonly keys: number;
}

export function summaryOf({ path, bytes, header, totals }: TakenSavepoint): SavepointSummary {
  return {
    ...{ path, bytes, createdAt: header.createdAt },
    keys: totals.keys.reduce((sum, keys) => sum + keys, 0),
    partitions: header.partitions.map(({ topic, partition, position, committed, watermark }, index) => ({
      ...{ topic, partition, position, committed, watermark },
      keys: totals.keys[index]!,
    })),
  };
}
