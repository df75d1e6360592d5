/**
 * Avro object container files: a header (schema, codec, sync marker), then blocks of records.
 *
 * C1. Every block's sync marker is verified before its records are used.
 * C2. What a file claims is bounded before memory is taken for it: a block by the file's size, its content by
 *     `BLOCK_BYTES_MAX`.
 * C3. Blocks come in the order of the file; some are decompressed ahead, in libuv's threads.
 */
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, crc32, inflateRaw, zstdDecompress } from 'node:zlib';
import { type AvroSchema, parseAvroSchema } from '../../avro/schema.js';
import { RecordFileError, type RecordFileErrorCode } from '../file-error.js';
import { snappyDecompress } from './snappy.js';

const MAGIC = Buffer.from('Obj\u0001');
const SYNC_BYTES = 16;
const CHUNK_BYTES = 1 << 20;
const BLOCK_BYTES_MAX = 1 << 29;
const BLOCKS_AHEAD = 4;
/** A long is at most ten bytes. */
const BLOCK_HEAD_BYTES_MAX = 20;

export interface ContainerHeader {
  readonly schema: AvroSchema;
  readonly codec: Codec;
  readonly sync: Buffer;
  /** Where the first block begins. */
  readonly dataStart: number;
}

export interface Block {
  /** Records in it. */
  readonly count: number;
  /** Where it begins and ends in the file. */
  readonly position: number;
  readonly end: number;
  /** The records, one after the other, decompressed. */
  readonly data: Buffer;
}

type Codec = (data: Buffer) => Buffer | Promise<Buffer>;

const inflate = promisify(inflateRaw);
const unzstd = promisify(zstdDecompress);
const limit = { maxOutputLength: BLOCK_BYTES_MAX };

const CODECS: Readonly<Record<string, Codec>> = {
  null: (data) => data,
  deflate: (data) => inflate(data, { ...limit, finishFlush: constants.Z_FINISH }),
  zstandard: (data) => unzstd(data, limit),
  snappy: (data) => {
    const end = data.length - 4;
    if (end < 0) throw new RangeError('snappy: no checksum');
    const output = snappyDecompress(data.subarray(0, end), BLOCK_BYTES_MAX);
    if (crc32(output) !== data.readUInt32BE(end)) throw new RangeError('snappy: the checksum is wrong');
    return output;
  },
};

/** A growing window over the file, from `start`. */
class Window {
  private buf = Buffer.alloc(0);
  private pos = 0;
  /** Position in the file of what is read next. */
  private loaded: number;

  constructor(
    private readonly handle: FileHandle,
    readonly path: string,
    readonly size: number,
    start: number,
  ) {
    this.loaded = start;
  }

  get position(): number {
    return this.loaded - this.buf.length + this.pos;
  }

  /** Makes at least `bytes` readable, or all that is left of the file. */
  async fill(bytes: number): Promise<void> {
    const left = this.buf.length - this.pos;
    if (left >= bytes || this.loaded >= this.size) return;
    const wanted = Math.min(Math.max(bytes - left, CHUNK_BYTES), this.size - this.loaded);
    // A new buffer each time: blocks still hold views of the one before.
    const next = Buffer.allocUnsafeSlow(left + wanted);
    this.buf.copy(next, 0, this.pos);
    let filled = left;
    while (filled < next.length) {
      const { bytesRead } = await this.handle.read(next, filled, next.length - filled, this.loaded);
      if (bytesRead === 0) throw this.error('FILE_TRUNCATED', 'it became shorter while it was read');
      filled += bytesRead;
      this.loaded += bytesRead;
    }
    this.buf = next;
    this.pos = 0;
  }

  get isAtEnd(): boolean {
    return this.position >= this.size;
  }

  /** A long of what is filled. */
  long(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.buf[this.pos];
      if (byte === undefined) throw this.error('FILE_TRUNCATED', 'it ends within a number');
      this.pos += 1;
      value += (byte & 0x7f) * factor;
      if ((byte & 0x80) === 0) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw this.error('FILE_CORRUPT', 'a number is too large');
  }

  /** A view of the next bytes. */
  async take(bytes: number, what: string): Promise<Buffer> {
    if (bytes < 0) throw this.error('FILE_CORRUPT', `${what} has a negative length`);
    if (bytes > this.size - this.position) {
      const more = bytes - (this.size - this.position);
      throw this.error('FILE_TRUNCATED', `it ends within ${what}: ${more} bytes are missing`);
    }
    await this.fill(bytes);
    const view = this.buf.subarray(this.pos, this.pos + bytes);
    this.pos += bytes;
    return view;
  }

