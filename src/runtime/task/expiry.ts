/**
 * Finds keys whose state has outlived its windows, roughly when they have: keys are put in buckets of event time, and looked
 * at once when a bucket has passed. Removing such a key changes no result, so order and exact time do not matter, and a key
 * costs no more than a place in an array.
 */
export class ExpiryBuckets {
  private readonly buckets = new Map<number, string[]>();
  private passed = Number.NEGATIVE_INFINITY;

  constructor(private readonly widthMs: number) {}

  /** Looks at the key again some time after `time`, in ms of event time. Infinity: it does not, and says so by `false`. */
  add(key: string, time: number): boolean {
    if (time === Number.POSITIVE_INFINITY) return false;
    const bucket = Math.max(Math.floor(time / this.widthMs) + 1, this.passed + 1);
    const keys = this.buckets.get(bucket);
    if (keys === undefined) this.buckets.set(bucket, [key]);
    else keys.push(key);
    return true;
  }

  /** Calls `look` with every key whose time has passed. */
  sweep(now: number, look: (key: string) => void): void {
    const current = Math.floor(now / this.widthMs);
    if (!(current > this.passed)) return;
    this.passed = current;
    for (const [bucket, keys] of [...this.buckets]) {
      if (bucket > current) continue;
      this.buckets.delete(bucket);
      for (const key of keys) look(key);
    }
  }
}
