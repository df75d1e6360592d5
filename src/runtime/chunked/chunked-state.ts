import { ByteSlabs } from '../byte-slabs.js';
import { blocksOf, EntryBlock } from '../ports/entry-block.js';
import type { PartitionState, StateBatch, StateEntry } from '../ports/state-store.js';
import { ChunkRecords, idsOf, type KeyRecord, NO_RECORD } from './chunk-records.js';
import { CHUNK_SIZES, type ChunkSizes } from './chunk-sizes.js';
import { Joiner } from './joiner.js';
import { splitState } from './split.js';
import { chunkKey, encodeBlock, encodeChunk, encodeSplit, isChunk, isSplit, readWhole } from './split-format.js';

/** Bytes that are taken apart between two turns of other work: about a millisecond. */
const BYTES_PER_TURN = 256 * 1024;
const KEYS_PER_TURN = 1024;
const ENTRIES_AT_ONCE = 512;

/**
 * The state of one partition for those who change it: whole states on this side, and in the store large ones in several entries, of which
 * a change writes few (`split-format.ts`). The store has both kinds, and so have its checkpoints, which know nothing of it.
 *
 * Invariants
 * 1. What a record says of a key is in the store, after all writes that were asked for. It is known from reading all entries before the
 *    first write, or from `clear`.
 * 2. After a write that failed nothing is known of its keys but under which ids there may be chunks: the next write of each has all of
 *    it, under other ids, and takes those away.
 * 3. An entry and its chunks change in one batch.
 */
export class ChunkedState implements PartitionState {
  readonly restoreCopy?: (atOrBefore: number) => Promise<boolean>;
  readonly newestCopy?: (atOrBefore: number) => Promise<number | null>;
  readonly forgetCopies?: () => Promise<void>;
  private records = new ChunkRecords();
  private writes: Promise<void> = Promise.resolve();

  constructor(
    private readonly inner: PartitionState,
    private readonly turn: () => Promise<void>,
    private readonly sizes: ChunkSizes = CHUNK_SIZES,
  ) {
    const { restoreCopy, newestCopy, forgetCopies } = inner;
    if (newestCopy !== undefined) this.newestCopy = (at) => newestCopy.call(inner, at);
    if (restoreCopy !== undefined) this.restoreCopy = (at) => this.forgetting(restoreCopy.call(inner, at));
    if (forgetCopies !== undefined) this.forgetCopies = () => this.forgetting(forgetCopies.call(inner));
  }

  /** Memory that says what the store has of which key, in bytes. */
  get recordBytes(): number {
    return this.records.memoryBytes;
  }

  cut(): Promise<Uint8Array | null> {
    return this.inner.cut();
  }

  async *entries(): AsyncIterable<StateEntry> {
    for await (const block of this.blocks()) yield* block;
  }

  /** Nothing may be written until it was read to its end. */
  async *blocks(): AsyncIterable<EntryBlock> {
    this.records = new ChunkRecords();
    const joiner = new Joiner((key, record) => this.records.set(nameOf(key), record));
    const blocks = this.inner.blocks?.() ?? blocksOf(this.inner.entries(), ENTRIES_AT_ONCE);
    for await (const block of blocks) {
      if (joiner.isIdle && isWhole(block)) yield block;
      else {
        const entries = [...block].flatMap((entry) => [...joiner.add(entry)]);
        if (entries.length > 0) yield EntryBlock.of(entries);
      }
    }
    joiner.end();
  }

  write(batch: StateBatch): Promise<void> {
    const written = this.writes.then(() => this.put(batch));
    this.writes = written.catch(() => undefined);
    return written;
  }

  clear(): Promise<void> {
    return this.forgetting(this.inner.clear());
  }

  async release(): Promise<void> {
    await this.inner.release?.();
  }

  private forgetting<T>(done: Promise<T>): Promise<T> {
    this.records = new ChunkRecords();
    return done;
  }

