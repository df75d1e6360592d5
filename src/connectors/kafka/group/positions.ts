/** Where reading begins in partitions that a member was given. One attempt: the caller retries. */
import type { AssignedPartition, GroupOptions, TopicPartition } from '../../../runtime/ports/log.js';
import { partitionName } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';
import { BEGIN, END, listOffsets } from '../read/offsets.js';
import type { Coordinator } from './coordinator.js';
import type { Subscription } from './subscription.js';

export async function startPositions(
  cluster: Cluster,
  coordinator: Coordinator,
  options: GroupOptions,
  subscription: Subscription,
  partitions: readonly TopicPartition[],
): Promise<AssignedPartition[]> {
  const { start } = options;
  await cluster.refresh([...new Set(partitions.map((p) => p.topic))]);
  const [committed, begin, end, atTime] = await Promise.all([
    options.ignoreCommitted ? new Map<string, number>() : coordinator.committed(partitions),
    listOffsets(cluster, partitions, BEGIN),
    listOffsets(cluster, partitions, END),
    start.at === 'timestamp' ? listOffsets(cluster, partitions, BigInt(start.timestamp)) : null,
  ]);
  return partitions.map(({ topic, partition }) => {
    const name = partitionName({ topic, partition });
    const beginOffset = begin.get(name) ?? 0;
    const endOffset = end.get(name) ?? beginOffset;
    const found = atTime?.get(name) ?? -1;
    const latest = start.at === 'latest' && !subscription.isNew(topic, partition);
    const byStart = start.at === 'timestamp' ? (found < 0 ? endOffset : found) : latest ? endOffset : beginOffset;
    const known = committed.get(name) ?? null;
    return { topic, partition, committed: known, position: known ?? byStart, beginOffset, endOffset };
  });
}
