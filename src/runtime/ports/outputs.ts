import type { Alert } from './alert.js';

/** How alerts are written on the alerts topic. */
export interface AlertEncoder {
  encode(alert: Alert): Uint8Array;
}
