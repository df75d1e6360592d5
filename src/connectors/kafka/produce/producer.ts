/**
 * An idempotent producer that never lingers and never gives up while the brokers are away.
 *
 * 1. `send` resolves when every record is on all in-sync replicas (acks=all), and stays pending for as long as that takes; only what can
 *    never succeed, or `close`, rejects it.
 * 2. What is sent in one turn of the event loop leaves in one request a broker; what comes while a partition's batch is under way
 *    leaves as the next batch. So small sends are cheap, and an idle partition waits for nothing.
 * 3. What waits is bounded by the callers alone: each waits for its `send`, or holds the records itself.
 * 4. Order, and that each record is written once, hold per partition: see `outbox.ts`.
 */

import { pause } from '../../../runtime/backoff.js';
import type { LogProducer, OutgoingRecord } from '../../../runtime/ports/log.js';
import { partitionName } from '../../../runtime/ports/log.js';
import { apis } from '../client/apis.js';
import type { Cluster } from '../client/cluster.js';
import { asKafkaError, isPassing, KafkaError, type KafkaErrorCode, passes } from '../client/errors.js';
import { Link } from '../client/link.js';
import { OpenWork } from '../client/open-work.js';
import type { ProducerIdentity } from '../client/producer-identity.js';
import { kafkaBackoff } from '../client/timing.js';
import { PartitionQueue, Ticket } from './outbox.js';
import { Placement } from './placement.js';
import { type Produced, produce } from './produce.js';

/** Connections answer in order, and a client connection holds five requests. */
const REQUESTS_PER_BROKER_MAX = 5;
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
const WRITTEN = ['NONE', 'DUPLICATE_SEQUENCE_NUMBER'];
const FORGOTTEN = [
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
];
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

export class KafkaProducer implements LogProducer {
  readonly #placement: Placement;
  readonly #queues = new Map<string, PartitionQueue>();
  /** Queues with something to send now. */
  readonly #dirty = new Set<PartitionQueue>();
  /** Topics whose leaders have to be asked for anew. */
  readonly #stale = new Set<string>();
  readonly #requests = new Map<number, number>();
  readonly #open = new OpenWork();
  readonly #link: Link;
  readonly #stop = new AbortController();
  readonly #backoff = kafkaBackoff();
  #identity: ProducerIdentity | null = null;
  #preparing = false;
  #flushing = false;
  #closing: Promise<void> | null = null;

