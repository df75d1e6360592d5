import { WordColumn } from './columns.js';
import { KeyArena } from './key-arena.js';
import { scanKey, scanned } from './key-text.js';

/** Places of a shard, at most; it is split (or, where that cannot help, doubled) when three in five are taken. */
const SHARD_BITS = 12;
const SHARD_MAX = 1 << SHARD_BITS;
const SHARD_MIN = 16;
/** The directory may have so many times more entries than there are shards. */
const DIRECTORY_SPARE = 8;
/** Keys that are looked up side by side, and the words of the longest that is. */
const BATCH = 64;
const BATCH_WORDS = 16;
const TOO_LONG = -1;
/** Scratch of `findAll`, by number of the key; of each key `BATCH_WORDS` words. */
const ahead = {
  hashes: new Int32Array(BATCH),
  heads: new Int32Array(BATCH),
  stored: new Int32Array(BATCH),
  words: new Int32Array(BATCH * BATCH_WORDS),
};
/** At the end of a shard's array: keys in it, and hash bits that all of them share. */
const TAIL = 2;

/**
 * Strings to small whole numbers, outside the heap that the garbage collector walks.
 *
 * Extendible hashing: a directory, indexed by the low bits of the hash, of shards, which are open-addressing tables indexed
 * by the high bits. A shard is pairs of words: hash, and the address of the key in the arena plus one; 0 is free. The slot
 * stands there with the key.
 *
 * Invariants
 * 1. The keys of a shard of depth `d` share the low `d` bits of their hash, and every directory entry with these bits is
 *    that shard.
 * 2. From the place that a key's hash names to where it stands there is no free place (so removing shifts back, and leaves
 *    nothing behind).
 * 3. `add` and `remove` touch one shard, and grow one: no call takes longer because the table is large. (The directory
 *    doubles now and then; it has one entry for a thousand keys.)
 * 4. A slot stays a key's until `remove`; then it is given to a key that is added later.
 */
export class KeyTable {
  private directory: Int32Array[] = [makeShard(SHARD_MIN, 0)];
  private shards = 1;
  private shardWords = SHARD_MIN * 2;
  private readonly arena = new KeyArena();
  /** Slot to address; of a slot that has no key, to the next such slot, or -1. */
  private readonly addresses = new WordColumn();
  private freeSlot = -1;
  private slots = 0;
  private keys = 0;
  private removed = 0;
  /** Means nothing: it is there so that what it is made of is read. */
  protected warmth = 0;

  /** Keys in the table. */
  get size(): number {
    return this.keys;
  }

  /** All slots are below it. It grows by one at a time and never shrinks. */
  get capacity(): number {
    return this.slots;
  }

  /** How many keys were removed so far: while it stays, so do the slots of all keys. */
  get removals(): number {
    return this.removed;
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return (this.shardWords + this.directory.length * 2) * 4 + this.addresses.bytes + this.arena.bytes;
  }

  /** Slot of the key; -1: not there. */
  find(key: string): number {
    return this.lookUp(scanKey(key));
  }

  /**
   * Slots of the first `count` keys, as `find` says them. The same is read of all keys before the next of any, so that the waits for memory go
   * side by side.
   */
  findAll(keys: readonly string[], count: number, slots: number[]): void {
    for (let from = 0; from < count; from += BATCH) this.findSome(keys, from, Math.min(from + BATCH, count), slots);
  }

