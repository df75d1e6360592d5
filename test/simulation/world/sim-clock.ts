import type { Clock } from '../../../src/runtime/ports/clock.js';

interface Timer {
  readonly due: number;
  readonly number: number;
  callback: (() => void) | null;
}

/** Resolves when all promises that can settle by themselves have: Node calls this after its queue of microtasks is empty. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/**
 * Simulated time. What is scheduled happens in order of its time, and within one time in order of scheduling; between two of
 * them everything that follows by promises alone happens, and no time passes.
 */
export class SimClock implements Clock {
  /** A heap: the earliest first. */
  private readonly timers: Timer[] = [];
  private time = 0;
  private numbered = 0;
  /** Timers that were called. */
  steps = 0;

  now(): number {
    return this.time;
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer: Timer = { due: this.time + Math.max(0, ms), number: this.numbered++, callback };
    this.push(timer);
    return () => {
      timer.callback = null;
    };
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.schedule(ms, resolve));
  }

  /** Lets time pass until `over` says so, asked after each step. Throws after `stepsMax` steps. */
  async run(over: () => boolean, stepsMax: number): Promise<void> {
    await settled();
    while (!over()) {
      const timer = this.pop();
      if (timer === undefined) throw new Error('nothing is left to happen');
      if (timer.callback === null) continue;
      if (++this.steps > stepsMax) throw new Error(`no end in sight after ${stepsMax} steps`);
      this.time = timer.due;
      timer.callback();
      await settled();
    }
  }

  private push(timer: Timer): void {
    const { timers } = this;
    let at = timers.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, timers[parent]!)) break;
      timers[at] = timers[parent]!;
      at = parent;
    }
    timers[at] = timer;
  }

  private pop(): Timer | undefined {
    const { timers } = this;
    const first = timers[0];
    const last = timers.pop();
    if (first === undefined || last === undefined || timers.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= timers.length) break;
      if (child + 1 < timers.length && before(timers[child + 1]!, timers[child]!)) child++;
      if (!before(timers[child]!, last)) break;
      timers[at] = timers[child]!;
      at = child;
    }
    timers[at] = last;
    return first;
  }
}

const before = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.number < b.number);
