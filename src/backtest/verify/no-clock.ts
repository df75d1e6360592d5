import type { Clock } from '../../runtime/ports/clock.js';

/** The clock of a replay: nothing in it waits for time to pass. */
export const NO_CLOCK: Clock = { now: () => 0, schedule: () => () => undefined };
