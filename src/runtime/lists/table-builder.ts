import { hashBytes } from './text-hash.js';
import { bucketOf, TextTable } from './text-table.js';

/** Entries that one list may hold; more than any machine could keep. */
const ENTRIES_MAX = 2 ** 28;
/** A double holds a hash and a place exactly. */
const PLACES = 2 ** 21;

/** Collects the entries of a list, as slices of the bytes they were read from, and makes a table of them. */
export class TableBuilder {
  private count = 0;
  private from = new Float64Array(1024);
  private to = new Float64Array(1024);
  private valueFrom = new Float64Array(0);
  private valueTo = new Float64Array(0);

  constructor(
    private readonly bytes: Uint8Array,
    private readonly isMap: boolean,
  ) {
    if (isMap) {
      this.valueFrom = new Float64Array(1024);
      this.valueTo = new Float64Array(1024);
    }
  }

  add(from: number, to: number, valueFrom = 0, valueTo = 0): void {
    if (this.count === this.from.length) this.grow();
    if (this.count >= ENTRIES_MAX) throw new RangeError('too many entries');
    this.from[this.count] = from;
    this.to[this.count] = to;
    if (this.isMap) {
      this.valueFrom[this.count] = valueFrom;
      this.valueTo[this.count] = valueTo;
    }
    this.count++;
  }

  /** Of an entry that is there twice, the last one counts. */
  build(): TextTable {
    const hashes = this.hashes();
    const order = this.unique(this.sorted(hashes), hashes);
    const { isMap } = this;
    const keyBytes = order.reduce((sum, at) => sum + this.to[at]! - this.from[at]!, 0);
    const valueBytes = isMap ? order.reduce((sum, at) => sum + this.valueTo[at]! - this.valueFrom[at]!, 0) : 0;
    const bucketBits = Math.max(0, Math.ceil(Math.log2(Math.max(1, order.length))));
    const data = {
      size: order.length,
      bucketBits,
      starts: words(2 ** bucketBits + 1),
      keys: bytes(keyBytes),
      keyEnds: words(order.length),
      values: bytes(valueBytes),
      valueEnds: words(isMap ? order.length : 0),
    };
    let keyEnd = 0;
    let valueEnd = 0;
    for (let i = 0; i < order.length; i++) {
      const at = order[i]!;
      const from = this.from[at]!;
      const to = this.to[at]!;
      keyEnd = copy(this.bytes, from, to, data.keys, keyEnd);
      data.keyEnds[i] = keyEnd;
      data.starts[bucketOf(hashes[at]!, bucketBits) + 1]!++;
      if (!isMap) continue;
      valueEnd = copy(this.bytes, this.valueFrom[at]!, this.valueTo[at]!, data.values, valueEnd);
      data.valueEnds[i] = valueEnd;
    }
    for (let b = 1; b < data.starts.length; b++) data.starts[b]! += data.starts[b - 1]!;
    return new TextTable(data);
  }

  private hashes(): Uint32Array {
    const hashes = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i++) hashes[i] = hashBytes(this.bytes, this.from[i]!, this.to[i]!);
    return hashes;
  }

  /** Places in order of hash, then of key, then of place. */
  private sorted(hashes: Uint32Array): Uint32Array {
    const { count } = this;
    const order = count <= PLACES ? byNumber(hashes) : byRadix(hashes);
    for (let begin = 0; begin < count; ) {
      let end = begin + 1;
      while (end < count && hashes[order[end]!] === hashes[order[begin]!]) end++;
      if (end - begin > 1) order.subarray(begin, end).sort((a, b) => this.compare(a, b) || a - b);
      begin = end;
    }
    return order;
  }

  private unique(order: Uint32Array, hashes: Uint32Array): Uint32Array {
    let kept = 0;
    for (let i = 0; i < order.length; i++) {
      const [at, next] = [order[i]!, order[i + 1]];
      const replaced = next !== undefined && hashes[at] === hashes[next] && this.compare(at, next) === 0;
      if (!replaced) order[kept++] = order[i]!;
    }
    return order.subarray(0, kept);
  }

  private compare(a: number, b: number): number {
    const [fromA, fromB] = [this.from[a]!, this.from[b]!];
    const [lengthA, lengthB] = [this.to[a]! - fromA, this.to[b]! - fromB];
    for (let i = 0; i < Math.min(lengthA, lengthB); i++) {
      const difference = this.bytes[fromA + i]! - this.bytes[fromB + i]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }

  private grow(): void {
    const larger = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(column.length * 2);
      grown.set(column);
      return grown;
    };
    this.from = larger(this.from);
    this.to = larger(this.to);
    this.valueFrom = larger(this.valueFrom);
    this.valueTo = larger(this.valueTo);
  }
}

/** Byte by byte, which is the quickest for what is so short. */
function copy(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  let end = at;
  for (let i = from; i < to; i++) into[end++] = bytes[i]!;
  return end;
}

/** One number of hash and place sorts faster than places by a comparison. */
function byNumber(hashes: Uint32Array): Uint32Array {
  const numbers = Float64Array.from(hashes, (hash, i) => hash * PLACES + i).sort();
  return Uint32Array.from(numbers, (number) => number % PLACES);
}

/** Sixteen bits at a time; keeps the order of equal hashes. */
function byRadix(hashes: Uint32Array): Uint32Array {
  let order = Uint32Array.from(hashes, (_, i) => i);
  let next = new Uint32Array(hashes.length);
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65_537);
    for (let i = 0; i < hashes.length; i++) starts[((hashes[i]! >>> shift) & 0xffff) + 1]!++;
    for (let d = 1; d < starts.length; d++) starts[d]! += starts[d - 1]!;
    for (let i = 0; i < order.length; i++) next[starts[(hashes[order[i]!]! >>> shift) & 0xffff]!++] = order[i]!;
    [order, next] = [next, order];
  }
  return order;
}

const words = (length: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(length * 4));
const bytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
