import { pack, partsOf } from '../packed.js';

export interface StateEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Entries in one piece of memory, in order of key bytes: a million of them are no million objects. */
export class EntryBlock {
  /** Keys and values, one after the other. */
  readonly bytes: Buffer;
  /** Of `bytes`. */
  readonly view: DataView;
  /** Where each key, and each value, ends in `bytes`. */
  private readonly ends: Uint32Array;

  /** `packed`: key and value of each entry, as `pack` writes them. */
  constructor(readonly packed: ArrayBuffer) {
    const { bytes, lengths } = partsOf(packed);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.ends = new Uint32Array(lengths.length);
    let at = 0;
    for (let i = 0; i < lengths.length; i++) {
      at += lengths[i]!;
      this.ends[i] = at;
    }
  }

  /** Copies the entries. */
  static of(entries: readonly StateEntry[]): EntryBlock {
    return new EntryBlock(pack(entries.flatMap(({ key, value }) => [key, value])));
  }

  get count(): number {
    return this.ends.length >>> 1;
  }

  /** Where the key of an entry begins in `bytes`. */
  keyStart(entry: number): number {
    return entry === 0 ? 0 : this.ends[2 * entry - 1]!;
  }

  /** Where the key of an entry ends, and its value begins. */
  valueStart(entry: number): number {
    return this.ends[2 * entry]!;
  }

  valueEnd(entry: number): number {
    return this.ends[2 * entry + 1]!;
  }

  /** A view. */
  keyAt(entry: number): Buffer {
    return this.bytes.subarray(this.keyStart(entry), this.valueStart(entry));
  }

  /** A view. */
  valueAt(entry: number): Buffer {
    return this.bytes.subarray(this.valueStart(entry), this.valueEnd(entry));
  }

  /** Below 0: the entry's key comes before `key`; 0: it is that. */
  compareKey(entry: number, key: Uint8Array): number {
    return this.bytes.compare(key, 0, key.length, this.keyStart(entry), this.valueStart(entry));
  }

  *[Symbol.iterator](): Generator<StateEntry> {
    for (let i = 0; i < this.count; i++) yield { key: this.keyAt(i), value: this.valueAt(i) };
  }
}

/** When a block of entries is full. */
export const BLOCK_BYTES = 256 * 1024;
export const BLOCK_ENTRIES = 4096;

/** Entries that come one by one, in blocks. */
export async function* blocksOf(
  entries: AsyncIterable<StateEntry>,
  entriesMax = BLOCK_ENTRIES,
): AsyncGenerator<EntryBlock, void, undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const { key, value } of entries) {
    parts.push(key, value);
    bytes += key.length + value.length;
    if (bytes < BLOCK_BYTES && parts.length < 2 * entriesMax) continue;
    yield new EntryBlock(pack(parts));
    [parts, bytes] = [[], 0];
  }
  if (parts.length > 0) yield new EntryBlock(pack(parts));
}
