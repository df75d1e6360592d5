import { DoubleColumn, WordColumn } from '../table/columns.js';

/**
 * What the state of each slot waits for, as bits of a mask, and until when; and the same over all slots together: an event of whose
 * bits none is awaited concerns no key, and its own need not even be looked for.
 *
 * Invariant: a bit that a slot waits for at some time is awaited at that time. Over all slots, bits are noted and never taken back
 * before their time, so `isAwaited` may say yes too often, but never no.
 */
export class KeyWaits {
  private readonly masks = new WordColumn();
  /** Event time after which a slot's state cannot matter, in ms. */
  private readonly ends = new DoubleColumn();
  /** By number of the bit. */
  private readonly until = new Float64Array(32).fill(Number.NEGATIVE_INFINITY);
  /** Bits that were ever awaited. */
  private noted = 0;

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.masks.bytes + this.ends.bytes;
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    this.masks.reserve(slots);
    this.ends.reserve(slots);
  }

  /** The slot's state waits for the bits of `mask`, and cannot matter after `end`, in ms; infinity: it can for ever. */
  set(slot: number, mask: number, end: number): void {
    this.masks.set(slot, mask);
    this.ends.set(slot, end);
    const { until } = this;
    this.noted |= mask;
    for (let left = mask; left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left);
      if (until[bit]! < end) until[bit] = end;
    }
  }

  /** The slot's state is gone. */
  clear(slot: number): void {
    this.masks.set(slot, 0);
  }

  /** Whether the slot waits for any bit of `mask`. */
  has(slot: number, mask: number): boolean {
    return (mask & this.masks.get(slot)) !== 0;
  }

  /** Event time after which the slot's state cannot matter, in ms, if it has any. */
  endOf(slot: number): number {
    return this.ends.get(slot);
  }

  /** Whether some slot may wait for any bit of `mask` at `time`, in ms. */
  isAwaited(mask: number, time: number): boolean {
    const { until } = this;
    for (let left = mask & this.noted; left !== 0; left &= left - 1) {
      if (until[31 - Math.clz32(left & -left)]! >= time) return true;
    }
    return false;
  }
}
