import type { Alert } from './alert.js';

/** How alerts are written on the alerts topic. */
export interface AlertEncoder {
  /** Finds out what must be known before the first alert (a schema's id). Throws while it cannot be had; called again then. */
  prepare?(): Promise<void>;
  encode(alert: Alert): Uint8Array;
}
