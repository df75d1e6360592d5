/** Where partitions begin and end, and where a time lies in them. One attempt each: callers retry. */
import type { TopicPartition } from '../../../runtime/ports/log.js';
import { partitionName } from '../../../runtime/ports/log.js';
import { apis } from '../client/apis.js';
import type { Cluster } from '../client/cluster.js';
import { KafkaError } from '../client/errors.js';

export const BEGIN = -2n;
/** The end that readers of committed records see (last stable offset), or of all records that are durable. */
export const END = -1n;
export const READ_COMMITTED = 1;
export const READ_UNCOMMITTED = 0;
const CONSUMER = -1;
const ANY_EPOCH = -1;

/** Offsets by partition name; -1 where no record is at or after the time. */
export async function listOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestamp: bigint,
  isolation = READ_COMMITTED,
): Promise<Map<string, number>> {
  const byNode = new Map<number, Map<string, number[]>>();
  for (const tp of partitions) {
    const leader = cluster.leader(tp.topic, tp.partition);
    if (leader === undefined) throw noLeader(cluster, tp);
    const topics = byNode.get(leader) ?? new Map<string, number[]>();
    byNode.set(leader, topics.set(tp.topic, [...(topics.get(tp.topic) ?? []), tp.partition]));
  }
  const answers = await Promise.all(
    [...byNode].map(([node, topics]) =>
      cluster.link.call(
        cluster.broker(node),
        apis.listOffsets,
        CONSUMER,
        isolation,
        [...topics].map(([name, indexes]) => ({
          name,
          partitions: indexes.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: ANY_EPOCH, timestamp })),
        })),
      ),
    ),
  );
  const found = new Map<string, number>();
  for (const { topics } of answers) {
    for (const { name, partitions: list } of topics) {
      for (const p of list) found.set(partitionName({ topic: name, partition: p.partitionIndex }), Number(p.offset));
    }
  }
  return found;
}

/** Unknown topic or partition, or a partition without a leader just now. */
function noLeader(cluster: Cluster, { topic, partition }: TopicPartition): KafkaError {
  const known = cluster.topic(topic);
  if (known === undefined) return new KafkaError('KAFKA_UNKNOWN_TOPIC', `topic ${topic} does not exist`);
  if (partition >= known.leaders.length) {
    return new KafkaError(
      'KAFKA_UNKNOWN_PARTITION',
      `topic ${topic} has ${known.leaders.length} partitions, no number ${partition}`,
    );
  }
  return new KafkaError('KAFKA_UNAVAILABLE', `partition ${topic}-${partition} has no leader now`);
}
