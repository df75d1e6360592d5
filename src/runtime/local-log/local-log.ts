import type { Clock } from '../ports/clock.js';
import {
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type Log,
  type LogProducer,
  partitionName,
  type ReadOptions,
  type RecordBatch,
  type TopicInfo,
  type TopicPartition,
  type TopicSpec,
  type TransactionalProducer,
} from '../ports/log.js';
import { Group } from './group.js';
import { LogError } from './log-error.js';
import { LocalMember } from './member.js';
import { LocalProducer, LocalTransactionalProducer } from './producer.js';
import { type LogStorage, type PartitionStorage, Waker } from './storage.js';

/**
 * The log port within one process, over some storage: producers, groups and readers are here, bytes are the storage's. Nothing
 * here waits for time to pass: what changes is told at once, so the same calls in the same order give the same callbacks.
 */
export class LocalLog implements Log {
  private readonly groups = new Map<string, Group>();
  private readonly followers = new Set<Waker>();
  /** By id. */
  private readonly transactional = new Map<string, LocalTransactionalProducer>();
  private closing: Promise<void> | undefined;

  constructor(
    protected readonly storage: LogStorage,
    private readonly clock: Clock,
  ) {}

  async topics(): Promise<readonly TopicInfo[]> {
    return this.storage.topics();
  }

  async createTopic(spec: TopicSpec): Promise<void> {
    this.assertOpen();
    if (!/^[A-Za-z0-9._-]{1,249}$/.test(spec.name) || spec.name === '.' || spec.name === '..') {
      throw new LogError(
        'LOG_INVALID_TOPIC',
        `"${spec.name}" cannot name a topic: use 1 to 249 letters, digits, dots, underscores and hyphens`,
      );
    }
    if (!Number.isSafeInteger(spec.partitions) || spec.partitions < 1) {
      throw new LogError(
        'LOG_INVALID_TOPIC',
        `topic ${spec.name} needs at least one partition, not ${spec.partitions}`,
      );
    }
    await this.storage.createTopic(spec);
    for (const group of this.groups.values()) {
      group.rebalance();
    }
  }

  async join(options: GroupOptions, listener: GroupListener): Promise<GroupMember> {
    this.assertOpen();
    const group = this.groups.get(options.groupId) ?? new Group(this.storage);
    this.groups.set(options.groupId, group);
    const member = new LocalMember(group, options, listener);
    group.join(member);
    return member;
  }

  read(partition: TopicPartition, from: number, options: ReadOptions = {}): AsyncIterable<RecordBatch> {
    const storage = this.partitionOf(partition);
    const to = options.to ?? (options.follow ? Number.POSITIVE_INFINITY : storage.end);
    return this.readUntil(partition, storage, from, to, options);
  }

  async offsets(partition: TopicPartition): Promise<{ readonly begin: number; readonly end: number }> {
    const { begin, end } = this.partitionOf(partition);
    return { begin, end };
  }

  async offsetAt(partition: TopicPartition, timestamp: number): Promise<number> {
    return this.partitionOf(partition).offsetAt(timestamp);
  }

  async committed(groupId: string): Promise<ReadonlyMap<string, number>> {
    return this.storage.committed(groupId);
  }

  async producer(): Promise<LogProducer> {
    this.assertOpen();
    return new LocalProducer(this.storage, this.clock, () => this.assertOpen());
  }

  async transactionalProducer(id?: string): Promise<TransactionalProducer> {
    this.assertOpen();
    const former = id === undefined ? undefined : this.transactional.get(id);
    const made = new LocalTransactionalProducer(
      this.storage,
      this.clock,
      () => this.assertOpen(),
      () => {
        if (id !== undefined && this.transactional.get(id) === made) this.transactional.delete(id);
      },
    );
    if (id !== undefined) this.transactional.set(id, made);
    await former?.replace();
    return made;
  }

  /** Closes all members (awaiting `onRevoked`), ends all readers that follow, and closes the storage. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  protected groupOf(groupId: string): Group | undefined {
    return this.groups.get(groupId);
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.groups.values()].map((g) => g.closeMembers()));
    for (const follower of this.followers) {
      follower.wake();
    }
    await this.storage.close();
  }

  private async *readUntil(
    { topic, partition }: TopicPartition,
    storage: PartitionStorage,
    from: number,
    to: number,
    { follow, signal }: ReadOptions,
  ): AsyncGenerator<RecordBatch> {
    let position = from;
    while (position < to && !signal?.aborted && !this.closing) {
      if (position >= storage.end) {
        if (!follow) {
          return;
        }
        await this.appended(storage, signal);
        continue;
      }
      const chunk = await storage.read(Math.max(position, storage.begin));
      const beyond = chunk.nextOffset > to;
      const records = beyond ? chunk.records.filter((r) => r.offset < to) : chunk.records;
      position = beyond ? to : chunk.nextOffset;
      if (signal?.aborted) {
        return;
      }
      yield { topic, partition, records, nextOffset: position, endOffset: storage.end };
    }
  }

  /** Resolves when something was appended, or the reader shall stop. */
  private async appended(storage: PartitionStorage, signal: AbortSignal | undefined): Promise<void> {
    const waker = new Waker();
    const wake = () => waker.wake();
    const unsubscribe = storage.subscribe(wake);
    signal?.addEventListener('abort', wake, { once: true });
    this.followers.add(waker);
    try {
      await waker.wait();
    } finally {
      unsubscribe();
      signal?.removeEventListener('abort', wake);
      this.followers.delete(waker);
    }
  }

  protected partitionOf(p: TopicPartition): PartitionStorage {
    this.assertOpen();
    const storage = this.storage.partition(p);
    if (storage !== undefined) {
      return storage;
    }
    const topic = this.storage.topics().find((t) => t.name === p.topic);
    throw topic === undefined
      ? new LogError('LOG_UNKNOWN_TOPIC', `there is no topic ${p.topic}; make it with createTopic`)
      : new LogError('LOG_UNKNOWN_PARTITION', `there is no ${partitionName(p)}: it has ${topic.partitions} partitions`);
  }

  private assertOpen(): void {
    if (this.closing !== undefined) {
      throw new LogError('LOG_CLOSED', 'the log is closed');
    }
  }
}
