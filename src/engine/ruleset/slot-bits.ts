/** Up to so many words are written one by one: most rule sets have one or two, and a call for them costs more than they do. */
const FEW_WORDS = 8;

/** A set of slots that is gone through in ascending order, whatever the order in which they were put in. */
export class SlotBits {
  readonly words: Int32Array;

  constructor(slots: number) {
    this.words = new Int32Array((slots + 31) >>> 5);
  }

  clear(): void {
    const { words } = this;
    if (words.length > FEW_WORDS) words.fill(0);
    else for (let i = 0; i < words.length; i++) words[i] = 0;
  }

  add(slot: number): void {
    this.words[slot >>> 5]! |= 1 << (slot & 31);
  }

  has(slot: number): boolean {
    return (this.words[slot >>> 5]! & (1 << (slot & 31))) !== 0;
  }

  /** Whether the slot was in the set; now it is not. */
  take(slot: number): boolean {
    const bit = 1 << (slot & 31);
    const word = this.words[slot >>> 5]!;
    if ((word & bit) === 0) return false;
    this.words[slot >>> 5] = word & ~bit;
    return true;
  }

  /** The first slot from `slot` on; -1: none. */
  next(slot: number): number {
    const { words } = this;
    let at = slot >>> 5;
    if (at >= words.length) return -1;
    let bits = words[at]! & (-1 << (slot & 31));
    while (bits === 0) {
      if (++at === words.length) return -1;
      bits = words[at]!;
    }
    return (at << 5) + 31 - Math.clz32(bits & -bits);
  }
}
