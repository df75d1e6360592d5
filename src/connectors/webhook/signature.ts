import { createHmac } from 'node:crypto';

/**
 * `v1=` and the HMAC-SHA256, in hex, of the timestamp, a dot and the body as it is sent, with the secret as the key. Whoever gets it
 * computes the same, compares in constant time, and refuses a timestamp that is too old, so that nobody can send it again later.
 *
 * @param timestamp as in the header `stakeout-timestamp`: seconds since 1970.
 */
export function signature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
