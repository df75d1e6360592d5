import { firstWhere } from '../bisect.js';
import { BLOCK_BYTES, BLOCK_ENTRIES, EntryBlock } from '../ports/entry-block.js';
import type { StateEntry } from '../ports/state-store.js';
import { BlockBuilder } from './block-builder.js';

/** Changes that wait to be put among the blocks, at most. */
const WAITING_MAX = 65_536;
/** What an entry that waits takes beside its bytes, about. */
const WAITING_BYTES = 200;

/** What a key has now; `value` is `null` when it has gone. */
interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * The entries of a partition in memory, kept in order while they change, in the blocks in which they are given out.
 *
 * Invariants
 * 1. Blocks are in order of their keys, no key is in two of them, and none is changed: one with changes gives way to another.
 * 2. What waits is newer than what the blocks have. What is in `tail` comes after all blocks, and then nothing waits.
 */
export class EntryImage {
  private blocks: EntryBlock[] = [];
  private readonly tail = new BlockBuilder();
  private readonly waiting = new Map<string, Change>();
  private waitingBytes = 0;
  private blockBytes = 0;

  /** `turn`: lets other work go on. */
  constructor(private readonly turn: () => Promise<void>) {}

  /** Memory that it takes, about. */
  get bytes(): number {
    return this.blockBytes + this.tail.bytes + this.waitingBytes;
  }

  /** Adds entries that come after all there are. */
  append(block: EntryBlock): void {
    if (block.count === 0) return;
    this.blocks.push(block);
    this.blockBytes += block.packed.byteLength;
  }

  /** As a batch changes a store: what goes first, and then what comes. Copies what it keeps. */
  async change(puts: readonly StateEntry[], deletes: readonly Uint8Array[]): Promise<void> {
    if (!this.isEmpty) for (const key of deletes) this.await(key, null);
    const goOn = this.waiting.size === 0 && comeAfter(puts, this.lastKey());
    for (const { key, value } of puts) {
      if (!goOn) this.await(key, value);
      else if (this.tail.add(key, value)) this.append(this.tail.finish());
    }
    if (this.waiting.size >= WAITING_MAX) await this.settle();
  }

  /** Puts what waits among the blocks. */
  async settle(): Promise<void> {
    this.append(this.tail.finish());
    if (this.waiting.size === 0) return;
    const changes = [...this.waiting.values()].sort((a, b) => Buffer.compare(a.key, b.key));
    const old = this.blocks;
    this.blocks = [];
    this.blockBytes = 0;
    this.waiting.clear();
    this.waitingBytes = 0;
    await this.merge(old, changes);
  }

  /** All of it, once: `settle` must have come right before. */
  take(): EntryBlock[] {
    const { blocks } = this;
    this.blocks = [];
    this.blockBytes = 0;
    return blocks;
  }

  private get isEmpty(): boolean {
    return this.blocks.length === 0 && this.tail.count === 0 && this.waiting.size === 0;
  }

  private await(key: Uint8Array, value: Uint8Array | null): void {
    // What is in the tail must be in a block, where what waits is put.
    if (this.tail.count > 0) this.append(this.tail.finish());
    const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
    const before = this.waiting.get(name);
    if (before !== undefined) this.waitingBytes -= sizeOf(before);
    const change = { key: new Uint8Array(key), value: value === null ? null : new Uint8Array(value) };
    this.waiting.set(name, change);
    this.waitingBytes += sizeOf(change);
  }

  private async merge(old: readonly EntryBlock[], changes: readonly Change[]): Promise<void> {
    const out = new BlockBuilder();
    let next = 0;
    for (const [i, block] of old.entries()) {
      const end = i === old.length - 1 ? changes.length : firstAfter(changes, next, block);
      if (next === end && out.count === 0) {
        this.append(block);
        continue;
      }
      this.mergeOne(out, block, changes, next, end);
      next = end;
      if (out.count >= BLOCK_ENTRIES / 2 || out.bytes >= BLOCK_BYTES / 2) this.append(out.finish());
      await this.turn();
    }
    for (const { key, value } of changes.slice(next)) {
      if (value !== null && out.add(key, value)) this.append(out.finish());
    }
    this.append(out.finish());
  }

  /** Gives a builder the entries of a block with the changes `from` to `to`. */
  private mergeOne(out: BlockBuilder, block: EntryBlock, changes: readonly Change[], from: number, to: number): void {
    let entry = 0;
    for (let i = from; i < to; i++) {
      const { key, value } = changes[i]!;
      const place = firstAtOrAfter(block, entry, key);
      if (out.addAll(block, entry, place)) this.append(out.finish());
      const isThere = place < block.count && block.compareKey(place, key) === 0;
      entry = isThere ? place + 1 : place;
      if (value !== null && out.add(key, value)) this.append(out.finish());
    }
    if (out.addAll(block, entry, block.count)) this.append(out.finish());
  }

  private lastKey(): Uint8Array | null {
    if (this.tail.count > 0) return this.tail.lastKey;
    const last = this.blocks.at(-1);
    return last === undefined ? null : last.keyAt(last.count - 1);
  }
}

const sizeOf = ({ key, value }: Change): number => WAITING_BYTES + 2 * key.length + (value?.length ?? 0);

/** Whether entries are in order of their keys, and after a key. */
function comeAfter(entries: readonly StateEntry[], key: Uint8Array | null): boolean {
  let last = key;
  for (const entry of entries) {
    if (last !== null && Buffer.compare(last, entry.key) >= 0) return false;
    last = entry.key;
  }
  return true;
}

/** Number of the first change, from `from` on, that comes after all keys of a block. */
function firstAfter(changes: readonly Change[], from: number, block: EntryBlock): number {
  return firstWhere(from, changes.length, (i) => block.compareKey(block.count - 1, changes[i]!.key) < 0);
}

/** The first entry of a block, from `from` on, whose key does not come before `key`. */
function firstAtOrAfter(block: EntryBlock, from: number, key: Uint8Array): number {
  return firstWhere(from, block.count, (i) => block.compareKey(i, key) >= 0);
}
