import type { Clock } from '../../runtime/ports/clock.js';

/** This machine's clock. A timer does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};
