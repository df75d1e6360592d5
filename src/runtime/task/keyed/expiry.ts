import { WordColumn } from '../../keys/table/columns.js';

/** Slots that are looked at in one call of `sweep`, beside twice those that came since the last: no call is long. */
const SWEEP_SLOTS = 1024;
const WIDTH_MIN_MS = 1000;
/** Buckets within the longest window. */
const BUCKETS = 8;
/** A link of a chain: in no chain, the last one, or the next slot plus two. */
const ABSENT = 0;
const LAST = 1;
const OFFSET = 2;

/**
 * Finds keys whose state has outlived its windows, roughly when they have: their slots are put in buckets of event time, and
 * looked at once when a bucket has passed, some in each call. Removing such a key changes no result, so order and exact time
 * do not matter, and a key costs no more than a word.
 *
 * A slot stands in one bucket at most, until it is looked at.
 */
export class ExpiryBuckets {
  /** The slots of a bucket are a chain: the link to the first here, the link from each to the next in `links`. */
  private readonly buckets = new Map<number, number>();
  private readonly links = new WordColumn(ABSENT);
  /** Chains of buckets that have passed. */
  private readonly due: number[] = [];
  private passed = Number.NEGATIVE_INFINITY;
  private addedSinceSweep = 0;

  constructor(private readonly widthMs: number) {}

  /** For keys whose state outlives its newest event by so much at most: each is forgotten at most an eighth of it too late. */
  static within(longestMs: number): ExpiryBuckets {
    return new ExpiryBuckets(Math.max(WIDTH_MIN_MS, longestMs / BUCKETS));
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.links.bytes;
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    this.links.reserve(slots);
  }

  /** Looks at the slot some time after `time`, in ms of event time, unless it is to be looked at already. Infinity: never. */
  add(slot: number, time: number): void {
    if (time === Number.POSITIVE_INFINITY || this.has(slot)) return;
    const bucket = Math.max(Math.floor(time / this.widthMs) + 1, this.passed + 1);
    this.links.set(slot, this.buckets.get(bucket) ?? LAST);
    this.buckets.set(bucket, slot + OFFSET);
    this.addedSinceSweep++;
  }

  has(slot: number): boolean {
    return this.links.get(slot) !== ABSENT;
  }

  /** Calls `look` with slots whose time has passed: with all of them, if there are not too many for one call. */
  sweep(now: number, look: (slot: number) => void): void {
    this.collect(Math.floor(now / this.widthMs));
    let left = SWEEP_SLOTS + 2 * this.addedSinceSweep;
    this.addedSinceSweep = 0;
    for (let link = this.due.pop(); link !== undefined; link = this.due.pop()) {
      for (; link !== LAST; left--) {
        if (left === 0) {
          this.due.push(link);
          return;
        }
        const slot: number = link - OFFSET;
        link = this.links.get(slot);
        this.links.set(slot, ABSENT);
        look(slot);
      }
    }
  }

  private collect(current: number): void {
    if (!(current > this.passed)) return;
    this.passed = current;
    for (const [bucket, link] of this.buckets) {
      if (bucket > current) continue;
      this.buckets.delete(bucket);
      this.due.push(link);
    }
  }
}
