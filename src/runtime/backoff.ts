import { mixBits } from '../engine/index.js';
import type { Clock } from './ports/clock.js';

/** Resolves after `ms`, or at once when `signal` aborts: the caller looks at the signal afterwards. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(ms, done);
    signal.addEventListener('abort', done);
  });
}

/**
 * The upper half of a wait is left to chance, taken from the clock's milliseconds: members that failed together do not come back
 * together, and a clock that stands still gives the same waits again.
 */
export function withJitter(ms: number, clock: Clock): number {
  const fraction = (mixBits(clock.now()) >>> 0) / 2 ** 32;
  return Math.round(ms * (1 - fraction / 2));
}

/** Waits between attempts, that double from `minMs` to `maxMs`. */
export class Backoff {
  #nextMs: number;
  #failures = 0;

  constructor(
    private readonly minMs: number,
    private readonly maxMs: number,
  ) {
    this.#nextMs = minMs;
  }

  /** Counts a failure. Answers with how long to wait before the next attempt, in milliseconds. */
  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, this.maxMs);
    this.#failures++;
    return ms;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  reset(): void {
    this.#nextMs = this.minMs;
    this.#failures = 0;
  }
}
