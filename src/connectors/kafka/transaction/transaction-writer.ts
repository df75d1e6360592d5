/**
 * Writes the records of transactions.
 *
 * 1. A partition's batches are sent one after the other, so its records keep their order. Partitions and brokers go side by side.
 * 2. A batch keeps its sequence numbers however often it is sent, so the broker writes it once. The numbers go on from one transaction
 *    to the next, and begin anew with a new epoch.
 * 3. No batch is larger than `batchMaxBytes` (or less, where a topic said so), no request than 8 MiB, except for a single record.
 */

import { pause } from '../../../runtime/backoff.js';
import type { OutgoingRecord, TopicPartition } from '../../../runtime/ports/log.js';
import { partitionName, TransactionAbortedError } from '../../../runtime/ports/log.js';
import { apis } from '../client/apis.js';
import type { Cluster } from '../client/cluster.js';
import { asKafkaError, isPassing, KafkaError, passes, TRANSACTION_OVER } from '../client/errors.js';
import { Link } from '../client/link.js';
import type { TransactionIdentity } from '../client/producer-identity.js';
import { kafkaBackoff } from '../client/timing.js';
import { type Choice, choose } from '../produce/placement.js';
import { type Produced, produce } from '../produce/produce.js';
import { type EncodableRecord, encodeBatch, recordBytesMax } from '../produce/record-batch.js';

const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
const SEQUENCE_END = 2 ** 31;
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

/** Records of one partition in one transaction. */
export interface Share extends TopicPartition {
  readonly records: EncodableRecord[];
}

/** Where a partition's records of the transaction begin; -1 where the broker did not say. */
export interface Written extends TopicPartition {
  readonly firstOffset: number;
}

/** How far the records of one partition are written. */
interface Progress {
  readonly share: Share;
  readonly name: string;
  /** Records written. */
  done: number;
  /** The batch to send next, encoded once. */
  batch: { readonly bytes: Buffer; readonly count: number } | null;
  firstOffset: number;
}

export class TransactionWriter {
  readonly #link: Link;
  readonly #choices = new Map<string, Choice>();
  readonly #sequences = new Map<string, number>();
  /** Most bytes of a batch, by name of a partition whose broker takes less than the settings say. */
  readonly #limits = new Map<string, number>();
  #epoch: TransactionIdentity | null = null;

  constructor(
    private readonly cluster: Cluster,
    /** Told what is being tried again. */
    private readonly trouble: (error: KafkaError) => void,
  ) {
    this.#link = new Link(cluster.settings);
  }

  /**
   * Finds each record's partition; nothing is sent.
   *
   * @throws KafkaError `KAFKA_UNKNOWN_TOPIC`, `KAFKA_UNKNOWN_PARTITION`
   */
  async place(records: readonly OutgoingRecord[], signal: AbortSignal): Promise<Share[]> {
    const topics = new Map<string, (Share | undefined)[]>();
    const shares: Share[] = [];
    const now = this.cluster.settings.clock.now();
    for (const record of records) {
      const { topic, key, value, headers, timestamp = now } = record;
      let byPartition = topics.get(topic);
      if (byPartition === undefined) {
        byPartition = [];
        topics.set(topic, byPartition);
        this.#choice(topic).partitions = this.cluster.topic(topic)?.leaders.length ?? null;
      }
      const partition = choose(record, this.#choice(topic)) ?? (await this.#chooseAnew(record, signal));
      let share = byPartition[partition];
      if (share === undefined) {
        share = { topic, partition, records: [] };
        byPartition[partition] = share;
        shares.push(share);
      }
      share.records.push({ key, value, headers, timestamp });
    }
    return shares;
  }

  /**
   * Resolves when all are on all in-sync replicas. `signal` ends the attempts; what is under way is waited for.
   *
   * @throws TransactionAbortedError The brokers have ended the transaction.
   * @throws KafkaError They will never take a record.
   */
  async write(identity: TransactionIdentity, shares: readonly Share[], signal: AbortSignal): Promise<Written[]> {
    if (this.#epoch !== identity) this.#sequences.clear();
    this.#epoch = identity;
    const all = shares.map((share): Progress => {
      return { share, name: partitionName(share), done: 0, batch: null, firstOffset: -1 };
    });
    const backoff = kafkaBackoff();
    for (;;) {
      const open = all.filter(({ share, done }) => done < share.records.length);
      if (open.length === 0)
        return all.map(({ share: { topic, partition }, firstOffset }) => ({ topic, partition, firstOffset }));
      signal.throwIfAborted();
      const again = await this.#round(identity, open);
      if (again.length === 0) {
        backoff.reset();
        continue;
      }
      await pause(this.cluster.settings.clock, backoff.next(), signal);
      const topics = [...new Set(again.map(({ share }) => share.topic))];
      await this.cluster.refresh(topics).catch((error: unknown) => this.#mayPass(error));
    }
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #choice(topic: string): Choice {
    let choice = this.#choices.get(topic);
    if (choice === undefined) {
      choice = { partitions: null, roundRobin: 0 };
      this.#choices.set(topic, choice);
    }
    return choice;
  }

  /** The topic, or the partition, is not known yet: asks, for as long as a topic may be missing. */
  async #chooseAnew(record: OutgoingRecord, signal: AbortSignal): Promise<number> {
    const { clock, unknownTopicMs } = this.cluster.settings;
    const { topic } = record;
    const choice = this.#choice(topic);
    const backoff = kafkaBackoff();
    let missingSince: number | null = null;
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.cluster.refresh([topic]);
        choice.partitions = this.cluster.topic(topic)?.leaders.length ?? null;
        const partition = choose(record, choice);
        if (partition !== null) return partition;
        if (choice.partitions !== null) {
          throw new KafkaError('KAFKA_UNKNOWN_PARTITION', `${topic} has no partition ${record.partition}`);
        }
        missingSince ??= clock.now();
        if (clock.now() - missingSince >= unknownTopicMs) {
          throw new KafkaError('KAFKA_UNKNOWN_TOPIC', `topic ${topic} does not exist`);
        }
      } catch (error) {
        this.#mayPass(error);
      }
      await pause(clock, backoff.next(), signal);
    }
  }

