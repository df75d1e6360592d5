import { WordColumn } from './columns.js';

/** Bytes of a segment: what compaction moves from, and what is given back to the system at once. */
const SEGMENT_BITS = 20;
const SEGMENT = 1 << SEGMENT_BITS;
const SEGMENT_MIN = 1 << 14;
/** An address is a segment's number and a place in it, in words of 4 bytes. */
const PLACE_BITS = SEGMENT_BITS - 2;
const PLACE_MASK = (1 << PLACE_BITS) - 1;
const SEGMENTS_MAX = (1 << (32 - PLACE_BITS)) - 1;
/** Words before the bytes of a record: slot, length. */
const HEADER_WORDS = 2;
/** Memory that may be waste: so much, and a third of what is held. */
const WASTE_FREE = 2 * SEGMENT;
const WASTE_SHARE = 3;
/** Bytes that one operation looks at while it compacts, beside four times its own. */
const COMPACT_STEP = 2048;
const COPY_BY_WORD_MAX = 64;

export interface Segment {
  readonly bytes: Buffer;
  /** The same memory. */
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  /** Words written, from the start. */
  used: number;
  /** Words in records that hold. */
  live: number;
}

/**
 * Bytes by slot, outside the heap that the garbage collector walks: a log in segments. A value is appended to the newest;
 * what is replaced or deleted stays behind as waste, until the emptiest segment is compacted, a few records an operation.
 *
 * Invariants
 * 1. `addresses` of a slot is the address of its record plus one, or 0. A record in a segment holds exactly when that
 *    address is its own.
 * 2. Only the newest segment, `head`, is written to; an older one without a record that holds is given up at once.
 * 3. No operation does more than: its own bytes, four times as many of others, and `COMPACT_STEP`.
 */
export class ByteStore {
  private readonly addresses = new WordColumn();
  private readonly segments: (Segment | undefined)[] = [];
  /** Numbers in `segments` to use again. */
  private readonly vacant: number[] = [];
  private spare: Segment | null = null;
  private head = -1;
  private taken = 0;
  private liveWords = 0;
  private held = 0;
  /** Segment that is compacted, or -1; and the word that it has come to. */
  private victim = -1;
  private cursor = 0;

  /** Bytes of all values. */
  get bytesHeld(): number {
    return this.held;
  }

  /** Memory taken beyond `bytesHeld`: headers, what was replaced, what is not yet used. Without the index. */
  get bytesWasted(): number {
    return this.taken - this.held;
  }

  /** Memory of the index from slots to values, in bytes. */
  get indexBytes(): number {
    return this.addresses.bytes;
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    this.addresses.reserve(slots);
  }

  has(slot: number): boolean {
    return this.addresses.get(slot) !== 0;
  }

  /** Keeps a copy of `bytes` for the slot, in place of what it had. Throws `RangeError` above some 16 GB. */
  put(slot: number, bytes: Uint8Array): void {
    const at = this.allocate(slot, bytes.length);
    this.segmentOf(slot).bytes.set(bytes, at);
  }

  /** A view that holds until the next `put`, `allocate` or `delete`. Throws `RangeError` for a slot that has nothing. */
  get(slot: number): Uint8Array {
    if (!this.has(slot)) throw new RangeError(`slot ${slot} has no bytes`);
    const segment = this.segmentOf(slot);
    const start = this.startOf(slot);
    return new Uint8Array(segment.bytes.buffer, start, lengthAt(segment, start));
  }

  delete(slot: number): void {
    const length = this.forget(slot);
    if (length >= 0) this.compact(length);
  }

  /** Gives the slot `length` bytes, in place of what it had, and answers where in its segment to write them. */
  allocate(slot: number, length: number): number {
    this.forget(slot);
    this.compact(length);
    const at = this.append(slot, length);
    this.held += length;
    return at;
  }

  /** The segment with the bytes of a slot that has some; for those who read and write without a view. */
  segmentOf(slot: number): Segment {
    return this.segments[(this.addresses.get(slot) - 1) >>> PLACE_BITS]!;
  }

  /** Where in the `bytes` of its segment the slot's own begin. */
  startOf(slot: number): number {
    return (((this.addresses.get(slot) - 1) & PLACE_MASK) + HEADER_WORDS) << 2;
  }

  /** Length of what the slot had; -1: nothing. */
  private forget(slot: number): number {
    const stored = this.addresses.get(slot);
    if (stored === 0) return -1;
    const index = (stored - 1) >>> PLACE_BITS;
    const segment = this.segments[index]!;
    const length = segment.words[((stored - 1) & PLACE_MASK) + 1]!;
    const words = wordsOf(length);
    this.addresses.set(slot, 0);
    segment.live -= words;
    this.liveWords -= words;
    this.held -= length;
    if (segment.live === 0 && index !== this.head) this.giveUp(index);
    return length;
  }

