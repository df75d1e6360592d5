import type { Alert } from '../ports/alert.js';
import type { TopicPartition } from '../ports/log.js';

interface AnySink {
  /** For logs, metrics and the consumer group: `redis`, or the name in the settings. */
  readonly name: string;
  /**
   * Makes what it writes to (a table, a template), before anything is written; what it throws is told of, and it is called again until
   * it works.
   */
  prepare?(): Promise<void>;
  /** A partition came from another member, or at the start: what that one wrote and did not commit comes again. */
  assigned?(from: TopicPartition): void;
  close(): Promise<void>;
}

/** Somewhere alerts go after they are committed. */
export interface AlertSink extends AnySink {
  /**
   * Writes all of them, or throws; what was thrown at is written again, whole, later. Alerts have deterministic ids: writing
   * one twice must change nothing.
   *
   * Alerts of one partition come one call after the other, in order; those of several partitions at the same time.
   *
   * @throws PartlyWritten Some were written, or will never be taken: only the rest comes again.
   */
  write(alerts: readonly Alert[]): Promise<void>;
}

/** An alert, and the offset of its record. */
export interface PlacedAlert {
  readonly alert: Alert;
  readonly offset: number;
}

/**
 * A sink that collects alerts and writes many of them at once, as files. It says up to where they are safe, and only so far are
 * offsets committed; what comes after is read again by whoever has the partition next.
 */
export interface CollectingSink extends AnySink {
  /**
   * Takes the alerts between what it took last and `nextOffset`. Resolves with the offset up to which everything is safe. After a
   * failure the same comes again, and must not be taken twice. Calls for one partition come one after the other.
   */
  take(from: TopicPartition, alerts: readonly PlacedAlert[], nextOffset: number): Promise<number>;
  /** Writes what it holds of a partition, also where little has come since. Resolves as `take` does. */
  flush(from: TopicPartition): Promise<number>;
  /** The partition went to another member: what was collected of it is dropped. */
  release(from: TopicPartition): void;
  /** `flush` is called so long after something came that is not safe yet. */
  readonly flushAfterMs: number;
}

/** An alert that will never be taken, however often it is written: too large, of a type that does not fit. */
export interface RefusedAlert {
  readonly alert: Alert;
  /** What the other side said. */
  readonly detail: string;
}

/** Some of the alerts were written. */
export class PartlyWritten extends Error {
  readonly code = 'SINK_PARTLY_WRITTEN';
  /** The rest is not written again before. */
  readonly retryAfterMs: number;

  constructor(
    /** Why the rest was not written; shown as the sink's trouble while there is a rest. */
    message: string,
    /** They become dead letters. */
    readonly refused: readonly RefusedAlert[],
    /** To be written again, later. */
    readonly remaining: readonly Alert[],
    options: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** Reads the records of the alerts topic. */
export interface AlertDecoder {
  /** Of the newest form that it knows. Absent: it takes each for one that it knows. */
  readonly version?: number;
  /** Throws for bytes that are no alert. */
  decode(value: Uint8Array): Alert;
}