  /** Sends each partition's next batch, one request a broker. Answers with those that have to be sent again. */
  async #round(identity: TransactionIdentity, open: readonly Progress[]): Promise<Progress[]> {
    const again: Progress[] = [];
    const byNode = new Map<number, { bytes: number; list: Progress[] }>();
    for (const one of open) {
      const node = this.cluster.leader(one.share.topic, one.share.partition);
      if (node === undefined) {
        again.push(one);
        continue;
      }
      const to = byNode.get(node) ?? { bytes: 0, list: [] };
      byNode.set(node, to);
      if (to.bytes >= REQUEST_BYTES_MAX) continue;
      one.batch ??= this.#cut(identity, one);
      to.bytes += one.batch.bytes.length;
      to.list.push(one);
    }
    // All have settled before a failure is thrown: nothing of this transaction is under way any more.
    const asked = [...byNode].map(([node, { list }]) => this.#request(identity.transactionalId, node, list));
    for (const outcome of await Promise.allSettled(asked)) {
      if (outcome.status === 'rejected') throw outcome.reason;
      again.push(...outcome.value);
    }
    return again;
  }

  async #request(transactionalId: string, node: number, list: readonly Progress[]): Promise<Progress[]> {
    const batches = list.flatMap(({ share: { topic, partition }, batch }) =>
      batch === null ? [] : [{ topic, partition, bytes: batch.bytes }],
    );
    let results: Map<string, Produced>;
    try {
      const connection = await this.#link.connection(this.cluster.broker(node));
      const api = await this.#link.choose(connection, apis.produce);
      results = await produce(connection, api, batches, this.cluster.settings.requestTimeoutMs, transactionalId);
    } catch (error) {
      this.#mayPass(error);
      return [...list];
    }
    return list.filter((one) => !this.#settle(one, results.get(one.name)));
  }

  /** False: the same batch has to be sent again, perhaps to another broker. */
  #settle(one: Progress, answer: Produced | undefined): boolean {
    const { batch } = one;
    if (batch === null) return true;
    if (answer === undefined) return false;
    const { result, baseOffset } = answer;
    if (result === 'NONE' || result === 'DUPLICATE_SEQUENCE_NUMBER') {
      if (one.done === 0) one.firstOffset = baseOffset;
      one.done += batch.count;
      one.batch = null;
      const sequence = this.#sequences.get(one.name) ?? 0;
      this.#sequences.set(one.name, (sequence + batch.count) % SEQUENCE_END);
      return true;
    }
    if (TOO_LARGE.includes(result)) {
      if (batch.count === 1) {
        throw new KafkaError('KAFKA_RECORD_TOO_LARGE', `${one.name} refused the record: ${result}`);
      }
      this.#limits.set(one.name, Math.max(1, Math.floor(batch.bytes.length / 2)));
      one.batch = null;
      return true;
    }
    if (passes(result)) return false;
    if (TRANSACTION_OVER.includes(result)) throw new TransactionAbortedError(`${one.name}: ${result}`);
    const code = result.endsWith('AUTHORIZATION_FAILED') ? 'KAFKA_NOT_AUTHORIZED' : 'KAFKA_REJECTED';
    throw new KafkaError(code, `${one.name} refused the record: ${result}`);
  }

  #cut(identity: TransactionIdentity, { share, name, done }: Progress): NonNullable<Progress['batch']> {
    const bytesMax = this.#limits.get(name) ?? this.cluster.settings.batchMaxBytes;
    let bytes = 0;
    let end = done;
    for (; end < share.records.length; end++) {
      const record = share.records[end];
      if (record === undefined) break;
      bytes += recordBytesMax(record);
      if (end > done && bytes > bytesMax) break;
    }
    const sequence = this.#sequences.get(name) ?? 0;
    const records = share.records.slice(done, end);
    return { bytes: encodeBatch(records, { ...identity, sequence, transactional: true }), count: records.length };
  }

  /** Throws what cannot pass, tells the rest. */
  #mayPass(error: unknown): void {
    if (!isPassing(error)) throw asKafkaError(error, 'writing records');
    this.trouble(asKafkaError(error, 'writing records'));
  }
}
