/** Reads one partition outside any group. */

import { pause } from '../../../runtime/backoff.js';
import type { ReadOptions, RecordBatch, TopicPartition } from '../../../runtime/ports/log.js';
import { partitionName } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';
import { asKafkaError, isPassing, KafkaError } from '../client/errors.js';
import { Link } from '../client/link.js';
import { kafkaBackoff } from '../client/timing.js';
import { Cursor } from './cursor.js';
import { fetchFrom } from './fetch.js';
import { BEGIN, END, listOffsets, READ_UNCOMMITTED } from './offsets.js';

/**
 * Batches from `from` on. Where no `to` is given, transactions that are under way at the end are waited for: what was committed before
 * the call is among what is read, also where the broker has not told this partition yet. Brokers that are away are waited for until `signal` aborts. Throws `KAFKA_RECORDS_GONE` when retention
 * has deleted records at `from`.
 */
export async function* readPartition(
  cluster: Cluster,
  of: TopicPartition,
  from: number,
  options: ReadOptions,
): AsyncGenerator<RecordBatch> {
  const signal = options.signal ?? new AbortController().signal;
  const link = new Link(cluster.settings, cluster.settings.fetchMaxWaitMs);
  const cursor = new Cursor(of, from);
  try {
    const to = await bound(cluster, of, from, options, signal);
    while (to !== null && cursor.position < to && !signal.aborted) {
      const batch = await patiently(cluster, of, signal, () => next(cluster, link, cursor));
      if (batch === null) return;
      if (batch !== undefined) yield cut(batch, to);
    }
  } finally {
    await link.close();
  }
}

/** Where to stop; checks that `from` is still there. `null`: aborted. */
async function bound(
  cluster: Cluster,
  of: TopicPartition,
  from: number,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<number | null> {
  const ends = await patiently(cluster, of, signal, async () => {
    await cluster.refresh([of.topic]);
    const begin = await listOffsets(cluster, [of], BEGIN);
    return {
      begin: begin.get(partitionName(of)) ?? 0,
      end: (await listOffsets(cluster, [of], END, READ_UNCOMMITTED)).get(partitionName(of)),
    };
  });
  if (ends === null) return null;
  if (from < ends.begin) throw gone(of, from, ends.begin);
  return options.to ?? (options.follow ? Number.POSITIVE_INFINITY : (ends.end ?? from));
}

async function next(cluster: Cluster, link: Link, cursor: Cursor): Promise<RecordBatch | undefined> {
  const { topic, partition } = cursor.of;
  const leader = cluster.leader(topic, partition);
  if (leader === undefined) throw new KafkaError('KAFKA_UNAVAILABLE', `${partitionName(cursor.of)} has no leader now`);
  const wait = cluster.settings.fetchMaxWaitMs;
  const [answer] = await fetchFrom(cluster, link, cluster.broker(leader), [{ cursor }], wait);
  if (answer === undefined) throw new KafkaError('KAFKA_UNAVAILABLE', `no answer for ${partitionName(cursor.of)}`);
  if (answer.error === null) return cursor.accept(answer.response);
  if (answer.error.endsWith('AUTHORIZATION_FAILED')) throw new KafkaError('KAFKA_NOT_AUTHORIZED', answer.error);
  if (answer.error === 'OFFSET_OUT_OF_RANGE') {
    const begin = (await listOffsets(cluster, [cursor.of], BEGIN)).get(partitionName(cursor.of)) ?? 0;
    if (cursor.position < begin) throw gone(cursor.of, cursor.position, begin);
  }
  throw new KafkaError('KAFKA_UNAVAILABLE', `${partitionName(cursor.of)}: ${answer.error}`);
}

function gone(of: TopicPartition, from: number, begin: number): KafkaError {
  return new KafkaError(
    'KAFKA_RECORDS_GONE',
    `${partitionName(of)}: ${from} was deleted, the first offset left is ${begin}`,
  );
}

/** Tries until it works; `null` when the signal aborted. */
async function patiently<R>(
  cluster: Cluster,
  of: TopicPartition,
  signal: AbortSignal,
  attempt: () => Promise<R>,
): Promise<R | null> {
  const backoff = kafkaBackoff();
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || cluster.link.closed) throw asKafkaError(error, 'reading');
      await pause(cluster.settings.clock, backoff.next(), signal);
      // The next attempt meets the same trouble, and tells it.
      await cluster.refresh([of.topic]).catch(() => {});
    }
  }
  return null;
}

function cut(batch: RecordBatch, to: number): RecordBatch {
  if (batch.nextOffset <= to) return batch;
  return { ...batch, records: batch.records.filter((r) => r.offset < to), nextOffset: to };
}
