const SPAN_BITS = 12;
/** Milliseconds of a block. */
const SPAN = 1 << SPAN_BITS;
const NOBODY = -1;
const CAPACITY_MIN = 8;

/** The number of the block that a time belongs to. Blocks with higher numbers are later. */
export const blockOf = (time: number): number => Math.floor(time / SPAN);

/** Places of the events of one time, chained in order of arrival, for each of the times of one block. */
export class TimeSlots {
  readonly first = new Int32Array(SPAN).fill(NOBODY);
  readonly last = new Int32Array(SPAN);
  /** Of each 32 slots, which have events. */
  private readonly words = new Int32Array(SPAN >>> 5);
  private word = 0;

  mark(slot: number): void {
    const word = slot >>> 5;
    this.words[word]! |= 1 << (slot & 31);
    if (word < this.word) this.word = word;
  }

  unmark(slot: number): void {
    this.words[slot >>> 5]! &= ~(1 << (slot & 31));
  }

  clear(): void {
    this.first.fill(NOBODY);
    this.words.fill(0);
  }

  /** The earliest slot that has events. There must be one. */
  earliest(): number {
    const { words } = this;
    let at = this.word;
    while (words[at] === 0) at++;
    this.word = at;
    const bits = words[at]!;
    return (at << 5) + 31 - Math.clz32(bits & -bits);
  }
}

/**
 * The events of one block of time that wait, in order of arrival. While it is *open*, `slots` chains them by time; one block is
 * open at a time, so there is one `TimeSlots` for all.
 */
export class TimeBlock<T extends { readonly time: number }> {
  number = 0;
  /** Events held. */
  size = 0;
  private readonly events: (T | null)[] = [];
  /** Places given out; what was at them may have been taken. */
  private used = 0;
  /** Of each event its slot, and the next event of the same slot. */
  private slotOf = new Int32Array(CAPACITY_MIN);
  private nextOf = new Int32Array(CAPACITY_MIN);
  private earliest = Number.POSITIVE_INFINITY;
  private slots: TimeSlots | null = null;

  /** Places that there is memory for. */
  get capacity(): number {
    return this.slotOf.length;
  }

  /** Makes an empty block that is not open one of another time. */
  become(number: number): void {
    this.number = number;
    this.used = 0;
    this.earliest = Number.POSITIVE_INFINITY;
  }

  /** Time of its earliest event, in ms. There must be one. */
  get firstTime(): number {
    return this.slots === null ? this.earliest : this.number * SPAN + this.slots.earliest();
  }

  add(event: T): void {
    const { time } = event;
    const place = this.used++;
    if (place === this.slotOf.length) this.grow();
    this.events[place] = event;
    this.slotOf[place] = time - this.number * SPAN;
    this.size++;
    if (this.slots !== null) this.chain(this.slots, place);
    else if (time < this.earliest) this.earliest = time;
  }

  /** Chains its events by time. The slots must be empty. */
  open(slots: TimeSlots): void {
    this.slots = slots;
    for (let place = 0; place < this.used; place++) if (this.events[place] !== null) this.chain(slots, place);
  }

  /** Gives back the slots, empty. */
  close(): void {
    const slots = this.slots!;
    if (this.size > 0) {
      this.earliest = this.firstTime;
      slots.clear();
    }
    this.slots = null;
  }

  /** Takes out the first event of the earliest time, if that is at or before `watermark`. It must be open, and have events. */
  take(watermark: number): T | null {
    const slots = this.slots!;
    const slot = slots.earliest();
    const place = slots.first[slot]!;
    // Told from the slot: the event itself may be far away in memory, and the caller can fetch several side by side.
    if (this.number * SPAN + slot > watermark) return null;
    const event = this.events[place]!;
    const next = this.nextOf[place]!;
    slots.first[slot] = next;
    if (next === NOBODY) slots.unmark(slot);
    this.events[place] = null;
    this.size--;
    return event;
  }

  /** Calls `visit` with each event. */
  forEach(visit: (event: T) => void): void {
    for (let place = 0; place < this.used; place++) {
      const event = this.events[place];
      if (event) visit(event);
    }
  }

  private chain(slots: TimeSlots, place: number): void {
    const slot = this.slotOf[place]!;
    this.nextOf[place] = NOBODY;
    if (slots.first[slot] === NOBODY) {
      slots.first[slot] = place;
      slots.mark(slot);
    } else {
      this.nextOf[slots.last[slot]!] = place;
    }
    slots.last[slot] = place;
  }

  private grow(): void {
    this.slotOf = doubled(this.slotOf);
    this.nextOf = doubled(this.nextOf);
  }
}

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
