import type { Alert } from '../ports/alert.js';

/** Somewhere alerts go after they are committed. */
export interface AlertSink {
  /** For logs, metrics and the consumer group: `redis`. */
  readonly name: string;
  /**
   * Writes all of them, or throws; what was thrown at is written again, whole, later. Alerts have deterministic ids: writing
   * one twice must change nothing.
   */
  write(alerts: readonly Alert[]): Promise<void>;
  close(): Promise<void>;
}

/** Reads the records of the alerts topic. */
export interface AlertDecoder {
  /** Throws for bytes that are no alert. */
  decode(value: Uint8Array): Alert;
}
