import type { Clock } from '../runtime/ports/clock.js';

/** Waits between attempts: doubling from `firstMs` to `maxMs`. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const defaultBackoff: Backoff = { firstMs: 100, maxMs: 5_000 };

/** How long to wait after the `attempt`-th failure (from 1), in milliseconds. */
export function backoffMs(backoff: Backoff, attempt: number): number {
  return Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
}

/** Resolves after `ms` by the clock; rejects with the signal's reason as soon as it aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.schedule(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Told when something away is being retried, and when it is back. */
export interface TroubleListener {
  /** The first failed attempt of a row; `error` says what failed. */
  onTrouble?(error: Error): void;
  /** The trouble reported before is over. */
  onRecovered?(): void;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly signal: AbortSignal;
  readonly listener: TroubleListener;
  /** Errors for which trying again is pointless; they are thrown at once. */
  readonly fatal?: (error: unknown) => boolean;
}

/** Repeats `attempt` until it succeeds or the signal aborts, in which case it rejects with the signal's reason. */
export async function retryUntilAborted<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, backoff, signal, listener, fatal } = options;
  for (let failures = 0; ; ) {
    signal.throwIfAborted();
    try {
      const result = await attempt();
      if (failures > 0) listener.onRecovered?.();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (fatal?.(error)) throw error;
      failures += 1;
      if (failures === 1) listener.onTrouble?.(error instanceof Error ? error : new Error(String(error)));
      await pause(clock, backoffMs(backoff, failures), signal);
    }
  }
}