  /**
   * A loop that only reads what the next one will look at has many reads under way at a time; one that also decides has few, and
   * begins anew whenever the processor guessed wrong.
   */
  private findSome(keys: readonly string[], from: number, to: number, slots: number[]): void {
    const { arena } = this;
    const { hashes, heads, words, stored } = ahead;
    const count = to - from;
    let sum = 0;
    for (let i = from; i < to; i++) sum += keys[i]!.length;
    for (let i = 0; i < count; i++) {
      hashes[i] = scanKey(keys[from + i]!);
      heads[i] = scanned.head;
      const { count, words: source } = scanned;
      if (count > BATCH_WORDS) heads[i] = TOO_LONG;
      else for (let k = 0; k < count; k++) words[i * BATCH_WORDS + k] = source[k]!;
    }
    for (let i = 0; i < count; i++) {
      const shard = this.shardOf(hashes[i]!);
      sum += shard[home(hashes[i]!, wrapOf(shard))]!;
    }
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      const shard = this.shardOf(hash);
      const wrap = wrapOf(shard);
      let at = home(hash, wrap);
      while (shard[at] !== hash && shard[at + 1] !== 0) at = (at + 2) & wrap;
      stored[i] = shard[at + 1]!;
    }
    for (let i = 0; i < count; i++) if (stored[i] !== 0) sum += arena.touch(stored[i]! - 1);
    for (let i = 0; i < count; i++) {
      const isPlain = stored[i] !== 0 && heads[i] !== TOO_LONG;
      const slot = isPlain ? arena.slotIf(stored[i]! - 1, heads[i]!, words, i * BATCH_WORDS) : -1;
      slots[from + i] = slot >= 0 ? slot : this.find(keys[from + i]!);
    }
    this.warmth = sum;
  }

  /** Slot of the key, which is added if it is not there. */
  add(key: string): number {
    const hash = scanKey(key);
    const found = this.lookUp(hash);
    if (found >= 0) return found;
    const slot = this.takeSlot();
    const address = this.arena.write(slot);
    this.addresses.set(slot, address);
    let shard = this.shardOf(hash);
    if (isFull(shard)) shard = this.makeRoom(shard, hash);
    insert(shard, hash, address + 1);
    this.keys++;
    return slot;
  }

  /** Frees the slot of a key that is in the table. */
  remove(slot: number): void {
    const address = this.addresses.get(slot);
    const hash = this.arena.hashAt(address);
    const shard = this.shardOf(hash);
    const wrap = wrapOf(shard);
    let at = home(hash, wrap);
    while (shard[at + 1] !== ((address + 1) | 0)) at = (at + 2) & wrap;
    shiftBack(shard, at, wrap);
    shard[shard.length - TAIL]!--;
    this.arena.release(address);
    this.addresses.set(slot, this.freeSlot);
    this.freeSlot = slot;
    this.keys--;
    this.removed++;
  }

  /** The key of a slot that has one, exactly as it was added. */
  keyAt(slot: number): string {
    return this.arena.textAt(this.addresses.get(slot));
  }

  /** Order of two keys as JavaScript compares strings, without making them: negative, 0, or positive. */
  compare(a: number, b: number): number {
    return this.arena.compare(this.addresses.get(a), this.addresses.get(b));
  }

  /** The key is the one scanned last. */
  private lookUp(hash: number): number {
    const { directory } = this;
    const shard = directory[hash & (directory.length - 1)]!;
    const wrap = shard.length - TAIL - 2;
    for (let at = (hash >>> (31 - SHARD_BITS)) & wrap; ; at = (at + 2) & wrap) {
      const stored = shard[at + 1]!;
      if (stored === 0) return -1;
      if (shard[at] !== hash) continue;
      const slot = this.arena.slotIfScanned(stored - 1);
      if (slot >= 0) return slot;
    }
  }

  private takeSlot(): number {
    const slot = this.freeSlot;
    if (slot >= 0) {
      this.freeSlot = this.addresses.get(slot);
      return slot;
    }
    this.addresses.reserve(this.slots + 1);
    return this.slots++;
  }

  private shardOf(hash: number): Int32Array {
    return this.directory[hash & (this.directory.length - 1)]!;
  }

  /** Splits or doubles the full shard that `hash` belongs to, until there is room. */
  private makeRoom(full: Int32Array, hash: number): Int32Array {
    let shard = full;
    while (isFull(shard)) {
      if (wrapOf(shard) + 2 < SHARD_MAX * 2 || !this.canSplit(shard)) this.double(shard, hash);
      else this.split(shard, hash);
      shard = this.shardOf(hash);
    }
    return shard;
  }

  /** Keys of one hash cannot be told apart by it, however often a shard is split: then the directory must not grow. */
  private canSplit(shard: Int32Array): boolean {
    return 1 << depthOf(shard) < this.directory.length || this.directory.length < this.shards * DIRECTORY_SPARE;
  }

  private double(shard: Int32Array, hash: number): void {
    const depth = depthOf(shard);
    const places = (shard.length - TAIL) / 2;
    const grown = makeShard(places * 2, depth);
    for (let at = 0; at < places * 2; at += 2) if (shard[at + 1] !== 0) insert(grown, shard[at]!, shard[at + 1]!);
    this.place(grown, hash, depth);
    this.shardWords += places * 2;
  }

  private split(shard: Int32Array, hash: number): void {
    const depth = depthOf(shard);
    const words = shard.length - TAIL;
    if (1 << depth === this.directory.length) this.directory = this.directory.concat(this.directory);
    const low = makeShard(words / 2, depth + 1);
    const high = makeShard(words / 2, depth + 1);
    for (let at = 0; at < words; at += 2) {
      if (shard[at + 1] !== 0) insert(shard[at]! & (1 << depth) ? high : low, shard[at]!, shard[at + 1]!);
    }
    this.place(low, hash & ~(1 << depth), depth + 1);
    this.place(high, hash | (1 << depth), depth + 1);
    this.shards++;
    this.shardWords += words;
  }

  /** Enters a shard wherever the low `depth` bits are those of `hash`. */
  private place(shard: Int32Array, hash: number, depth: number): void {
    const step = 1 << depth;
    for (let at = hash & (step - 1); at < this.directory.length; at += step) this.directory[at] = shard;
  }
}

function makeShard(places: number, depth: number): Int32Array {
  const shard = new Int32Array(places * 2 + TAIL);
  shard[shard.length - 1] = depth;
  return shard;
}

function depthOf(shard: Int32Array): number {
  return shard[shard.length - 1]!;
}

/** Mask that keeps an index into a shard even, and within it. */
function wrapOf(shard: Int32Array): number {
  return shard.length - TAIL - 2;
}

function isFull(shard: Int32Array): boolean {
  return shard[shard.length - TAIL]! * 5 >= ((shard.length - TAIL) / 2) * 3;
}

/** Index in a shard at which a key of this hash is looked for first. */
function home(hash: number, wrap: number): number {
  return (hash >>> (31 - SHARD_BITS)) & wrap;
}

/** `stored` is the address plus one. */
function insert(shard: Int32Array, hash: number, stored: number): void {
  const wrap = wrapOf(shard);
  let at = home(hash, wrap);
  while (shard[at + 1] !== 0) at = (at + 2) & wrap;
  shard[at] = hash;
  shard[at + 1] = stored;
  shard[shard.length - TAIL]!++;
}

/** Frees a place, and moves into it what would no longer be found (Knuth's algorithm R). */
function shiftBack(shard: Int32Array, freed: number, wrap: number): void {
  let hole = freed;
  for (let at = (hole + 2) & wrap; shard[at + 1] !== 0; at = (at + 2) & wrap) {
    const from = home(shard[at]!, wrap);
    // It must stay where the place it is looked for first lies after the hole.
    if (((at - from) & wrap) < ((at - hole) & wrap)) continue;
    shard[hole] = shard[at]!;
    shard[hole + 1] = shard[at + 1]!;
    hole = at;
  }
  shard[hole + 1] = 0;
}
