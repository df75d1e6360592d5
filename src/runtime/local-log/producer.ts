import { partitionOfKey } from '../partitioner.js';
import type { Clock } from '../ports/clock.js';
import type { GroupMember, LogProducer, OffsetCommit, OutgoingRecord, TransactionalProducer } from '../ports/log.js';
import { LogError } from './log-error.js';
import { LocalMember } from './member.js';
import type { LogStorage, PartitionStorage, PendingRecord } from './storage.js';

/** Shares records out to partitions; durable when the storage says so. */
export class LocalProducer implements LogProducer {
  private readonly placement: Placement;
  private readonly underWay = new Set<Promise<unknown>>();
  private closed = false;

  constructor(
    storage: LogStorage,
    clock: Clock,
    private readonly assertOpen: () => void,
  ) {
    this.placement = new Placement(storage, clock);
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    this.assertOpen();
    if (this.closed) {
      throw new LogError('LOG_CLOSED', 'the producer is closed');
    }
    const byPartition = this.placement.place(records);
    const appends = [...byPartition].map(([partition, pending]) => partition.append(pending));
    const settled = Promise.allSettled(appends);
    this.underWay.add(settled);
    try {
      await settled;
    } finally {
      this.underWay.delete(settled);
    }
    // All have settled: the first failure is thrown, and none is left unhandled.
    await Promise.all(appends);
  }

  /** Resolves when all that was sent has settled. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.underWay);
  }
}

/**
 * Records and offsets as one.
 *
 * 1. One transaction at a time, in the order of the calls.
 * 2. Who may commit is looked at when its turn has come, and stays so until it is over: a member's partitions are given on only after it.
 * 3. After `replace` nothing is committed any more.
 */
export class LocalTransactionalProducer implements TransactionalProducer {
  private readonly placement: Placement;
  private last: Promise<void> = Promise.resolve();
  private closed = false;
  private replaced = false;

  constructor(
    private readonly storage: LogStorage,
    clock: Clock,
    private readonly assertOpen: () => void,
    /** Called once when it is closed. */
    private readonly onClosed: () => void,
  ) {
    this.placement = new Placement(storage, clock);
  }

  async commit(
    member: GroupMember,
    records: readonly OutgoingRecord[],
    offsets: readonly OffsetCommit[],
  ): Promise<void> {
    this.assertOpen();
    if (this.closed) throw new LogError('LOG_CLOSED', 'the producer is closed');
    const done = this.last.then(async () => {
      if (this.replaced) {
        throw new LogError('LOG_REPLACED', 'another producer has this id by now: this one can commit nothing any more');
      }
      if (!(member instanceof LocalMember)) throw new TypeError('a member of another log');
      await member.whileOwned(offsets, () =>
        this.storage.transact(member.groupId, this.placement.place(records), offsets),
      );
    });
    this.last = done.catch(() => undefined);
    await done;
  }

  /** Another producer takes over the id; resolves when the transaction under way is over. */
  async replace(): Promise<void> {
    this.replaced = true;
    await this.last;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.last;
    this.onClosed();
  }
}

/** Which partition a record goes to. */
class Placement {
  /** The partition that the next record without a key goes to, by topic. */
  private readonly next = new Map<string, number>();

  constructor(
    private readonly storage: LogStorage,
    private readonly clock: Clock,
  ) {}

  /** Finds every record's partition before anything is appended, so that a wrong topic appends nothing. */
  place(records: readonly OutgoingRecord[]): Map<PartitionStorage, PendingRecord[]> {
    const partitionsOf = new Map(this.storage.topics().map((t) => [t.name, t.partitions]));
    const result = new Map<PartitionStorage, PendingRecord[]>();
    const now = this.clock.now();
    for (const record of records) {
      const storage = this.storageOf(record, partitionsOf.get(record.topic));
      const pending = result.get(storage) ?? [];
      result.set(storage, pending);
      const headers = record.headers === undefined || record.headers.size === 0 ? null : record.headers;
      pending.push({ timestamp: record.timestamp ?? now, key: record.key, value: record.value, headers });
    }
    return result;
  }

  private storageOf(record: OutgoingRecord, partitions: number | undefined): PartitionStorage {
    if (partitions === undefined) {
      throw new LogError('LOG_UNKNOWN_TOPIC', `there is no topic ${record.topic}; make it with createTopic`);
    }
    const partition = record.partition ?? this.choose(record, partitions);
    const storage = this.storage.partition({ topic: record.topic, partition });
    if (storage === undefined) {
      throw new LogError(
        'LOG_UNKNOWN_PARTITION',
        `there is no ${record.topic}-${partition}: it has ${partitions} partitions`,
      );
    }
    return storage;
  }

  private choose(record: OutgoingRecord, partitions: number): number {
    if (record.key !== null) {
      return partitionOfKey(record.key, partitions);
    }
    const partition = (this.next.get(record.topic) ?? 0) % partitions;
    this.next.set(record.topic, partition + 1);
    return partition;
  }
}
