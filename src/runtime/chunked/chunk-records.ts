import { ByteReader, ByteWriter } from '../../engine/index.js';
import { ByteStore } from '../keys/byte-store.js';
import { KeyTable } from '../keys/key-table.js';
import type { EventTable } from './split-format.js';

/** A chunk as it is in the store. */
export interface StoredChunk {
  readonly id: number;
  /** Of its events. */
  readonly bytes: number;
  /** What tells its events from all others of the key. */
  readonly seqs: readonly number[];
  readonly offsets: readonly number[];
}

/** What the store has of a key beside its entry. */
export interface KeyRecord {
  readonly chunks: readonly StoredChunk[];
  /** Ids under which there may be chunks: a write that would tell has failed. */
  readonly doubtful: readonly number[];
}

export const NO_RECORD: KeyRecord = { chunks: [], doubtful: [] };

export const storedChunk = (id: number, { seqs, offsets, size }: EventTable): StoredChunk => ({
  ...{ id, seqs, offsets, bytes: size },
});

/**
 * The records of those keys that have chunks, outside the heap that the garbage collector walks: some five bytes for each event in a
 * chunk.
 */
export class ChunkRecords {
  private readonly table = new KeyTable();
  private readonly bytes = new ByteStore();
  private readonly out = new ByteWriter();

  /** Keys with a record. */
  get size(): number {
    return this.table.size;
  }

  get(key: string): KeyRecord {
    const slot = this.table.size === 0 ? -1 : this.table.find(key);
    return slot < 0 ? NO_RECORD : decode(this.bytes.get(slot));
  }

  /** A record of nothing is none. */
  set(key: string, record: KeyRecord): void {
    if (record.chunks.length + record.doubtful.length === 0) {
      this.delete(key);
      return;
    }
    const slot = this.table.add(key);
    this.bytes.reserve(slot + 1);
    this.bytes.put(slot, this.encode(record));
  }

  private delete(key: string): void {
    const slot = this.table.find(key);
    if (slot < 0) return;
    this.bytes.delete(slot);
    this.table.remove(slot);
  }

  private encode({ chunks, doubtful }: KeyRecord): Uint8Array {
    const { out } = this;
    out.varint(doubtful.length);
    for (const id of doubtful) out.varint(id);
    out.varint(chunks.length);
    let seq = 0;
    let offset = 0;
    for (const chunk of chunks) {
      out.varint(chunk.id);
      out.varint(chunk.bytes);
      out.varint(chunk.seqs.length);
      for (let i = 0; i < chunk.seqs.length; i++) {
        out.varint(zigzag(chunk.seqs[i]! - seq));
        out.varint(zigzag(chunk.offsets[i]! - offset));
        seq = chunk.seqs[i]!;
        offset = chunk.offsets[i]!;
      }
    }
    return out.take();
  }
}

function decode(bytes: Uint8Array): KeyRecord {
  const input = new ByteReader(bytes);
  const doubtful: number[] = [];
  for (let left = input.varint(); left > 0; left--) doubtful.push(input.varint());
  const chunks: StoredChunk[] = [];
  let seq = 0;
  let offset = 0;
  for (let left = input.varint(); left > 0; left--) {
    const id = input.varint();
    const size = input.varint();
    const seqs: number[] = [];
    const offsets: number[] = [];
    for (let events = input.varint(); events > 0; events--) {
      seq += unzigzag(input.varint());
      offset += unzigzag(input.varint());
      seqs.push(seq);
      offsets.push(offset);
    }
    chunks.push({ id, bytes: size, seqs, offsets });
  }
  return { chunks, doubtful };
}

/** Small numbers of either sign as small ones without. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
