import type { Clock } from '../ports/clock.js';
import type { TopicPartition } from '../ports/log.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { StateStore } from '../ports/state-store.js';
import type { Compression } from './files/part-codec.js';

export type CheckpointKind = 'base' | 'delta';

/** A checkpoint that was written. */
export interface CheckpointDone {
  readonly number: number;
  readonly kind: CheckpointKind;
  readonly position: number;
  /** When it was begun, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly durationMs: number;
  /** Bytes of its files, compressed. */
  readonly bytes: number;
}

/** Checkpoints of one partition since it was assigned. */
export interface CheckpointStatus extends TopicPartition {
  readonly last: CheckpointDone | null;
  readonly written: number;
  readonly bytesWritten: number;
  readonly failed: number;
  /** Since the last success. */
  readonly failedInRow: number;
  readonly lastFailure: string | null;
  /** More than the tolerated ones failed in a row. */
  readonly degraded: boolean;
  /** Memory that holds what changed since the last one. */
  readonly changedBytes: number;
}

export interface CheckpointListener {
  onCheckpoint?(partition: TopicPartition, done: CheckpointDone): void;
  onFailure?(partition: TopicPartition, error: Error): void;
  /** More checkpoints in a row have failed than are tolerated. Said once. */
  onDegraded?(partition: TopicPartition, error: Error): void;
  /** A checkpoint succeeded again, or the partition was given up. */
  onRecovered?(partition: TopicPartition): void;
}

export interface CheckpointOptions {
  /** What keeps the state on this machine. */
  readonly inner: StateStore;
  readonly objects: ObjectStore;
  /** Called around each time in which a copy, or what is new in one, is put into `inner`, so that it can be prepared for who reads it next. */
  readonly whileCopied?: <T>(partition: TopicPartition, copy: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  /** Consumer group: those of one group share checkpoints. */
  readonly group: string;
  /** Letters and digits that no other process has had. */
  readonly writer: string;
  readonly intervalMs: number;
  readonly minPauseMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that are no reason to worry. */
  readonly tolerated: number;
  /** Checkpoints kept of each partition, 1 or more. */
  readonly retained: number;
  /** Offset up to which records are in a cut; `null` for one that cannot be read. */
  readonly positionOf: (cut: Uint8Array) => number | null;
  /** `null`: files are not compressed, and compressed ones cannot be read. */
  readonly compression: Compression | null;
  /** Resolves when other work of the process has had its turn. */
  readonly turn: () => Promise<void>;
  /** What happens, in words, for the log. */
  readonly report: (text: string) => void;
  readonly listener?: CheckpointListener;
  /** Size of a file before compression, about. Default 8 MiB. */
  readonly partBytes?: number;
  /** Memory for what changed in one partition since its last checkpoint; above half of it one is begun early. Default 64 MiB. */
  readonly changedBytesMax?: number;
}