  error(code: RecordFileErrorCode, why: string, at = this.position, cause?: unknown): RecordFileError {
    return new RecordFileError(code, this.path, at, `${this.path}, byte ${at}: ${why}`, { cause });
  }
}

/** Reads the header. Throws `RecordFileError` when the file is no Avro container or its codec is not known. */
export async function readHeader(handle: FileHandle, path: string, size: number): Promise<ContainerHeader> {
  const window = new Window(handle, path, size, 0);
  await window.fill(MAGIC.length);
  if (size < MAGIC.length || !(await window.take(MAGIC.length, 'the header')).equals(MAGIC)) {
    throw window.error('FILE_FORMAT', 'it is no Avro object container (it does not begin with Obj1)', 0);
  }
  const meta = new Map<string, Buffer>();
  for (let count = await headerLong(window); count !== 0; count = await headerLong(window)) {
    if (count < 0) {
      await headerLong(window);
      count = -count;
    }
    for (let i = 0; i < count; i++) {
      const name = (await window.take(await headerLong(window), 'the header')).toString();
      meta.set(name, await window.take(await headerLong(window), 'the header'));
    }
  }
  const sync = Buffer.from(await window.take(SYNC_BYTES, 'the header'));
  const name = meta.get('avro.codec')?.toString() ?? 'null';
  const codec = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined;
  if (codec === undefined) {
    const known = Object.keys(CODECS).join(', ');
    throw window.error('FILE_CODEC', `its blocks are compressed with ${name}; known are ${known}`, 0);
  }
  const text = meta.get('avro.schema')?.toString();
  if (text === undefined) throw window.error('FILE_FORMAT', 'its header has no schema', 0);
  return { schema: parseAvroSchema(text, path), codec, sync, dataStart: window.position };
}

async function headerLong(window: Window): Promise<number> {
  await window.fill(BLOCK_HEAD_BYTES_MAX);
  return window.long();
}

/**
 * The blocks of a file, decompressed. Throws `RecordFileError` with the place, after all blocks before it were given.
 *
 * @param start where a block begins.
 */
export async function* readBlocks(
  handle: FileHandle,
  path: string,
  size: number,
  header: ContainerHeader,
  start = header.dataStart,
): AsyncGenerator<Block> {
  const window = new Window(handle, path, size, start);
  const ahead: Promise<Block>[] = [];
  let isDone = false;
  while (true) {
    while (!isDone && ahead.length < BLOCKS_AHEAD) {
      const block = await readBlock(window, header).then(
        (raw) => raw && decompress(raw, window, header),
        // It comes after the blocks before it.
        (error: unknown) => ({ pending: Promise.reject(error) as Promise<Block>, isLast: true }),
      );
      isDone = block === null || block.isLast;
      if (block === null) break;
      // Whoever takes the block hears of its failure; until then it must not count as unhandled.
      block.pending.catch(() => {});
      ahead.push(block.pending);
    }
    const first = ahead.shift();
    if (first === undefined) return;
    yield await first;
  }
}

/** The next block as it is stored; `null` at the end. */
async function readBlock(window: Window, header: ContainerHeader): Promise<Block | null> {
  if (window.isAtEnd) return null;
  await window.fill(BLOCK_HEAD_BYTES_MAX);
  const { position } = window;
  const count = window.long();
  const length = window.long();
  if (count < 0) throw window.error('FILE_CORRUPT', 'a block has a negative number of records', position);
  const data = await window.take(length, `the block that begins at byte ${position}`);
  const sync = await window.take(SYNC_BYTES, `the block that begins at byte ${position}`);
  if (!sync.equals(header.sync)) {
    throw window.error('FILE_CORRUPT', 'the sync marker after this block is not that of the file', position);
  }
  return { count, position, end: window.position, data };
}

/** A promise in a box, so that awaiting the box does not await the promise. */
function decompress(raw: Block, window: Window, header: ContainerHeader) {
  const work = async () => {
    try {
      return { ...raw, data: await header.codec(raw.data) };
    } catch (cause) {
      const why = `the block cannot be decompressed: ${(cause as Error).message}`;
      throw window.error('FILE_CORRUPT', why, raw.position, cause);
    }
  };
  return { pending: work(), isLast: false };
}
