/**
 * The log port: a partitioned, durable, replayable log with consumer groups. Kafka and the embedded log implement it, and
 * `test/contracts/log-contract.ts` states what both must do. Offsets are whole numbers below 2^53; they rise within a
 * partition but need not be dense (control records and aborted records leave gaps).
 */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since 1970, as the log has it: the producer's time, or the time of append. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: ReadonlyMap<string, Uint8Array> | null;
}

/** Records of one partition in order of offset. `records` may be empty (only the position moved). */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly LogRecord[];
  /** Where reading goes on after this batch. */
  readonly nextOffset: number;
  /** End of what can be read now (last stable offset); `endOffset - nextOffset` is the lag. */
  readonly endOffset: number;
}

export interface OutgoingRecord {
  readonly topic: string;
  /** Absent: by hash of the key (murmur2, as Kafka's default partitioner), round robin without a key. */
  readonly partition?: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: ReadonlyMap<string, Uint8Array>;
  /** Absent: now. */
  readonly timestamp?: number;
}

export interface LogProducer {
  /** Resolves when every record is durable (acks=all; flushed to disk). Records of one partition keep their order. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Nothing of the transaction happened, and nothing of it will: the same records may be sent in another one. */
export class TransactionAbortedError extends Error {
  readonly code = 'LOG_TRANSACTION_ABORTED';
}

/** Writes records and commits offsets as one. One transaction at a time. */
export interface TransactionalProducer {
  /**
   * One transaction: all records and all offsets, or none of them; readers see the records from the moment it is committed. Records
   * of one partition keep their order. Resolves when it is committed; stays pending while the brokers are away. Its outcome is
   * always known in the end: an answer that is lost is asked for again.
   *
   * @throws FencedError The member does not own all of these partitions in the group's present generation: nothing happened.
   * @throws TransactionAbortedError Nothing happened (it took too long, or the log failed); may be tried again.
   */
  commit(member: GroupMember, records: readonly OutgoingRecord[], offsets: readonly OffsetCommit[]): Promise<void>;
  /** Waits for the transaction under way. */
  close(): Promise<void>;
}

/** Where a group begins in a partition for which it has committed nothing. */
export type StartPosition =
  | { readonly at: 'earliest' }
  | { readonly at: 'latest' }
  /** The first record at or after this time, by the log's own timestamps. */
  | { readonly at: 'timestamp'; readonly timestamp: number };

/** Topics by name, or every topic whose whole name fits a regular expression; new ones are found while running. */
export type TopicSelection = { readonly names: readonly string[] } | { readonly pattern: RegExp };

export interface GroupOptions {
  readonly groupId: string;
  readonly topics: TopicSelection;
  readonly start: StartPosition;
  /** Do not look at committed offsets: begin at `start` even where the group has been before. Default false. */
  readonly ignoreCommitted?: boolean;
  /** How often new topics and partitions are looked for. Default 10,000 ms. */
  readonly discoveryIntervalMs?: number;
  /** URL at which this member can be asked about what it owns; all members are told. */
  readonly endpoint?: string;
}

export interface AssignedPartition extends TopicPartition {
  /** The group's committed offset, or `null` when there is none (or `ignoreCommitted`). */
  readonly committed: number | null;
  /** Where reading begins if the listener does not say otherwise: `committed`, else by `start`. */
  readonly position: number;
  /** First offset that retention has left. */
  readonly beginOffset: number;
  readonly endOffset: number;
}

export interface GroupListener {
  /**
   * Partitions were given to this member. Nothing of them is delivered until this resolves. It may answer with the offsets
   * at which to begin where they differ from `position`.
   */
  onAssigned(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<string, number> | undefined>;
  /** Partitions are about to be given up in good order: commits made before this resolves still count. */
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  /** Partitions are gone already (session lost): commits no longer count; state of them must be dropped. */
  onLost(partitions: readonly TopicPartition[]): Promise<void>;
  /**
   * The next batch of a partition. Batches of one partition come one after the other: the next one not before this
   * resolves. This is the backpressure.
   */
  onBatch(batch: RecordBatch): Promise<void> | void;
  /** Trouble that the member goes on retrying by itself (broker away); for logs and health. */
  onTrouble(error: Error): void;
  /** The trouble reported before is over. */
  onRecovered(): void;
  /** The member cannot go on (authorisation, an error thrown by the listener). It is closed. */
  onFatal(error: Error): void;
}

/** Where a record is. */
export interface RecordPlace extends TopicPartition {
  readonly offset: number;
}

export interface OffsetCommit extends TopicPartition {
  /** The next offset to read, as in Kafka. */
  readonly offset: number;
  readonly metadata?: string;
}

export class FencedError extends Error {
  readonly code = 'LOG_FENCED';
}

export interface GroupMember {
  /** Commits with the member's generation. Throws `FencedError` when the partitions belong to someone else by now. */
  commit(offsets: readonly OffsetCommit[]): Promise<void>;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  assignment(): readonly TopicPartition[];
  /** By name of a partition, the `endpoint` of its owner, as of the last rebalance. Absent: the group is in this process. */
  owners?(): ReadonlyMap<string, string>;
  /** Revokes (awaiting `onRevoked`), leaves the group, closes. */
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Stop before this offset. Absent: the end offset at the time of the call, unless `follow`. */
  readonly to?: number;
  /** Go on for ever, waiting for new records, until `signal` aborts. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface TopicInfo {
  readonly name: string;
  readonly partitions: number;
}

export interface TopicSpec extends TopicInfo {
  /** How long records are kept; absent: the log's default. */
  readonly retentionMs?: number;
  /** Keep the last record of each key instead of by time. */
  readonly compacted?: boolean;
}

export interface Log {
  topics(): Promise<readonly TopicInfo[]>;
  /** Makes the topic unless it is there; an existing topic is left as it is. */
  createTopic(spec: TopicSpec): Promise<void>;
  join(options: GroupOptions, listener: GroupListener): Promise<GroupMember>;
  /** Reads one partition on its own, outside any group; only committed records. */
  read(partition: TopicPartition, from: number, options?: ReadOptions): AsyncIterable<RecordBatch>;
  /** First and end offset. */
  offsets(partition: TopicPartition): Promise<{ readonly begin: number; readonly end: number }>;
  /** Offset of the first record at or after a time, or the end offset. */
  offsetAt(partition: TopicPartition, timestamp: number): Promise<number>;
  /** The offsets a group has committed, by `topic-partition`. */
  committed(groupId: string): Promise<ReadonlyMap<string, number>>;
  producer(): Promise<LogProducer>;
  /**
   * `id`: name of the producer; what an earlier one of this name left open is ended first, and that one can commit nothing any more.
   * Absent: a name that nobody else has.
   */
  transactionalProducer(id?: string): Promise<TransactionalProducer>;
  close(): Promise<void>;
}

/** What reading takes: of a log that another process may write meanwhile. */
export type LogReader = Pick<Log, 'topics' | 'read' | 'offsets' | 'offsetAt' | 'close'>;

/** Name of a partition in maps, logs and metrics. */
export function partitionName(p: TopicPartition): string {
  return `${p.topic}-${p.partition}`;
}
