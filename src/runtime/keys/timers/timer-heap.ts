import { DoubleColumn, WordColumn } from '../table/columns.js';

/**
 * One timer for each slot that has one, ordered by time and, within one time, by `compare` (below 0: the first slot goes
 * first): a binary heap in typed arrays that knows where each slot stands.
 */
export class TimerHeap {
  private readonly times = new DoubleColumn();
  private readonly slots = new WordColumn();
  /** Slot to place in the heap plus one; 0: it has no timer. */
  private readonly places = new WordColumn();
  private count = 0;

  constructor(private readonly compare: (a: number, b: number) => number) {}

  get size(): number {
    return this.count;
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.times.bytes + this.slots.bytes + this.places.bytes;
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    this.places.reserve(slots);
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Time of the first timer; infinity: there is none. */
  nextTime(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.times.get(0);
  }

  /** Slot of the first timer; only while there is one. */
  first(): number {
    return this.slots.get(0);
  }

  /** Time of the slot's timer; infinity: it has none. */
  timeOf(slot: number): number {
    const place = this.places.get(slot);
    return place === 0 ? Number.POSITIVE_INFINITY : this.times.get(place - 1);
  }

  /** Sets the slot's timer if it has none, or a later one. */
  advance(slot: number, time: number): void {
    const place = this.places.get(slot);
    if (place > 0) {
      if (time < this.times.get(place - 1)) this.rise(place - 1, slot, time);
      return;
    }
    this.times.reserve(this.count + 1);
    this.slots.reserve(this.count + 1);
    this.rise(this.count++, slot, time);
  }

  /** Takes out the first timer; answers its slot, or -1 when there is none. */
  pop(): number {
    if (this.count === 0) return -1;
    const first = this.slots.get(0);
    this.places.set(first, 0);
    this.count--;
    if (this.count > 0) this.sink(this.slots.get(this.count), this.times.get(this.count));
    return first;
  }

  private rise(from: number, slot: number, time: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.goesBefore(time, slot, parent)) break;
      this.put(at, this.slots.get(parent), this.times.get(parent));
      at = parent;
    }
    this.put(at, slot, time);
  }

  /** Puts a timer in at the root and lets it find its place. */
  private sink(slot: number, time: number): void {
    let at = 0;
    for (let child = 1; child < this.count; child = 2 * at + 1) {
      if (child + 1 < this.count && this.goesBefore(this.times.get(child + 1), this.slots.get(child + 1), child))
        child++;
      if (this.goesBefore(time, slot, child)) break;
      this.put(at, this.slots.get(child), this.times.get(child));
      at = child;
    }
    this.put(at, slot, time);
  }

  private goesBefore(time: number, slot: number, place: number): boolean {
    const other = this.times.get(place);
    return time < other || (time === other && this.compare(slot, this.slots.get(place)) < 0);
  }

  private put(place: number, slot: number, time: number): void {
    this.times.set(place, time);
    this.slots.set(place, slot);
    this.places.set(slot, place + 1);
  }
}
