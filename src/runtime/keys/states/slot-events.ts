import type { Segment } from '../table/byte-store.js';
import { StoredSlots } from '../table/stored-slots.js';

/** Doubles of a ring before its records: where the first begins, where the last begins and ends, how many there are, and two counts of the caller's. */
const [HEAD, LAST, END, COUNT, FIRST_COUNT, SECOND_COUNT, HEADER] = [0, 1, 2, 3, 4, 5, 6];
/** Doubles of a record before its bytes: how many it takes, its bytes, time, seq and offset of the event. */
const [SIZE, BYTES, TIME, SEQ, OFFSET, RECORD] = [0, 1, 2, 3, 4, 5];
const DOUBLES_MIN = 64;

/** A record, as a view that holds until the next change. */
export interface HeldRecord {
  readonly time: number;
  readonly seq: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Events of each slot as bytes, oldest first, in memory that the garbage collector does not walk: new ones are appended, and the oldest go.
 * Times of a slot must not fall.
 */
export class SlotEvents extends StoredSlots {
  delete(slot: number): void {
    this.store.delete(slot);
  }

  count(slot: number): number {
    return this.read(slot, COUNT);
  }

  /** What the caller counts of the slot, at first 0. */
  firstCount(slot: number): number {
    return this.read(slot, FIRST_COUNT);
  }

  secondCount(slot: number): number {
    return this.read(slot, SECOND_COUNT);
  }

  setCounts(slot: number, first: number, second: number): void {
    const { doubles } = this.store.segmentOf(slot);
    const at = this.placeOf(slot);
    doubles[at + FIRST_COUNT] = first;
    doubles[at + SECOND_COUNT] = second;
  }

  /** Of the newest event, in ms; the slot must have one. */
  newestTime(slot: number): number {
    const { doubles } = this.store.segmentOf(slot);
    const at = this.placeOf(slot);
    return doubles[at + doubles[at + LAST]! + TIME]!;
  }

  /** Appends an event, of which the first `length` of the bytes are kept; the oldest events go whose time is `upTo` or before. */
  append(slot: number, event: Omit<HeldRecord, 'bytes'>, bytes: Uint8Array, length: number, upTo: number): void {
    if (this.store.has(slot)) this.dropUpTo(slot, upTo);
    const size = RECORD + ((length + 7) >>> 3);
    const at = this.roomFor(slot, size);
    const segment = this.store.segmentOf(slot);
    const { doubles } = segment;
    const place = doubles[at + END]!;
    const record = at + place;
    doubles[record + SIZE] = size;
    doubles[record + BYTES] = length;
    doubles[record + TIME] = event.time;
    doubles[record + SEQ] = event.seq;
    doubles[record + OFFSET] = event.offset;
    copyBytes(bytes, length, segment.bytes, (record + RECORD) << 3);
    doubles[at + LAST] = place;
    doubles[at + END] = place + size;
    doubles[at + COUNT]!++;
  }

  /** Calls `visit` with the events after `time`, and with the newest in any case, oldest first. */
  forEachAfter(slot: number, time: number, visit: (record: HeldRecord) => void): void {
    const { doubles, bytes } = this.store.segmentOf(slot);
    const at = this.placeOf(slot);
    const last = doubles[at + LAST]!;
    for (let place = doubles[at + HEAD]!; place <= last; place += doubles[at + place + SIZE]!) {
      const record = at + place;
      if (place < last && doubles[record + TIME]! <= time) continue;
      const start = (record + RECORD) << 3;
      visit({
        time: doubles[record + TIME]!,
        seq: doubles[record + SEQ]!,
        offset: doubles[record + OFFSET]!,
        bytes: bytes.subarray(start, start + doubles[record + BYTES]!),
      });
    }
  }

  private dropUpTo(slot: number, time: number): void {
    const { doubles } = this.store.segmentOf(slot);
    const at = this.placeOf(slot);
    let head = doubles[at + HEAD]!;
    let count = doubles[at + COUNT]!;
    for (; count > 0 && doubles[at + head + TIME]! <= time; count--) head += doubles[at + head + SIZE]!;
    if (count === 0) {
      head = HEADER;
      doubles[at + END] = HEADER;
    }
    doubles[at + HEAD] = head;
    doubles[at + COUNT] = count;
  }

  private read(slot: number, what: number): number {
    return this.store.has(slot) ? this.store.segmentOf(slot).doubles[this.placeOf(slot) + what]! : 0;
  }

  /** Place of the slot in its segment, in doubles; records of whole doubles lie at whole doubles. */
  private placeOf(slot: number): number {
    return this.store.startOf(slot) >> 3;
  }

  /** Makes room at the end for so many doubles more; answers the slot's place. */
  private roomFor(slot: number, size: number): number {
    const { store } = this;
    if (!store.has(slot)) return this.begin(slot, size);
    const at = this.placeOf(slot);
    const segment = store.segmentOf(slot);
    const { doubles } = segment;
    const capacity = capacityAt(segment, at);
    const [head, end] = [doubles[at + HEAD]!, doubles[at + END]!];
    if (end + size <= capacity) return at;
    const used = end - head;
    // What was dropped at the beginning leaves room. A ring that is nearly full would be moved too often.
    const isRoomy = HEADER + used + size <= capacity - (capacity >> 2);
    const kept = isRoomy ? null : doubles.slice(at, at + end);
    const moved = isRoomy ? at : this.allocate(slot, Math.max(HEADER + used + size, capacity + (capacity >> 1)));
    const into = store.segmentOf(slot).doubles;
    if (kept === null) into.copyWithin(at + HEADER, at + head, at + end);
    else {
      into.set(kept.subarray(0, HEADER), moved);
      into.set(kept.subarray(head, end), moved + HEADER);
    }
    into[moved + HEAD] = HEADER;
    into[moved + LAST] = into[moved + LAST]! - head + HEADER;
    into[moved + END] = HEADER + used;
    return moved;
  }

  private begin(slot: number, size: number): number {
    const at = this.allocate(slot, Math.max(DOUBLES_MIN, HEADER + 2 * size));
    const { doubles } = this.store.segmentOf(slot);
    doubles.fill(0, at, at + HEADER);
    doubles[at + HEAD] = HEADER;
    doubles[at + END] = HEADER;
    return at;
  }

  private allocate(slot: number, doubles: number): number {
    return this.store.allocate(slot, doubles << 3) >> 3;
  }
}

/** In doubles; the bytes of a slot have their number before them. */
const capacityAt = ({ words }: Segment, at: number): number => words[(at << 1) - 1]! >> 3;

const COPY_BY_BYTE_MAX = 64;

function copyBytes(from: Uint8Array, length: number, to: Uint8Array, at: number): void {
  if (length > COPY_BY_BYTE_MAX) to.set(from.subarray(0, length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[i]!;
}
