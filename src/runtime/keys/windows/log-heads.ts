const CHUNK_BITS = 10;
const CHUNK = 1 << CHUNK_BITS;
const MASK = CHUNK - 1;
/** Words of a head. */
const COUNT = 0;
const NEWEST = 1;

/**
 * What is known of the rows that a slot has in a log: how many they are, which is the newest, and their totals. Heads are numbered; the numbers
 * of those that are given up are used again.
 */
export class LogHeads {
  private readonly doubles: Float64Array[] = [];
  /** The same memory as words of 4 bytes. */
  private readonly words: Uint32Array[] = [];
  private readonly vacant: number[] = [];
  private made = 0;

  /** `totalPlaces`: of a head's totals, of which the first is not used. */
  constructor(private readonly totalPlaces: number) {}

  get used(): number {
    return this.made - this.vacant.length;
  }

  /** Bytes of a head. */
  get size(): number {
    return this.totalPlaces * 8;
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.doubles.length * CHUNK * this.size;
  }

  /** A head without rows. */
  make(): number {
    const head = this.vacant.pop() ?? this.made++;
    if (head >> CHUNK_BITS === this.doubles.length) {
      const doubles = new Float64Array(CHUNK * this.totalPlaces);
      this.doubles.push(doubles);
      this.words.push(new Uint32Array(doubles.buffer));
    }
    const at = this.placeOf(head);
    this.totalsOf(head).fill(0, at, at + this.totalPlaces);
    return head;
  }

  giveUp(head: number): void {
    this.vacant.push(head);
  }

  /** The memory in which the totals of a head stand, from `placeOf` on. */
  totalsOf(head: number): Float64Array {
    return this.doubles[head >>> CHUNK_BITS]!;
  }

  placeOf(head: number): number {
    return (head & MASK) * this.totalPlaces;
  }

  countOf(head: number): number {
    return this.words[head >>> CHUNK_BITS]![this.placeOf(head) * 2 + COUNT]!;
  }

  setCount(head: number, count: number): void {
    this.words[head >>> CHUNK_BITS]![this.placeOf(head) * 2 + COUNT] = count;
  }

  /** Position of the newest row, if there is one. */
  newestOf(head: number): number {
    return this.words[head >>> CHUNK_BITS]![this.placeOf(head) * 2 + NEWEST]!;
  }

  setNewest(head: number, position: number): void {
    this.words[head >>> CHUNK_BITS]![this.placeOf(head) * 2 + NEWEST] = position;
  }
}
