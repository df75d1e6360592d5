import { MinHeap } from './min-heap.js';

/**
 * Holds events until the watermark passes them, and gives them back by time, and within one time in order of arrival.
 * Events of one time share a slot; a heap orders the slots. `T` needs nothing but a time and an offset.
 */
export class OrderBuffer<T extends { readonly time: number; readonly offset: number }> {
  private readonly slots = new Map<number, T[]>();
  private readonly times = new MinHeap<number>((a, b) => a < b);
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(event: T): void {
    this.count++;
    const slot = this.slots.get(event.time);
    if (slot !== undefined) {
      slot.push(event);
      return;
    }
    this.slots.set(event.time, [event]);
    this.times.push(event.time);
  }

  /** Takes out the events of the earliest time, if that is at or before `watermark`. */
  take(watermark: number): readonly T[] | null {
    const time = this.times.peek();
    if (time === undefined || time > watermark) return null;
    this.times.pop();
    const slot = this.slots.get(time)!;
    this.slots.delete(time);
    this.count -= slot.length;
    return slot;
  }

  /** Lowest offset of the events held, or `null` when there are none. */
  lowestOffset(): number | null {
    let lowest: number | null = null;
    for (const slot of this.slots.values()) {
      for (const event of slot) if (lowest === null || event.offset < lowest) lowest = event.offset;
    }
    return lowest;
  }
}
