import type { Clock } from '../../runtime/ports/clock.js';

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

/** Growing waits between attempts: 20, 40, 80 … up to 1,000 ms. Small, because a leader election often takes only that long. */
export class Backoff {
  #failures = 0;

  next(): number {
    const ms = Math.min(1_000, 20 * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    return ms;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  reset(): void {
    this.#failures = 0;
  }
}
