import type { Clock } from '../ports/clock.js';

/** Waits that double from `minMs` to `maxMs`, on an injected clock. */
export class Backoff {
  private nextMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly minMs: number,
    private readonly maxMs: number,
  ) {
    this.nextMs = minMs;
  }

  reset(): void {
    this.nextMs = this.minMs;
  }

  /** Resolves after the wait, or at once when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    const ms = this.nextMs;
    this.nextMs = Math.min(ms * 2, this.maxMs);
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.clock.schedule(ms, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