  constructor(
    private readonly cluster: Cluster,
    /** Called once when it is closed. */
    private readonly closed: () => void,
  ) {
    this.#link = new Link(cluster.settings, cluster.settings.requestTimeoutMs);
    this.#placement = new Placement(cluster, (record, partition, ticket) => this.#put(record, partition, ticket));
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closing !== null) return Promise.reject(new KafkaError('KAFKA_CLOSED', 'the producer is closed'));
    const ticket = new Ticket(records.length);
    for (const record of records) this.#placement.place(record, ticket);
    this.#schedule();
    return this.#open.add(ticket.done);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, closeTimeoutMs } = this.cluster.settings;
    await this.#open.settledWithin(closeTimeoutMs, clock);
    this.#stop.abort();
    this.#failAll(new KafkaError('KAFKA_CLOSED', 'the producer was closed before the brokers took the record'));
    await this.#link.close();
    this.closed();
  }

  #put(record: OutgoingRecord, partition: number, ticket: Ticket): void {
    const name = partitionName({ topic: record.topic, partition });
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new PartitionQueue(record.topic, partition, this.cluster.settings.batchMaxBytes);
      this.#queues.set(name, queue);
    }
    queue.push(record, ticket, this.cluster.settings.clock.now());
    this.#dirty.add(queue);
  }

  #schedule(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      if (!this.#stop.signal.aborted) this.#flush();
    });
  }

  #flush(): void {
    if (this.#missing()) this.#prepare();
    const identity = this.#identity;
    if (identity === null) return;
    const byNode = new Map<number, PartitionQueue[]>();
    for (const queue of this.#dirty) {
      const node = this.#stale.has(queue.topic) ? undefined : this.cluster.leader(queue.topic, queue.partition);
      if (node === undefined) continue;
      const queues = byNode.get(node);
      if (queues === undefined) byNode.set(node, [queue]);
      else queues.push(queue);
    }
    for (const [node, queues] of byNode) {
      if ((this.#requests.get(node) ?? 0) < REQUESTS_PER_BROKER_MAX) this.#sendTo(node, queues, identity);
    }
  }

  #sendTo(node: number, queues: readonly PartitionQueue[], identity: ProducerIdentity): void {
    const sent: PartitionQueue[] = [];
    let bytes = 0;
    for (const queue of queues) {
      if (bytes >= REQUEST_BYTES_MAX) break;
      this.#dirty.delete(queue);
      const batch = queue.next(identity);
      if (batch === null) continue;
      bytes += batch.bytes.length;
      batch.sent = true;
      batch.attempts++;
      sent.push(queue);
    }
    if (sent.length > 0) void this.#request(node, sent);
  }

  async #request(node: number, queues: readonly PartitionQueue[]): Promise<void> {
    this.#requests.set(node, (this.#requests.get(node) ?? 0) + 1);
    const again: PartitionQueue[] = [];
    try {
      const results = await this.#produce(node, queues);
      for (const queue of queues)
        if (!this.#settle(queue, results.get(partitionName(queue))?.result)) again.push(queue);
    } catch (error) {
      for (const queue of queues) if (this.#unanswered(queue, error)) again.push(queue);
    }
    this.#requests.set(node, (this.#requests.get(node) ?? 1) - 1);
    for (const queue of queues) if (!queue.idle && !again.includes(queue)) this.#dirty.add(queue);
    this.#schedule();
    if (again.length === 0) {
      this.#backoff.reset();
      return;
    }
    await pause(this.cluster.settings.clock, this.#backoff.next(), this.#stop.signal);
    for (const queue of again) {
      if (queue.batch !== null) queue.batch.sent = false;
      this.#dirty.add(queue);
      this.#stale.add(queue.topic);
    }
    this.#schedule();
  }

  async #produce(node: number, queues: readonly PartitionQueue[]): Promise<Map<string, Produced>> {
    const connection = await this.#link.connection(this.cluster.broker(node));
    const api = await this.#link.choose(connection, apis.produce);
    const batches = queues.flatMap(({ topic, partition, batch }) =>
      batch === null ? [] : [{ topic, partition, bytes: batch.bytes }],
    );
    return produce(connection, api, batches, this.cluster.settings.requestTimeoutMs);
  }

  /** False: the same batch has to be sent again, perhaps to another broker. */
  #settle(queue: PartitionQueue, result: string | undefined): boolean {
    if (queue.batch === null) return true;
    if (result === undefined) return false;
    if (WRITTEN.includes(result)) queue.written();
    else if (FORGOTTEN.includes(result)) {
      queue.renumber();
      this.#identity = null;
    } else if (TOO_LARGE.includes(result) && queue.split()) return true;
    else if (passes(result)) return false;
    else this.#refuse(queue, new KafkaError(codeOf(result), `${partitionName(queue)} refused the record: ${result}`));
    return true;
  }

  /** The request failed as a whole: the broker may or may not have written. True: send again. */
  #unanswered(queue: PartitionQueue, error: unknown): boolean {
    if (queue.batch === null) return false;
    if (isPassing(error) || this.#stop.signal.aborted) return true;
    this.#refuse(queue, asKafkaError(error, `sending to ${partitionName(queue)}`));
    return false;
  }

  #refuse(queue: PartitionQueue, error: KafkaError): void {
    if (!queue.refused(error)) this.#identity = null;
  }

  /** Something has to be asked for before all that waits can be sent. */
  #missing(): boolean {
    if (this.#placement.waiting.size > 0 || this.#stale.size > 0) return true;
    if (this.#identity === null) return this.#dirty.size > 0;
    for (const { topic, partition } of this.#dirty) {
      if (this.cluster.leader(topic, partition) === undefined) return true;
    }
    return false;
  }

  /** One at a time: asks until nothing is missing. */
  #prepare(): void {
    if (this.#preparing) return;
    this.#preparing = true;
    void this.#ask().finally(() => {
      this.#preparing = false;
      this.#schedule();
    });
  }

  async #ask(): Promise<void> {
    const { clock } = this.cluster.settings;
    const backoff = kafkaBackoff();
    while (!this.#stop.signal.aborted && this.#missing()) {
      try {
        await this.#askOnce();
      } catch (error) {
        if (!isPassing(error)) this.#failAll(asKafkaError(error, 'preparing to send'));
      }
      this.#schedule();
      if (this.#missing()) await pause(clock, backoff.next(), this.#stop.signal);
    }
  }

  async #askOnce(): Promise<void> {
    const leaderless = [...this.#dirty].filter((q) => this.cluster.leader(q.topic, q.partition) === undefined);
    const topics = [...new Set([...this.#placement.waiting, ...this.#stale, ...leaderless.map((q) => q.topic)])];
    if (topics.length > 0) await this.cluster.refresh(topics);
    for (const name of topics) {
      this.#stale.delete(name);
      const error = this.#placement.learned(name, this.cluster.settings.clock.now());
      if (error !== null) this.#failTopic(name, error);
    }
    if (this.#identity !== null) return;
    const NOT_TRANSACTIONAL = null;
    const { producerId, producerEpoch } = await this.cluster.askAny((broker) =>
      this.#link.call(broker, apis.initProducerId, NOT_TRANSACTIONAL, 0, -1n, -1),
    );
    this.#identity = { producerId, epoch: producerEpoch };
  }

  #failTopic(topic: string, error: Error): void {
    for (const queue of this.#queues.values()) {
      if (queue.topic !== topic) continue;
      queue.failAll(error);
      this.#dirty.delete(queue);
    }
  }

  #failAll(error: Error): void {
    for (const queue of this.#queues.values()) queue.failAll(error);
    this.#dirty.clear();
    this.#stale.clear();
    this.#placement.failAll(error);
  }
}

function codeOf(id: string): KafkaErrorCode {
  if (TOO_LARGE.includes(id)) return 'KAFKA_RECORD_TOO_LARGE';
  return id.endsWith('AUTHORIZATION_FAILED') ? 'KAFKA_NOT_AUTHORIZED' : 'KAFKA_REJECTED';
}
