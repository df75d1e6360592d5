import { WordColumn } from '../keys/columns.js';

/** Slots that are looked at in one call of `sweep`, beside twice those that came since the last: no call is long. */
const SWEEP_SLOTS = 1024;
const END = -1;

/**
 * Finds keys whose state has outlived its windows, roughly when they have: their slots are put in buckets of event time, and
 * looked at once when a bucket has passed, some in each call. Removing such a key changes no result, so order and exact time
 * do not matter, and a key costs no more than a word.
 *
 * A slot stands in one bucket at most; that is not checked.
 */
export class ExpiryBuckets {
  /** The slots of a bucket are a chain: the first here, the one after each in `next`. */
  private readonly buckets = new Map<number, number>();
  private readonly next = new WordColumn();
  /** Chains of buckets that have passed. */
  private readonly due: number[] = [];
  private passed = Number.NEGATIVE_INFINITY;
  private addedSinceSweep = 0;

  constructor(private readonly widthMs: number) {}

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.next.bytes;
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    this.next.reserve(slots);
  }

  /** Looks at the slot again some time after `time`, in ms of event time. Infinity: it does not, and says so by `false`. */
  add(slot: number, time: number): boolean {
    if (time === Number.POSITIVE_INFINITY) return false;
    const bucket = Math.max(Math.floor(time / this.widthMs) + 1, this.passed + 1);
    this.next.set(slot, this.buckets.get(bucket) ?? END);
    this.buckets.set(bucket, slot);
    this.addedSinceSweep++;
    return true;
  }

  /** Calls `look` with slots whose time has passed: with all of them, if there are not too many for one call. */
  sweep(now: number, look: (slot: number) => void): void {
    this.collect(Math.floor(now / this.widthMs));
    let left = SWEEP_SLOTS + 2 * this.addedSinceSweep;
    this.addedSinceSweep = 0;
    for (let slot = this.due.pop(); slot !== undefined; slot = this.due.pop()) {
      while (slot !== END) {
        if (left-- === 0) {
          this.due.push(slot);
          return;
        }
        // `look` may put the slot in another bucket.
        const after = this.next.get(slot);
        look(slot);
        slot = after;
      }
    }
  }

  private collect(current: number): void {
    if (!(current > this.passed)) return;
    this.passed = current;
    for (const [bucket, slot] of this.buckets) {
      if (bucket > current) continue;
      this.buckets.delete(bucket);
      this.due.push(slot);
    }
  }
}
