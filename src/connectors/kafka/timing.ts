import { Backoff } from '../../runtime/backoff.js';

/** Waits of 20, 40, 80 … up to 1,000 ms. Small, because a leader election often takes only that long. */
export const kafkaBackoff = (): Backoff => new Backoff(20, 1_000);
