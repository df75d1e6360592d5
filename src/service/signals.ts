import type { Clock } from '../runtime/ports/clock.js';
import type { Logger } from './logging/logger.js';

/** The part of `process` that is needed; tests give their own. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

export interface StopOnSignalsOptions {
  readonly stop: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly source?: SignalSource;
  /** Longest time for a stop in good order. Default 20,000 ms: below the 30 s that Kubernetes gives. */
  readonly timeoutMs?: number;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Stops at the first SIGINT or SIGTERM, and resolves with the exit status: 0 when all stopped in good order, 1 when it took too
 * long or failed, 130 when a second signal asked not to wait. Nothing is lost in any case: what was not committed is processed
 * again at the next start.
 */
export function stopOnSignals({
  stop,
  clock,
  logger,
  source = process,
  timeoutMs = 20_000,
}: StopOnSignalsOptions): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let cancelTimeout: (() => void) | null = null;
  const end = (status: number) => {
    cancelTimeout?.();
    for (const signal of signals) source.off(signal, onSignal);
    resolve(status);
  };
  const onSignal = () => {
    if (cancelTimeout !== null) {
      logger.warn('stopped without waiting');
      end(130);
      return;
    }
    logger.info('stopping; press Ctrl-C again not to wait');
    cancelTimeout = clock.schedule(timeoutMs, () => {
      logger.error({ timeoutMs }, 'stopping took too long');
      end(1);
    });
    stop().then(
      () => end(0),
      (err: unknown) => {
        logger.error({ err }, 'stopping failed');
        end(1);
      },
    );
  };
  for (const signal of signals) source.on(signal, onSignal);
  return promise;
}
