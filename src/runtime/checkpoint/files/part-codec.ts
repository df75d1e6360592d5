import { partitionName, type TopicPartition } from '../../ports/log.js';
import { CheckpointDamagedError } from './damaged.js';

/** A key with what it has now; `null`: it is gone. */
export interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** Bytes made smaller and back; elsewhere than on the thread that asks. */
export interface Compression {
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /** @param bytes length of the answer. */
  decompress(compressed: Uint8Array, bytes: number): Promise<Uint8Array>;
}

/*
 * A part, all numbers little endian:
 *
 *     "STKC"  version u8  flags u8 (1: the body is compressed)  length of the name u16  length of the body when it is not compressed u32
 *     name of the partition, UTF-8
 *     body: for each entry the length of the key u32, the length of the value u32 (2^32 - 1: deleted), the key, the value
 *
 * Its checksum stands in the manifest.
 */
const MAGIC = Buffer.from('STKC');
const VERSION = 1;
const COMPRESSED = 1;
const HEADER_BYTES = 12;
const ENTRY_BYTES = 8;
const DELETED = 0xffff_ffff;
const BYTES_MIN = 16 * 1024;

/** Collects entries for one part. */
export class PartEncoder {
  private readonly name: Buffer;
  private readonly start: number;
  private bytes: Buffer;
  private used: number;

  /** @param capacity bytes that it takes before it is full. */
  constructor(
    partition: TopicPartition,
    private readonly capacity: number,
  ) {
    this.name = Buffer.from(partitionName(partition));
    this.start = HEADER_BYTES + this.name.length;
    this.bytes = Buffer.allocUnsafe(this.start);
    this.used = this.start;
  }

  get isEmpty(): boolean {
    return this.used === this.start;
  }

  /** `false`: it is full, and the entry belongs to another part. One that is too large for any part has a part of its own. */
  add(key: Uint8Array, value: Uint8Array | null): boolean {
    const needed = this.used + ENTRY_BYTES + key.length + (value?.length ?? 0);
    if (needed > this.capacity && !this.isEmpty) return false;
    if (needed > this.bytes.length) this.grow(needed);
    const at = this.used;
    this.bytes.writeUInt32LE(key.length, at);
    this.bytes.writeUInt32LE(value === null ? DELETED : value.length, at + 4);
    this.bytes.set(key, at + ENTRY_BYTES);
    if (value !== null) this.bytes.set(value, at + ENTRY_BYTES + key.length);
    this.used = needed;
    return true;
  }

  /** The part; the encoder is empty again, and may be used for the next. */
  async finish(compression: Compression | null): Promise<Uint8Array> {
    const plain = this.bytes.subarray(0, this.used);
    this.bytes = Buffer.allocUnsafe(this.start);
    this.used = this.start;
    this.writeHeader(plain, plain.length - this.start, 0);
    if (compression === null) return plain;
    const body = await compression.compress(plain.subarray(this.start));
    if (body.length >= plain.length - this.start) return plain;
    plain[5] = COMPRESSED;
    return Buffer.concat([plain.subarray(0, this.start), body]);
  }

  /** Most checkpoints are of few changes: no more memory is taken than they need, about. */
  private grow(needed: number): void {
    const bytes = Buffer.allocUnsafe(
      Math.max(needed, Math.min(this.capacity, Math.max(BYTES_MIN, 2 * this.bytes.length))),
    );
    this.bytes.copy(bytes, 0, 0, this.used);
    this.bytes = bytes;
  }

  private writeHeader(part: Buffer, bodyBytes: number, flags: number): void {
    MAGIC.copy(part);
    part[4] = VERSION;
    part[5] = flags;
    part.writeUInt16LE(this.name.length, 6);
    part.writeUInt32LE(bodyBytes, 8);
    this.name.copy(part, HEADER_BYTES);
  }
}

/**
 * The body of a part, for `changesIn`.
 *
 * @throws CheckpointDamagedError when it is none, of another version, or of another partition.
 */
export async function bodyOf(
  partition: TopicPartition,
  file: string,
  part: Uint8Array,
  compression: Compression | null,
): Promise<Buffer> {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new CheckpointDamagedError(`${file} is no file of a checkpoint`, file);
  }
  if (bytes[4] !== VERSION) throw new CheckpointDamagedError(`${file} has version ${bytes[4]}, not ${VERSION}`, file);
  const start = HEADER_BYTES + bytes.readUInt16LE(6);
  const name = bytes.toString('utf8', HEADER_BYTES, start);
  if (name !== partitionName(partition))
    throw new CheckpointDamagedError(`${file} is of another partition: ${name}`, file);
  const body = bytes.subarray(start);
  if (bytes[5] !== COMPRESSED) return body;
  if (compression === null) throw new CheckpointDamagedError(`${file} is compressed in a way not known here`, file);
  const plain = await compression.decompress(body, bytes.readUInt32LE(8));
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
}

/** Views of the entries of a body. Throws `RangeError` for one that is not whole. */
export function* changesIn(body: Buffer): Generator<Change> {
  for (let at = 0; at < body.length; ) {
    const keyEnd = at + ENTRY_BYTES + body.readUInt32LE(at);
    const stored = body.readUInt32LE(at + 4);
    const end = stored === DELETED ? keyEnd : keyEnd + stored;
    if (end > body.length) throw new RangeError('an entry is not whole');
    yield {
      key: body.subarray(at + ENTRY_BYTES, keyEnd),
      value: stored === DELETED ? null : body.subarray(keyEnd, end),
    };
    at = end;
  }
}
