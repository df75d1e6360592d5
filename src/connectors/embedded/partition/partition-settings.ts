import type { LogError } from '../../../runtime/local-log/log-error.js';
import type { Clock } from '../../../runtime/ports/clock.js';
import type { TailCache } from './tail-cache.js';

/** How one partition is kept. */
export interface PartitionSettings {
  readonly clock: Clock;
  /** `always`: a send resolves when it is on the disk. `interval`: when the operating system has it; the disk a little later. */
  readonly fsync: 'always' | 'interval';
  readonly fsyncIntervalMs: number;
  /** A segment that has so many bytes is followed by another. */
  readonly segmentBytes: number;
  /** Segments whose last record was appended longer ago are deleted; `Infinity` keeps them. */
  readonly retentionMs: number;
  /** The oldest segments beyond so many bytes are deleted; `Infinity` keeps them. */
  readonly retentionBytes: number;
  /** Keeps the last record of each key instead of deleting by time and size. */
  readonly compacted: boolean;
  readonly cache: TailCache;
  /** Trouble outside any call: a torn tail that was cut, retention or compaction that failed. */
  readonly onTrouble: (error: LogError) => void;
}
