import type { Row } from '../stream/generate.js';
import type { Floor } from './floor.js';

/** More than the out-of-orderness, so that two times that are held at once never share a slot; a power of two. */
const SLOTS = 8192;
const MASK = SLOTS - 1;
const NOT_STARTED = Number.NEGATIVE_INFINITY;

/** A floor behind a reorder buffer of its own: a slot for each millisecond, in a ring. Takes rows in order of arrival. */
export class BehindBuffer implements Floor {
  private readonly slots: Row[][] = Array.from({ length: SLOTS }, () => []);
  private highest = NOT_STARTED;
  /** First time that was not let out yet. */
  private next = 0;

  constructor(
    private readonly floor: Floor,
    private readonly outOfOrdernessMs: number,
  ) {
    if (outOfOrdernessMs >= SLOTS) throw new RangeError(`the buffer holds less than ${SLOTS} ms`);
  }

  get matches(): number {
    return this.floor.matches;
  }

  take(row: Row): void {
    const { eventTime } = row;
    if (eventTime > this.highest) {
      if (this.highest === NOT_STARTED) this.next = eventTime - this.outOfOrdernessMs;
      this.highest = eventTime;
      this.letOut(eventTime - this.outOfOrdernessMs);
    }
    this.slots[eventTime & MASK]!.push(row);
  }

  finish(): void {
    this.letOut(this.highest + 1);
    this.floor.finish();
  }

  /** Lets out everything before `time`. A gap longer than the ring has nothing in it after one turn. */
  private letOut(time: number): void {
    const turn = Math.min(time, this.next + SLOTS);
    for (; this.next < turn; this.next++) {
      const slot = this.slots[this.next & MASK]!;
      if (slot.length === 0) continue;
      for (const row of slot) this.floor.take(row);
      slot.length = 0;
    }
    if (this.next < time) this.next = time;
  }
}