  private async put({ position, cut, puts, deletes }: StateBatch): Promise<void> {
    const changes = new Changes(this.records, this.sizes);
    let [bytes, keys] = [0, 0];
    for (const key of deletes) {
      changes.delete(key);
      if (++keys % KEYS_PER_TURN === 0) await this.turn();
    }
    for (const { key, value } of puts) {
      changes.put(key, value);
      bytes += value.length;
      if (++keys % KEYS_PER_TURN !== 0 && bytes < BYTES_PER_TURN) continue;
      bytes = 0;
      await this.turn();
    }
    try {
      await this.inner.write({ position, cut, puts: changes.puts, deletes: changes.deletes });
    } catch (error) {
      changes.doubt();
      throw error;
    }
  }
}

/** One batch on its way into the store. */
class Changes {
  readonly puts: StateEntry[] = [];
  readonly deletes: Uint8Array[] = [];
  private readonly before = new Map<string, KeyRecord>();
  private readonly slabs = new ByteSlabs();

  constructor(
    private readonly records: ChunkRecords,
    private readonly sizes: ChunkSizes,
  ) {}

  delete(key: Uint8Array): void {
    this.deletes.push(key);
    if (this.records.size === 0) return;
    const name = nameOf(key);
    this.replace(key, name, this.records.get(name), NO_RECORD);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const { sizes, records } = this;
    const isSmall = value.length < sizes.splitFrom;
    if (isSmall && records.size === 0) {
      this.puts.push({ key, value });
      return;
    }
    const name = nameOf(key);
    const record = records.get(name);
    const isOne = isSmall && record.chunks.length + record.blocks.length === 0;
    const whole = isOne ? null : readWhole(value);
    const split = whole && splitState(whole, record, sizes);
    this.replace(key, name, record, split === null ? NO_RECORD : split.record);
    if (split === null) {
      this.puts.push({ key, value });
      return;
    }
    const { slabs } = this;
    const { events, blocks } = whole!;
    this.puts.push({ key, value: slabs.keep(encodeSplit(whole!, split.plan)) });
    for (const chunk of split.fresh)
      this.puts.push({ key: chunkKey(key, chunk.id), value: slabs.keep(encodeChunk(events, chunk.events)) });
    for (const { id, block } of split.freshBlocks) {
      const { start, end } = blocks[block]!;
      this.puts.push({ key: chunkKey(key, id), value: slabs.keep(encodeBlock(value.subarray(start, end))) });
    }
  }

  /** The write has failed: what it would have changed is there as before, or as it would be after. */
  doubt(): void {
    for (const [name, before] of this.before) {
      const ids = [...idsOf(before), ...idsOf(this.records.get(name))];
      this.records.set(name, { ...NO_RECORD, doubtful: [...new Set(ids)] });
    }
  }

  private replace(key: Uint8Array, name: string, before: KeyRecord, after: KeyRecord): void {
    if (before === NO_RECORD && after === NO_RECORD) return;
    const kept = new Set(idsOf(after));
    for (const id of idsOf(before)) if (!kept.has(id)) this.deletes.push(chunkKey(key, id));
    if (!this.before.has(name)) this.before.set(name, before);
    this.records.set(name, after);
  }
}

function isWhole(block: EntryBlock): boolean {
  for (let i = 0; i < block.count; i++) {
    const value = block.bytes.subarray(block.valueStart(i), block.valueStart(i) + 1);
    if (isSplit(value) || isChunk(value)) return false;
  }
  return true;
}

/** Any bytes as text, and other bytes as another one. */
const nameOf = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');

/** Entries as they are stored, whole: for those who only read. */
export async function* wholeEntries(entries: AsyncIterable<StateEntry>): AsyncGenerator<StateEntry, void, undefined> {
  const joiner = new Joiner();
  for await (const entry of entries) yield* joiner.add(entry);
  joiner.end();
}
