import { Backoff } from '../backoff.js';
import type { Clock } from '../ports/clock.js';

/** How an attempt ended; `nothing`: there was nothing to do. */
export type Outcome = 'done' | 'nothing' | 'failed';

export interface Timing {
  /** From the beginning of one to that of the next. */
  readonly intervalMs: number;
  /** Least time from the end of one to the beginning of the next. */
  readonly minPauseMs: number;
}

const RETRY_MIN_MS = 1000;

/**
 * Does something again and again, one at a time. After a failure the next attempt comes after the pause, and later with each
 * failure in a row, up to the interval.
 */
export class Schedule {
  private cancelTimer: (() => void) | null = null;
  private dueMs = 0;
  private endedMs: number | null = null;
  private running: Promise<void> | null = null;
  private stopped = true;
  private readonly retries: Backoff;

  constructor(
    private readonly clock: Clock,
    private readonly timing: Timing,
    /** Never rejects. */
    private readonly act: () => Promise<Outcome>,
  ) {
    const retryMs = Math.max(timing.minPauseMs, RETRY_MIN_MS);
    this.retries = new Backoff(retryMs, Math.max(retryMs, timing.intervalMs));
  }

  /** Nothing happens when it runs already. */
  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.arm(this.clock.now() + this.timing.intervalMs);
  }

  /** The next one comes as soon as the pause allows. */
  soon(): void {
    if (this.stopped || this.running !== null || this.retries.failures > 0) return;
    const dueMs = this.afterPause(this.clock.now());
    if (dueMs < this.dueMs) this.arm(dueMs);
  }

  /** Resolves when none is under way; none comes any more until `start`. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    this.cancelTimer = null;
    await this.running;
  }

  private arm(dueMs: number): void {
    this.cancelTimer?.();
    this.dueMs = dueMs;
    this.cancelTimer = this.clock.schedule(Math.max(0, dueMs - this.clock.now()), () => {
      this.cancelTimer = null;
      this.running = this.run().finally(() => {
        this.running = null;
      });
    });
  }

  private async run(): Promise<void> {
    const begunMs = this.clock.now();
    const outcome = await this.act();
    const endedMs = this.clock.now();
    if (outcome !== 'nothing') this.endedMs = endedMs;
    if (this.stopped) return;
    if (outcome === 'failed') return this.arm(endedMs + this.retries.next());
    this.retries.reset();
    this.arm(this.afterPause(begunMs + this.timing.intervalMs));
  }

  /** `atMs`, or later where the pause says so. */
  private afterPause(atMs: number): number {
    return this.endedMs === null ? atMs : Math.max(atMs, this.endedMs + this.timing.minPauseMs);
  }
}
