export interface RestartOptions {
  /** `fixed`: each restart waits `delay`. `exponential`: each waits twice as long as the one before, up to `delayMax`. */
  readonly strategy: 'exponential' | 'fixed';
  /** Before the first restart, in ms, and at most. */
  readonly delay: number;
  readonly delayMax: number;
  /** Restarts within the window; one end more, and there is none. */
  readonly attempts: number;
  /** In ms. Ends that lie longer back are forgiven. */
  readonly window: number;
}

/** Whether, and when, a thread that ended is started again. */
export class RestartPolicy {
  /** When it ended, within the window. */
  private readonly ends: number[] = [];

  constructor(private readonly options: RestartOptions) {}

  /** It ended at `now`: how long to wait before it is started again, in ms; `null`: it is not. */
  next(now: number): number | null {
    const { strategy, delay, delayMax, attempts, window } = this.options;
    this.ends.push(now);
    while (now - this.ends[0]! > window) this.ends.shift();
    if (this.ends.length > attempts) return null;
    return strategy === 'fixed' ? delay : Math.min(delay * 2 ** (this.ends.length - 1), Math.max(delay, delayMax));
  }
}
