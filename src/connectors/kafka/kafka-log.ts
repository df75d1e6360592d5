import { randomUUID } from 'node:crypto';
import type {
  GroupListener,
  GroupMember,
  GroupOptions,
  Log,
  LogProducer,
  ReadOptions,
  RecordBatch,
  TopicInfo,
  TopicPartition,
  TopicSpec,
  TransactionalProducer,
} from '../../runtime/ports/log.js';
import { Admin } from './admin.js';
import { Cluster } from './client/cluster.js';
import { asKafkaError } from './client/errors.js';
import { type KafkaOptions, withDefaults } from './client/options.js';
import { KafkaGroupMember } from './group/group-member.js';
import { KafkaProducer } from './produce/producer.js';
import { readPartition } from './read/reader.js';
import { KafkaTransactionalProducer } from './transaction/transactional-producer.js';

/**
 * The log port on Apache Kafka. The client package gives connections, authentication, compression and the format of requests;
 * group membership, positions, the filter of aborted transactions, retries and the producer are ours, because the package's own lose or double records at their edges.
 *
 * Connects when something is first asked of it. Groups and producers wait for brokers that are away; the other calls give up
 * after 30 s with a `KafkaError`.
 */
export class KafkaLog implements Log {
  readonly #cluster: Cluster;
  readonly #admin: Admin;
  readonly #open = new Set<{ close(): Promise<void> }>();
  readonly #reading = new AbortController();

  constructor(options: KafkaOptions) {
    this.#cluster = new Cluster(withDefaults(options));
    this.#admin = new Admin(this.#cluster);
  }

  async topics(): Promise<readonly TopicInfo[]> {
    return this.#admin.topics();
  }

  createTopic(spec: TopicSpec): Promise<void> {
    return this.#admin.createTopic(spec);
  }

  /** Resolves at once; what is assigned comes through the listener. */
  async join(options: GroupOptions, listener: GroupListener): Promise<GroupMember> {
    const member: KafkaGroupMember = new KafkaGroupMember(this.#cluster, options, listener, () => {
      this.#open.delete(member);
    });
    this.#open.add(member);
    member.start();
    return member;
  }

  read(partition: TopicPartition, from: number, options: ReadOptions = {}): AsyncIterable<RecordBatch> {
    const signals = options.signal === undefined ? [] : [options.signal];
    const signal = AbortSignal.any([this.#reading.signal, ...signals]);
    return readPartition(this.#cluster, partition, from, { ...options, signal });
  }

  offsets(partition: TopicPartition): Promise<{ readonly begin: number; readonly end: number }> {
    return this.#admin.offsets(partition);
  }

  offsetAt(partition: TopicPartition, timestamp: number): Promise<number> {
    return this.#admin.offsetAt(partition, timestamp);
  }

  committed(groupId: string): Promise<ReadonlyMap<string, number>> {
    return this.#admin.committed(groupId);
  }

  async producer(): Promise<LogProducer> {
    const producer: KafkaProducer = new KafkaProducer(this.#cluster, () => this.#open.delete(producer));
    this.#open.add(producer);
    return producer;
  }

  /** Resolves when what an earlier producer of this name left open has been ended. */
  async transactionalProducer(id = `stakeout-${randomUUID()}`): Promise<TransactionalProducer> {
    const producer: KafkaTransactionalProducer = new KafkaTransactionalProducer(this.#cluster, id, () => {
      this.#open.delete(producer);
    });
    this.#open.add(producer);
    try {
      await producer.open();
    } catch (error) {
      await producer.close();
      throw asKafkaError(error, `opening transactional producer ${id}`);
    }
    return producer;
  }

  /** Closes members (revoking), then producers with what they hold, then the connections. */
  async close(): Promise<void> {
    this.#reading.abort();
    const members = [...this.#open].filter((o) => o instanceof KafkaGroupMember);
    await Promise.all(members.map((member) => member.close()));
    await Promise.all([...this.#open].map((other) => other.close()));
    this.#admin.close();
    await this.#cluster.close();
  }
}
