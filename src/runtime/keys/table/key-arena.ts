import { hashOfBytes, scanned, unitAt, wordsOf } from './key-text.js';

/** An address is a segment's number and a place in it, in words of 4 bytes; it never changes while the key is kept. */
const PLACE_BITS = 18;
const PLACE_MASK = (1 << PLACE_BITS) - 1;
const SEGMENT_WORDS = 1 << PLACE_BITS;
const SEGMENT_WORDS_MIN = 1 << 10;
const SEGMENTS_MAX = (1 << (32 - PLACE_BITS)) - 1;
/** Words before the characters of a cell: slot, head. */
const HEADER_WORDS = 2;
/** Cells up to so many words come in every even size, larger ones in powers of two. */
const SMALL_WORDS = 128;
const CLASSES = SMALL_WORDS / 2 + 32;
const NONE = -1;

/**
 * Texts of keys in segments of memory that the garbage collector does not walk, in cells of a few sizes. A freed cell is
 * used again for a key of its size; nothing ever moves.
 *
 * Address -1 stands for none. A freed cell holds in its first word the address of the next free one of its size.
 */
export class KeyArena {
  private readonly words: Int32Array[] = [];
  private readonly texts: Buffer[] = [];
  private readonly free = new Int32Array(CLASSES).fill(NONE);
  /** The segment that is being filled, and the next free word in it. */
  private current = NONE;
  private next = 0;
  private taken = 0;

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.taken * 4;
  }

  /** Keeps the key that was scanned last, for a slot; answers its address. Throws `RangeError` above some 16 GB. */
  write(slot: number): number {
    const { count, head, words: source } = scanned;
    const address = this.allocate(HEADER_WORDS + count);
    const target = this.words[address >>> PLACE_BITS]!;
    const place = address & PLACE_MASK;
    target[place] = slot;
    target[place + 1] = head;
    for (let i = 0; i < count; i++) target[place + HEADER_WORDS + i] = source[i]!;
    return address;
  }

  /** Gives up the key at an address. */
  release(address: number): void {
    const words = this.words[address >>> PLACE_BITS]!;
    const place = address & PLACE_MASK;
    const index = classOf(HEADER_WORDS + wordsOf(words[place + 1]!));
    words[place] = this.free[index]!;
    this.free[index] = address;
  }

  /** Slot of the key at this address if it is the one that was scanned last; -1: it is another. */
  slotIfScanned(address: number): number {
    return this.slotIf(address, scanned.head, scanned.words, 0);
  }

  /** Slot of the key at this address if it has this head, and the words that stand at `from`; -1: it is another. */
  slotIf(address: number, head: number, wanted: Int32Array, from: number): number {
    const words = this.words[address >>> PLACE_BITS]!;
    const place = address & PLACE_MASK;
    if (words[place + 1] !== head) return NONE;
    const first = place + HEADER_WORDS;
    for (let i = wordsOf(head) - 1; i >= 0; i--) if (words[first + i] !== wanted[from + i]) return NONE;
    return words[place]!;
  }

  /** Reads what `slotIf` will look at first. The number means nothing. */
  touch(address: number): number {
    return this.words[address >>> PLACE_BITS]![address & PLACE_MASK]!;
  }

  hashAt(address: number): number {
    const segment = address >>> PLACE_BITS;
    const place = address & PLACE_MASK;
    return hashOfBytes(this.texts[segment]!, (place + HEADER_WORDS) * 4, this.words[segment]![place + 1]!);
  }

  textAt(address: number): string {
    const segment = address >>> PLACE_BITS;
    const place = address & PLACE_MASK;
    const head = this.words[segment]![place + 1]!;
    const start = (place + HEADER_WORDS) * 4;
    const length = head >>> 1;
    return head & 1
      ? this.texts[segment]!.toString('utf16le', start, start + length * 2)
      : this.texts[segment]!.toString('latin1', start, start + length);
  }

  /** As JavaScript compares strings, without making them: negative, 0, or positive. */
  compare(a: number, b: number): number {
    const [textA, textB] = [this.texts[a >>> PLACE_BITS]!, this.texts[b >>> PLACE_BITS]!];
    const [placeA, placeB] = [a & PLACE_MASK, b & PLACE_MASK];
    const headA = this.words[a >>> PLACE_BITS]![placeA + 1]!;
    const headB = this.words[b >>> PLACE_BITS]![placeB + 1]!;
    const [stepA, stepB] = [1 + (headA & 1), 1 + (headB & 1)];
    const shorter = Math.min(headA, headB) >>> 1;
    let atA = (placeA + HEADER_WORDS) * 4;
    let atB = (placeB + HEADER_WORDS) * 4;
    for (let i = 0; i < shorter; i++) {
      const difference = unitAt(textA, atA, stepA) - unitAt(textB, atB, stepB);
      if (difference !== 0) return difference;
      atA += stepA;
      atB += stepB;
    }
    return (headA >>> 1) - (headB >>> 1);
  }

  private allocate(words: number): number {
    const index = classOf(words);
    const freed = this.free[index]!;
    if (freed !== NONE) {
      this.free[index] = this.words[freed >>> PLACE_BITS]![freed & PLACE_MASK]!;
      return freed;
    }
    const size = sizeOf(words);
    if (this.current < 0 || this.next + size > this.words[this.current]!.length) this.open(size);
    const address = (this.current << PLACE_BITS) | this.next | 0;
    this.next += size;
    return address;
  }

  private open(size: number): void {
    if (this.words.length >= SEGMENTS_MAX) throw new RangeError('too many keys for one table');
    const length = Math.max(size, Math.min(SEGMENT_WORDS, Math.max(SEGMENT_WORDS_MIN, this.taken)));
    const memory = new ArrayBuffer(length * 4);
    this.current = this.words.push(new Int32Array(memory)) - 1;
    this.texts.push(Buffer.from(memory));
    this.next = 0;
    this.taken += length;
  }
}

function sizeOf(words: number): number {
  return words <= SMALL_WORDS ? words + (words & 1) : 2 ** Math.ceil(Math.log2(words));
}

function classOf(words: number): number {
  return words <= SMALL_WORDS ? (words + 1) >> 1 : SMALL_WORDS / 2 + Math.ceil(Math.log2(words));
}
