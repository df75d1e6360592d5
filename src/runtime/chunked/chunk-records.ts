import { ByteReader, ByteWriter } from '../../engine/index.js';
import { ByteStore } from '../keys/table/byte-store.js';
import { KeyTable } from '../keys/table/key-table.js';
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

/** A block of a window of features as it is in the store. */
export interface StoredBlock {
  readonly id: number;
  readonly bytes: number;
  /** 53 bits that follow from what it holds: another one of the key has the same once in 10^15. */
  readonly hash: number;
}

/** What the store has of a key beside its entry. */
export interface KeyRecord {
  readonly chunks: readonly StoredChunk[];
  readonly blocks: readonly StoredBlock[];
  /** Ids under which there may be chunks: a write that would tell has failed. */
  readonly doubtful: readonly number[];
}

export const NO_RECORD: KeyRecord = { chunks: [], blocks: [], doubtful: [] };

/** Ids of all that the store has, or may have, of a key beside its entry. */
export const idsOf = ({ chunks, blocks, doubtful }: KeyRecord): readonly number[] => [
  ...[...chunks, ...blocks].map(({ id }) => id),
  ...doubtful,
];

export const storedChunk = (id: number, { seqs, offsets, size }: EventTable): StoredChunk => ({
  ...{ id, seqs, offsets, bytes: size },
});

export const storedBlock = (id: number, block: Uint8Array): StoredBlock => ({
  ...{ id, bytes: block.length, hash: hashOf(block) },
});

/** Two hashes of 32 bits, four bytes at a time, of which 53 are kept: one in the way of MurmurHash3, one in that of FNV-1a. */
export function hashOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let [a, b] = [bytes.length, 0x9747b28c];
  for (let i = 0; i < bytes.length; i += 4) {
    const word = i < whole ? view.getInt32(i, true) : lastWord(bytes, i);
    a ^= Math.imul(word, 0xcc9e2d51);
    a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
    b = Math.imul(b ^ word, 0x5bd1e995);
    b ^= b >>> 15;
  }
  return (a >>> 0) + (b & 0x1fffff) * 2 ** 32;
}

/** The bytes that are left, as one number. */
function lastWord(bytes: Uint8Array, from: number): number {
  let word = 0;
  for (let i = from; i < bytes.length; i++) word |= bytes[i]! << (8 * (i - from));
  return word;
}

/**
 * The records of those keys that have chunks, outside the heap that the garbage collector walks: some five bytes for each event in a
 * chunk, and a dozen for each block.
 */
export class ChunkRecords {
  private readonly table = new KeyTable();
  private readonly bytes = new ByteStore();
  private readonly out = new ByteWriter();

  /** Memory taken, in bytes. */
  get memoryBytes(): number {
    const { table, bytes } = this;
    return table.bytes + bytes.bytesHeld + bytes.bytesWasted + bytes.indexBytes;
  }

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
    if (record.chunks.length + record.blocks.length + record.doubtful.length === 0) {
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

  private encode({ chunks, blocks, doubtful }: KeyRecord): Uint8Array {
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
    out.varint(blocks.length);
    for (const { id, bytes, hash } of blocks) {
      out.varint(id);
      out.varint(bytes);
      out.double(hash);
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
  const blocks: StoredBlock[] = [];
  for (let left = input.varint(); left > 0; left--)
    blocks.push({ id: input.varint(), bytes: input.varint(), hash: input.double() });
  return { chunks, blocks, doubtful };
}

/** Small numbers of either sign as small ones without. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
