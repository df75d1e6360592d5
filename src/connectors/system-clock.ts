import type { Clock } from '../runtime/ports/clock.js';

/** The machine's clock. Its timers keep the process alive: whoever schedules must cancel. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
