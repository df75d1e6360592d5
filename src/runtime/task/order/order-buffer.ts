import { EventQueue } from './event-queue.js';
import { MinHeap } from './min-heap.js';
import { blockOf, TimeBlock, TimeSlots } from './time-block.js';

/** Places of empty blocks that are kept for later use, in all. Where events are rare each has a block of its own, so blocks are many. */
const SPARE_PLACES_MAX = 131_072;

/**
 * Holds events until the watermark passes them, and gives them back by time, and within one time in order of arrival. `T` needs
 * nothing but a time, in whole ms, and an offset.
 *
 * Events that come in order stand in a queue. For the others time is cut into blocks of some seconds: an event is appended to its block;
 * once the watermark is in a block, that block alone has its events chained by millisecond. So an event costs the same however many are
 * held and however far apart their times are.
 *
 * Invariants
 * 1. A block stands in `blocks` and in `order` exactly while it has events.
 * 2. The block that is open, if one is, is the earliest.
 * 3. An event is in the queue exactly if its time was not below that of any event before. So of one time, those in the queue came before
 *    those in a block.
 */
export class OrderBuffer<T extends { readonly time: number; readonly offset: number }> {
  private readonly queue = new EventQueue<T>();
  /** The highest time that ever came. */
  private highest = Number.NEGATIVE_INFINITY;
  private readonly blocks = new Map<number, TimeBlock<T>>();
  private readonly order = new MinHeap<TimeBlock<T>>((a, b) => a.number < b.number);
  private readonly slots = new TimeSlots();
  private open: TimeBlock<T> | null = null;
  /** The block that was added to last: most often it is the next one, too. */
  private latest: TimeBlock<T> | null = null;
  private readonly spare: TimeBlock<T>[] = [];
  private sparePlaces = 0;
  /** Events in blocks. */
  private count = 0;

  get size(): number {
    return this.queue.size + this.count;
  }

  add(event: T): void {
    const { time } = event;
    if (time >= this.highest) {
      this.highest = time;
      this.queue.push(event);
      return;
    }
    const number = blockOf(time);
    this.count++;
    if (this.latest === null || this.latest.number !== number) this.latest = this.blockOf(number);
    this.latest.add(event);
  }

  /** Earliest time of the events held. */
  firstTime(): number | undefined {
    if (this.size === 0) return undefined;
    return Math.min(this.queue.firstTime, this.order.peek()?.firstTime ?? Number.POSITIVE_INFINITY);
  }

  /** Takes out the first event of the earliest time, if that is at or before `watermark`. */
  take(watermark: number): T | null {
    const { queue } = this;
    const { firstTime } = queue;
    const event = this.count === 0 ? null : this.takeOfBlocks(Math.min(watermark, firstTime - 1));
    return event !== null || firstTime > watermark || queue.size === 0 ? event : queue.shift();
  }

  private takeOfBlocks(watermark: number): T | null {
    const block = this.open ?? this.openEarliest(watermark);
    if (block === null) return null;
    const event = block.take(watermark);
    if (event === null) return null;
    this.count--;
    if (block.size === 0) this.forget(block);
    return event;
  }

  /** Lowest offset of the events held, or `null` when there are none. */
  lowestOffset(): number | null {
    let lowest = Number.POSITIVE_INFINITY;
    const look = ({ offset }: T): void => {
      if (offset < lowest) lowest = offset;
    };
    this.queue.forEach(look);
    for (const block of this.blocks.values()) block.forEach(look);
    return this.size === 0 ? null : lowest;
  }

  /** The events held, in no order. */
  all(): T[] {
    const events: T[] = [];
    const add = (event: T): void => void events.push(event);
    this.queue.forEach(add);
    for (const block of this.blocks.values()) block.forEach(add);
    return events;
  }

  private blockOf(number: number): TimeBlock<T> {
    let block = this.blocks.get(number);
    if (block !== undefined) return block;
    block = this.spare.pop();
    if (block === undefined) block = new TimeBlock<T>();
    else this.sparePlaces -= block.capacity;
    block.become(number);
    this.blocks.set(number, block);
    this.order.push(block);
    if (this.open !== null && number < this.open.number) {
      this.open.close();
      this.open = null;
    }
    return block;
  }

  private openEarliest(watermark: number): TimeBlock<T> | null {
    const block = this.order.peek();
    if (block === undefined || block.firstTime > watermark) return null;
    block.open(this.slots);
    this.open = block;
    return block;
  }

  /** The open block, once it is empty. */
  private forget(block: TimeBlock<T>): void {
    block.close();
    this.open = null;
    this.order.pop();
    this.blocks.delete(block.number);
    if (this.latest === block) this.latest = null;
    if (this.sparePlaces + block.capacity > SPARE_PLACES_MAX) return;
    this.spare.push(block);
    this.sparePlaces += block.capacity;
  }
}
