import { createHash } from 'node:crypto';
import type { Alert } from '../../runtime/ports/alert.js';

/**
 * Digest of a set of alerts that does not depend on their order: the sum, modulo 2^256, of the SHA-256 of each (AdHash:
 * Bellare and Micciancio, "A New Paradigm for Collision-free Hashing", 1997). So parts can be digested apart, and their sums added.
 * Positions in a topic do not count: the same records in a file or in another topic give the same digest.
 */
export class AlertDigest {
  private sum = 0n;

  add(alert: Alert): void {
    this.merge(digestOfAlert(alert));
  }

  /** Takes in the digest of an alert, or of another part, as hex digits. */
  merge(hex: string): void {
    this.sum = BigInt.asUintN(256, this.sum + BigInt(`0x${hex}`));
  }

  /** 64 hex digits. */
  hex(): string {
    return this.sum.toString(16).padStart(64, '0');
  }
}

/** All that counts of an alert, as 64 hex digits: the digest of a set with no other in it. */
export function digestOfAlert({ id, patternId, revision, key, detectedAt, score, message }: Alert): string {
  const identity = [id, patternId, revision, key, detectedAt, score, message];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}
