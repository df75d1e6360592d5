import type { Alert } from './alert.js';

/** A header of each record of the alerts topic: in which form the alert is written, a number that only grows. */
export const ALERT_VERSION_HEADER = 'stakeout.alert-version';

/** How alerts are written on the alerts topic. */
export interface AlertEncoder {
  /** Of the form that `encode` writes. Absent: it is not told. */
  readonly version?: number;
  /** Finds out what must be known before the first alert (a schema's id). Throws while it cannot be had; called again then. */
  prepare?(): Promise<void>;
  encode(alert: Alert): Uint8Array;
}
