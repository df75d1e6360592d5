import { pause } from '../../../runtime/backoff.js';
import type { Clock } from '../../../runtime/ports/clock.js';

/** What was asked for and is not settled yet: whoever closes waits for it. */
export class OpenWork {
  readonly #open = new Set<Promise<void>>();

  add(done: Promise<void>): Promise<void> {
    this.#open.add(done);
    const settled = () => this.#open.delete(done);
    done.then(settled, settled);
    return done;
  }

  /** Resolves when all that is open now is settled, one way or the other. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#open]);
  }

  /** The same, but after so many ms at the latest. */
  async settledWithin(ms: number, clock: Clock): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.settled(), pause(clock, ms, over.signal)]);
    over.abort();
  }
}
