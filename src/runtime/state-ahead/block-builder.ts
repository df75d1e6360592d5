import { packRun } from '../packed.js';
import { BLOCK_BYTES, BLOCK_ENTRIES, EntryBlock } from '../ports/entry-block.js';

/** Puts entries together to a block; they come in order of their keys. */
export class BlockBuilder {
  private memory = Buffer.allocUnsafeSlow(4096);
  private lengths: number[] = [];
  private used = 0;

  get count(): number {
    return this.lengths.length / 2;
  }

  get bytes(): number {
    return this.used;
  }

  /** A view of the key that came last, until the next call; only while there is one. */
  get lastKey(): Uint8Array {
    const [key, value] = this.lengths.slice(-2) as [number, number];
    return this.memory.subarray(this.used - value - key, this.used - value);
  }

  /** Copies an entry; says whether the block is full. */
  add(key: Uint8Array, value: Uint8Array): boolean {
    this.reserve(key.length + value.length);
    this.memory.set(key, this.used);
    this.memory.set(value, this.used + key.length);
    this.used += key.length + value.length;
    this.lengths.push(key.length, value.length);
    return this.isFull;
  }

  /** Copies the entries `from` up to `to` of a block; says whether this one is full. */
  addAll(block: EntryBlock, from: number, to: number): boolean {
    if (from >= to) return this.isFull;
    const [start, end] = [block.keyStart(from), block.valueEnd(to - 1)];
    this.reserve(end - start);
    block.bytes.copy(this.memory, this.used, start, end);
    this.used += end - start;
    for (let entry = from; entry < to; entry++) {
      const value = block.valueStart(entry);
      this.lengths.push(value - block.keyStart(entry), block.valueEnd(entry) - value);
    }
    return this.isFull;
  }

  /** The block of what came since the last one; it may have no entries. */
  finish(): EntryBlock {
    const block = new EntryBlock(packRun(this.memory.subarray(0, this.used), this.lengths));
    this.lengths = [];
    this.used = 0;
    return block;
  }

  private get isFull(): boolean {
    return this.used >= BLOCK_BYTES || this.lengths.length >= 2 * BLOCK_ENTRIES;
  }

  private reserve(more: number): void {
    if (this.used + more <= this.memory.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.used + more));
    this.memory.copy(larger, 0, 0, this.used);
    this.memory = larger;
  }
}
