const CAPACITY_MIN = 64;

/**
 * Events whose times do not fall, first in, first out. Their times stand beside them: the events themselves may be far away in memory,
 * and the caller can fetch several side by side.
 */
export class EventQueue<T extends { readonly time: number }> {
  private events: (T | null)[] = new Array<T | null>(CAPACITY_MIN).fill(null);
  private times = new Float64Array(CAPACITY_MIN);
  /** Places of the first event and after the last one, modulo the capacity, which is a power of two. */
  private head = 0;
  private tail = 0;

  get size(): number {
    return this.tail - this.head;
  }

  /** Of the first event, in ms; infinity: there is none. */
  get firstTime(): number {
    return this.head === this.tail ? Number.POSITIVE_INFINITY : this.times[this.head & (this.times.length - 1)]!;
  }

  /** Its time must not be below that of the event before. */
  push(event: T): void {
    if (this.size === this.times.length) this.grow();
    const place = this.tail++ & (this.times.length - 1);
    this.events[place] = event;
    this.times[place] = event.time;
  }

  /** There must be one. */
  shift(): T {
    const place = this.head++ & (this.times.length - 1);
    const event = this.events[place]!;
    this.events[place] = null;
    if (this.head === this.tail) {
      this.head = 0;
      this.tail = 0;
    }
    return event;
  }

  /** Calls `visit` with each event. */
  forEach(visit: (event: T) => void): void {
    for (let at = this.head; at < this.tail; at++) visit(this.events[at & (this.times.length - 1)]!);
  }

  private grow(): void {
    const { events, times, size } = this;
    const before = times.length;
    const grown = new Float64Array(2 * before);
    const moved = new Array<T | null>(2 * before).fill(null);
    for (let i = 0; i < size; i++) {
      const place = (this.head + i) & (before - 1);
      moved[i] = events[place]!;
      grown[i] = times[place]!;
    }
    this.events = moved;
    this.times = grown;
    this.head = 0;
    this.tail = size;
  }
}
