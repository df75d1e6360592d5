import { ByteReader, ByteWriter } from '../../engine/index.js';
import { zstd } from '../checkpoint/files/zstd.js';
import type { LogRecord } from '../ports/log.js';
import type { StateEntry } from '../ports/state-store.js';

/** Size of a block before it is compressed, about, in bytes. */
const BLOCK_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;
const HAS_KEY = 1;
const HAS_VALUE = 2;

const text = new TextEncoder();
const utf8 = new TextDecoder();

/** Collects what `write` adds into compressed blocks: the length of the content (u32, little endian), then the content. */
export class BlockWriter<T> {
  private readonly out = new ByteWriter();
  private held = 0;

  constructor(private readonly write: (out: ByteWriter, item: T) => number) {}

  /** True: the block is full. */
  add(item: T): boolean {
    this.held += this.write(this.out, item);
    return this.held >= BLOCK_BYTES;
  }

  /** The block; the writer is empty again. `null`: there is nothing in it. */
  async finish(): Promise<Uint8Array | null> {
    if (this.held === 0) return null;
    this.held = 0;
    const content = this.out.finish();
    const packed = await zstd.compress(content);
    const block = new Uint8Array(LENGTH_BYTES + packed.length);
    new DataView(block.buffer).setUint32(0, content.length, true);
    block.set(packed, LENGTH_BYTES);
    return block;
  }
}

export const entryBlocks = (): BlockWriter<StateEntry> =>
  new BlockWriter((out, { key, value }) => {
    out.byteString(key);
    out.byteString(value);
    return key.length + value.length;
  });

export const recordBlocks = (): BlockWriter<LogRecord> => new BlockWriter(writeRecord);

/** Entries of a block, as views of it. Throws `RangeError` when it is not whole. */
export async function entriesIn(block: Uint8Array): Promise<StateEntry[]> {
  const input = await contentOf(block);
  const entries: StateEntry[] = [];
  while (!input.done) entries.push({ key: input.byteString(), value: input.byteString() });
  return entries;
}

/** Throws `RangeError` when it is not whole. */
export async function recordsIn(block: Uint8Array): Promise<LogRecord[]> {
  const input = await contentOf(block);
  const records: LogRecord[] = [];
  while (!input.done) records.push(readRecord(input));
  return records;
}

async function contentOf(block: Uint8Array): Promise<ByteReader> {
  const length = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(0, true);
  return new ByteReader(await zstd.decompress(block.subarray(LENGTH_BYTES), length));
}

function writeRecord(out: ByteWriter, { offset, timestamp, key, value, headers }: LogRecord): number {
  out.varint(offset);
  out.double(timestamp);
  out.varint((key === null ? 0 : HAS_KEY) + (value === null ? 0 : HAS_VALUE));
  if (key !== null) out.byteString(key);
  if (value !== null) out.byteString(value);
  out.varint(headers?.size ?? 0);
  for (const [name, content] of headers ?? []) {
    out.byteString(text.encode(name));
    out.byteString(content);
  }
  return 16 + (key?.length ?? 0) + (value?.length ?? 0);
}

function readRecord(input: ByteReader): LogRecord {
  const [offset, timestamp, has] = [input.varint(), input.double(), input.varint()];
  const key = (has & HAS_KEY) === 0 ? null : input.byteString();
  const value = (has & HAS_VALUE) === 0 ? null : input.byteString();
  const headers = new Map<string, Uint8Array>();
  for (let left = input.varint(); left > 0; left--) headers.set(utf8.decode(input.byteString()), input.byteString());
  return { offset, timestamp, key, value, headers: headers.size === 0 ? null : headers };
}
