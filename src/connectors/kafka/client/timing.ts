import { Backoff } from '../../../runtime/backoff.js';

/** Waits of 20, 40, 80 … up to 1,000 ms. Small, because a leader election often takes only that long. */
export const kafkaBackoff = (): Backoff => new Backoff(20, 1_000);

/** Waits of 1, 2, 4 … up to 20 ms, for what the broker itself ends in a moment. */
export const busyBackoff = (): Backoff => new Backoff(1, 20);
