import { LocalLog } from '../../runtime/local-log/local-log.js';
import type { LogError } from '../../runtime/local-log/log-error.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { systemClock } from '../system-clock.js';
import { EmbeddedStorage } from './embedded-storage.js';
import { TailCache } from './partition/tail-cache.js';

export { LogError, type LogErrorCode } from '../../runtime/local-log/log-error.js';

export interface EmbeddedLogOptions {
  /** Made if it is not there. */
  readonly directory: string;
  /**
   * `always` (the default): a send resolves when it is on the disk; sends made meanwhile share one flush. `interval`: it resolves when
   * the operating system has it; a power failure may cost the last `fsyncIntervalMs`, the end of the process nothing.
   */
  readonly fsync?: 'always' | 'interval';
  /** Default 100 ms. */
  readonly fsyncIntervalMs?: number;
  /** Size at which a segment file is followed by another; retention deletes whole files. Default 64 MiB. */
  readonly segmentBytes?: number;
  /**
   * How long records are kept after they were appended, where the topic does not say. Default 7 days; `Infinity` keeps them. The time
   * of appending counts, not the record's own: history that is loaded today is not deleted at once.
   */
  readonly retentionMs?: number;
  /** How many bytes of a partition are kept. Default: no limit. */
  readonly retentionBytes?: number;
  /** How often is looked for what retention deletes. Default 60,000 ms. */
  readonly retentionCheckMs?: number;
  /** Memory for the newest records of all partitions together. Default 32 MiB. */
  readonly tailCacheBytes?: number;
  readonly clock?: Clock;
  /** Told of trouble that no call can report: a torn tail that was cut, retention or compaction that failed. */
  readonly onTrouble?: (error: LogError) => void;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const MIB = 1024 * 1024;

/**
 * The log port in one process without a server: durable topics in a folder, consumer groups among the members of this process.
 *
 * Keys and values that are delivered are views of larger buffers (up to 512 KiB): whoever keeps one for long copies it.
 */
export class EmbeddedLog extends LocalLog {
  private constructor(storage: EmbeddedStorage, clock: Clock) {
    super(storage, clock);
  }

  /**
   * Opens the folder, or makes it. A write that was cut short by a crash is cut off; everything acknowledged is there.
   *
   * @throws LogError `LOG_LOCKED` (another process, or this one, has it), `LOG_FOREIGN`, `LOG_CORRUPT`, `LOG_DISK_FULL`, `LOG_IO`.
   */
  static async open(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
    const clock = options.clock ?? systemClock;
    const settings = {
      clock,
      fsync: options.fsync ?? 'always',
      fsyncIntervalMs: options.fsyncIntervalMs ?? 100,
      segmentBytes: options.segmentBytes ?? 64 * MIB,
      retentionMs: options.retentionMs ?? 7 * DAY_MS,
      retentionBytes: options.retentionBytes ?? Number.POSITIVE_INFINITY,
      compacted: false,
      cache: new TailCache(options.tailCacheBytes ?? 32 * MIB),
      onTrouble: options.onTrouble ?? (() => {}),
    };
    return new EmbeddedLog(
      await EmbeddedStorage.open(options.directory, settings, options.retentionCheckMs ?? 60_000),
      clock,
    );
  }
}
