import type { Clock } from '../ports/clock.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is moved on; timers fire in order of their time, those of one time in order of scheduling. */
export class ManualClock implements Clock {
  private readonly timers = new Set<Timer>();

  constructor(private time = 0) {}

  now(): number {
    return this.time;
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { due: this.time + ms, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves the time on by `ms` and calls all timers due by then, those that they schedule too. */
  advance(ms: number): void {
    const until = this.time + ms;
    for (let next = this.nextDue(until); next !== undefined; next = this.nextDue(until)) {
      this.timers.delete(next);
      this.time = next.due;
      next.callback();
    }
    this.time = until;
  }

  private nextDue(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.due <= until && (next === undefined || timer.due < next.due)) {
        next = timer;
      }
    }
    return next;
  }
}
