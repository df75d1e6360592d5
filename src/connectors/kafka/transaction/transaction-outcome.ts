/**
 * Whether a transaction was committed whose coordinator cannot be asked any more: it was told to commit, the answer was lost, and
 * since then the producer has been fenced. Records and offsets share one fate, so either tells.
 */
import type { OffsetCommit } from '../../../runtime/ports/log.js';
import { partitionName } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';
import { KafkaError } from '../client/errors.js';
import type { Link } from '../client/link.js';
import { Coordinator } from '../group/coordinator.js';
import { Cursor } from '../read/cursor.js';
import { fetchFrom } from '../read/fetch.js';
import type { Written } from './transaction-writer.js';

const NO_WAIT_MS = 0;

/**
 * One attempt: throws what may pass (`KAFKA_UNAVAILABLE`) while the transaction is still being ended; the broker ends it by timeout at
 * the latest.
 *
 * @throws KafkaError `KAFKA_REJECTED` when nothing is left that could tell
 */
export async function wasCommitted(
  cluster: Cluster,
  link: Link,
  producerId: bigint,
  written: readonly Written[],
  groupId: string,
  offsets: readonly OffsetCommit[],
): Promise<boolean> {
  for (const one of written) {
    if (one.firstOffset < 0) continue;
    const fate = await fateInLog(cluster, link, producerId, one);
    if (fate !== null) return fate === 'committed';
  }
  return committedByOffsets(cluster, groupId, offsets);
}

/** By the broker's list of aborted transactions. `null`: retention has deleted the records. */
async function fateInLog(
  cluster: Cluster,
  link: Link,
  producerId: bigint,
  { topic, partition, firstOffset }: Written,
): Promise<'committed' | 'aborted' | null> {
  await cluster.refresh([topic]);
  const name = partitionName({ topic, partition });
  const leader = cluster.leader(topic, partition);
  if (leader === undefined) throw new KafkaError('KAFKA_UNAVAILABLE', `${name} has no leader now`);
  const cursor = new Cursor({ topic, partition }, firstOffset);
  const [answer] = await fetchFrom(cluster, link, cluster.broker(leader), [{ cursor }], NO_WAIT_MS);
  if (answer?.error === 'OFFSET_OUT_OF_RANGE') return null;
  if (answer === undefined || answer.error !== null) {
    throw new KafkaError('KAFKA_UNAVAILABLE', `${name}: ${answer?.error ?? 'no answer'}`);
  }
  const { lastStableOffset, abortedTransactions } = answer.response;
  if (lastStableOffset <= firstOffset) throw new KafkaError('KAFKA_UNAVAILABLE', `${name}: not ended yet`);
  const first = BigInt(firstOffset);
  const aborted = (abortedTransactions ?? []).some((t) => t.producerId === producerId && t.firstOffset === first);
  return aborted ? 'aborted' : 'committed';
}

async function committedByOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetCommit[],
): Promise<boolean> {
  const coordinator = new Coordinator(cluster, groupId);
  try {
    const found = await coordinator.committed(offsets);
    const ahead = offsets.map((o) => (found.get(partitionName(o)) ?? -1) - o.offset);
    if (ahead.length > 0 && ahead.every((by) => by === 0)) return true;
    if (ahead.some((by) => by < 0)) return false;
  } finally {
    await coordinator.close();
  }
  throw new KafkaError('KAFKA_REJECTED', 'the outcome of a transaction cannot be known: its records are gone');
}