  private append(slot: number, length: number): number {
    const words = wordsOf(length);
    let segment = this.head < 0 ? undefined : this.segments[this.head];
    if (segment === undefined || segment.used + words > segment.words.length) segment = this.open(words);
    const place = segment.used;
    segment.words[place] = slot;
    segment.words[place + 1] = length;
    segment.used += words;
    segment.live += words;
    this.liveWords += words;
    this.addresses.set(slot, addressOf(this.head, place));
    return (place + HEADER_WORDS) * 4;
  }

  /** A new head with room for a record of `words`. One too large for a segment gets a segment of its own. */
  private open(words: number): Segment {
    const old = this.head;
    const size = Math.max(words * 4, Math.min(SEGMENT, Math.max(SEGMENT_MIN, powerOfTwo(this.taken))));
    const index = this.vacant.pop() ?? this.segments.length;
    if (index >= SEGMENTS_MAX) throw new RangeError('too many bytes for one store');
    let segment = this.spare;
    if (segment !== null && segment.bytes.length >= size) this.spare = null;
    else segment = makeSegment(size);
    this.segments[index] = segment;
    this.taken += segment.bytes.length;
    this.head = index;
    if (old >= 0 && this.segments[old]!.live === 0) this.giveUp(old);
    return segment;
  }

  private giveUp(index: number): void {
    const segment = this.segments[index]!;
    this.segments[index] = undefined;
    this.vacant.push(index);
    this.taken -= segment.bytes.length;
    if (index === this.victim) this.victim = -1;
    if (segment.bytes.length !== SEGMENT) return;
    segment.used = 0;
    this.spare = segment;
  }

  /** Moves records out of the emptiest segment, while there is too much waste. `length`: of the operation that pays for it. */
  private compact(length: number): void {
    if (this.victim < 0 && !this.chooseVictim()) return;
    let budget = length + COMPACT_STEP / 4;
    while (this.victim >= 0 && budget > 0) budget -= this.moveNext(this.segments[this.victim]!);
  }

  private chooseVictim(): boolean {
    const dead = this.taken - this.liveWords * 4;
    if (dead < WASTE_FREE + (this.liveWords * 4) / WASTE_SHARE) return false;
    let best = 1;
    for (let i = 0; i < this.segments.length; i++) {
      const segment = this.segments[i];
      if (segment === undefined || i === this.head) continue;
      const share = segment.live / segment.words.length;
      if (share >= best) continue;
      best = share;
      this.victim = i;
    }
    this.cursor = 0;
    return this.victim >= 0;
  }

  /** Looks at one record of the victim; answers the words that took. */
  private moveNext(segment: Segment): number {
    const place = this.cursor;
    const slot = segment.words[place]!;
    const length = segment.words[place + 1]!;
    const words = wordsOf(length);
    this.cursor = place + words;
    if (this.addresses.get(slot) !== addressOf(this.victim, place)) return HEADER_WORDS;
    segment.live -= words;
    this.liveWords -= words;
    const at = this.append(slot, length);
    copyWords(segment, place + HEADER_WORDS, this.segments[this.head]!, at / 4, words - HEADER_WORDS);
    if (segment.live === 0) this.giveUp(this.victim);
    return words;
  }
}

function makeSegment(size: number): Segment {
  const memory = new ArrayBuffer(size);
  return {
    words: new Uint32Array(memory),
    doubles: new Float64Array(memory, 0, size >> 3),
    bytes: Buffer.from(memory),
    used: 0,
    live: 0,
  };
}

/** Length of the value whose bytes begin at `start`. */
export function lengthAt(segment: Segment, start: number): number {
  return segment.words[(start >> 2) - 1]!;
}

/** As it stands in a column of signed words. */
function addressOf(segment: number, place: number): number {
  return (((segment << PLACE_BITS) | place) + 1) | 0;
}

function wordsOf(length: number): number {
  return HEADER_WORDS + ((length + 3) >>> 2);
}

function copyWords(from: Segment, fromWord: number, to: Segment, toWord: number, count: number): void {
  const [source, target] = [from.words, to.words];
  if (count > COPY_BY_WORD_MAX) target.set(source.subarray(fromWord, fromWord + count), toWord);
  else for (let i = 0; i < count; i++) target[toWord + i] = source[fromWord + i]!;
}

function powerOfTwo(size: number): number {
  return size < 2 ? 1 : 2 ** Math.floor(Math.log2(size));
}
