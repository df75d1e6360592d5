import type { LogRecord, OffsetCommit, TopicInfo, TopicPartition, TopicSpec } from '../ports/log.js';

/** A record on its way into a partition. */
export interface PendingRecord {
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: ReadonlyMap<string, Uint8Array> | null;
}

/** Some records in order of offset, from the offset asked for on. */
export interface StoredRecords {
  readonly records: readonly LogRecord[];
  /** Where reading goes on; always beyond the offset asked for. */
  readonly nextOffset: number;
}

/** One partition as a log in this process keeps it. */
export interface PartitionStorage {
  /** The first offset that is still there. */
  readonly begin: number;
  /** The offset after the last durable record: readers see nothing at or beyond it. */
  readonly end: number;
  /**
   * Appends all records or none, and resolves when they are durable. The bytes are taken over before it returns, and calls keep
   * their order even when they do not wait for one another.
   */
  append(records: readonly PendingRecord[]): Promise<void>;
  /** A bounded number of records from `from` on; `begin <= from < end` unless retention has just moved `begin`. */
  read(from: number): Promise<StoredRecords>;
  /** The first offset whose record is at or after `timestamp`, or `end`. */
  offsetAt(timestamp: number): Promise<number>;
  /** Calls back each time `end` has moved; returns a function that stops it. */
  subscribe(listener: () => void): () => void;
}

/** What `LocalLog` keeps its topics and offsets in. */
export interface LogStorage {
  topics(): readonly TopicInfo[];
  partition(partition: TopicPartition): PartitionStorage | undefined;
  /** Makes the topic unless it is there. */
  createTopic(spec: TopicSpec): Promise<void>;
  committed(groupId: string): ReadonlyMap<string, number>;
  /** Resolves when the offsets are durable. */
  commit(groupId: string, offsets: readonly OffsetCommit[]): Promise<void>;
  /** Appends all records and commits the offsets, or does nothing of it: also when the process dies meanwhile. */
  transact(
    groupId: string,
    appends: ReadonlyMap<PartitionStorage, readonly PendingRecord[]>,
    offsets: readonly OffsetCommit[],
  ): Promise<void>;
  close(): Promise<void>;
}

/** Listeners of one partition's end. */
export class Subscribers {
  private readonly listeners = new Set<() => void>();

  add(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  notify(): void {
    for (const listener of this.listeners) {
      listener();
    }
  }
}

/**
 * A wait that can be ended from elsewhere. Between looking at a condition and `wait` there must be no `await`, so that no call of
 * `wake` is lost.
 */
export class Waker {
  private waiting: (() => void) | undefined;

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  wake(): void {
    this.waiting?.();
    this.waiting = undefined;
  }
}
