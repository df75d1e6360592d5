import { firstWhere } from '../bisect.js';
import { LocalLog } from '../local-log/local-log.js';
import { LocalMember } from '../local-log/member.js';
import { type LogStorage, type PartitionStorage, type PendingRecord, Subscribers } from '../local-log/storage.js';
import type { Clock } from '../ports/clock.js';
import {
  type GroupMember,
  type LogRecord,
  type OffsetCommit,
  partitionName,
  type TopicInfo,
  type TopicPartition,
  type TopicSpec,
} from '../ports/log.js';

export interface MemoryLogOptions {
  /** Gives records their time where the sender does not. Absent: a clock that stands at 0. */
  readonly clock?: Clock;
  /** At most so many records a batch. Default 500. */
  readonly batchRecordsMax?: number;
  /** After each send one offset stays empty in each partition that got records, as a transaction's marker in Kafka. Default false. */
  readonly offsetGaps?: boolean;
}

/**
 * The log port in memory, for tests and simulation. It has the embedded log's groups, producers and readers, uses no timers, and
 * moves by promises only: the same calls in the same order give the same callbacks. Retention and compaction do not happen by
 * themselves; see `deleteBefore`.
 */
export class MemoryLog extends LocalLog {
  private readonly memory: MemoryStorage;

  constructor(options: MemoryLogOptions = {}) {
    const memory = new MemoryStorage(options.batchRecordsMax ?? 500, options.offsetGaps ?? false);
    super(memory, options.clock ?? { now: () => 0, schedule: () => () => {} });
    this.memory = memory;
  }

  /** What retention would do: records before `offset` are gone. */
  deleteBefore(partition: TopicPartition, offset: number): void {
    this.partitionOf(partition);
    this.memory.partition(partition)?.deleteBefore(offset);
  }

  /** What a broker does that has not heard of a member for too long: `onLost`, then the member joins again. */
  expireSession(groupId: string, member: GroupMember): void {
    if (member instanceof LocalMember) {
      this.groupOf(groupId)?.expire(member);
    }
  }
}

class MemoryStorage implements LogStorage {
  private readonly specs = new Map<string, TopicInfo>();
  private readonly partitions = new Map<string, MemoryPartition>();
  private readonly offsets = new Map<string, Map<string, number>>();

  constructor(
    private readonly batchRecordsMax: number,
    private readonly offsetGaps: boolean,
  ) {}

  topics(): readonly TopicInfo[] {
    return [...this.specs.values()];
  }

  partition(p: TopicPartition): MemoryPartition | undefined {
    return this.partitions.get(partitionName(p));
  }

  async createTopic({ name, partitions }: TopicSpec): Promise<void> {
    if (this.specs.has(name)) {
      return;
    }
    for (let partition = 0; partition < partitions; partition++) {
      const memory = new MemoryPartition(this.batchRecordsMax, this.offsetGaps);
      this.partitions.set(partitionName({ topic: name, partition }), memory);
    }
    this.specs.set(name, { name, partitions });
  }

  committed(groupId: string): ReadonlyMap<string, number> {
    return new Map(this.offsets.get(groupId));
  }

  async commit(groupId: string, offsets: readonly OffsetCommit[]): Promise<void> {
    const group = this.offsets.get(groupId) ?? new Map<string, number>();
    this.offsets.set(groupId, group);
    for (const o of offsets) {
      group.set(partitionName(o), o.offset);
    }
  }

  /** Nothing comes in between: all of it happens before this returns. */
  async transact(
    groupId: string,
    appends: ReadonlyMap<MemoryPartition, readonly PendingRecord[]>,
    offsets: readonly OffsetCommit[],
  ): Promise<void> {
    for (const [partition, records] of appends) void partition.append(records);
    void this.commit(groupId, offsets);
  }

  async close(): Promise<void> {}
}

class MemoryPartition implements PartitionStorage {
  begin = 0;
  end = 0;
  private records: LogRecord[] = [];
  private readonly subscribers = new Subscribers();

  constructor(
    private readonly batchRecordsMax: number,
    private readonly offsetGaps: boolean,
  ) {}

  async append(records: readonly PendingRecord[]): Promise<void> {
    for (const { timestamp, key, value, headers } of records) {
      this.records.push({
        offset: this.end++,
        timestamp,
        key: key && Buffer.from(key),
        value: value && Buffer.from(value),
        headers: headers && new Map([...headers].map(([name, content]) => [name, Buffer.from(content)])),
      });
    }
    if (this.offsetGaps) {
      this.end++;
    }
    this.subscribers.notify();
  }

  async read(from: number): Promise<{ records: readonly LogRecord[]; nextOffset: number }> {
    const first = this.indexOf(from);
    const records = this.records.slice(first, first + this.batchRecordsMax);
    const last = first + records.length >= this.records.length;
    return { records, nextOffset: last ? this.end : (records.at(-1)?.offset ?? from) + 1 };
  }

  async offsetAt(timestamp: number): Promise<number> {
    return this.records.find((r) => r.timestamp >= timestamp)?.offset ?? this.end;
  }

  subscribe(listener: () => void): () => void {
    return this.subscribers.add(listener);
  }

  deleteBefore(offset: number): void {
    this.records = this.records.slice(this.indexOf(offset));
    this.begin = Math.max(this.begin, Math.min(offset, this.end));
  }

  /** Index of the first record at or after an offset. */
  private indexOf(offset: number): number {
    return firstWhere(0, this.records.length, (i) => this.records[i]!.offset >= offset);
  }
}
