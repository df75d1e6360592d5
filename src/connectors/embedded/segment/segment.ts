import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredRecords } from '../../../runtime/local-log/storage.js';
import type { LogRecord } from '../../../runtime/ports/log.js';
import { decodeRecords, HEADER_BYTES } from '../batch/batch-format.js';
import { BatchScanner, type FoundBatch } from '../batch/batch-scan.js';
import { corrupt, errnoOf } from '../disk/file-errors.js';
import { replaceFile } from '../disk/files.js';
import { SparseIndex } from './sparse-index.js';

const READ_BYTES = 256 * 1024;
const READ_RECORDS = 1000;
const NAME = /^(\d{20})-(\d{4,})\.log$/;

/**
 * One file of a partition: `<offset of its first record>-<how often it was compacted>.log`, and its index beside it as `.index`.
 *
 * 1. Only the last segment of a partition grows; what lies before `bytes` never changes.
 * 2. The index file, when there is one, covers bytes that were durable when it was written.
 */
export class Segment {
  private readonly path: string;
  private readonly indexPath: string;
  private held: SparseIndex | undefined;
  /** Bytes that are durable. */
  bytes = 0;
  endOffset: number;
  maxTimestamp = Number.NEGATIVE_INFINITY;
  lastAppendedAt = Number.NEGATIVE_INFINITY;

  constructor(
    directory: string,
    readonly baseOffset: number,
    readonly generation = 0,
  ) {
    this.path = join(directory, segmentName(baseOffset, generation));
    this.indexPath = this.path.replace(/\.log$/, '.index');
    this.endOffset = baseOffset;
  }

  /** What a segment's file name says, or `undefined` when it is another file. */
  static parseName(name: string): { baseOffset: number; generation: number } | undefined {
    const match = NAME.exec(name);
    return match === null ? undefined : { baseOffset: Number(match[1]), generation: Number(match[2]) };
  }

  get name(): string {
    return segmentName(this.baseOffset, this.generation);
  }

  get file(): string {
    return this.path;
  }

  /** Makes an empty file, or opens the one that is there, for appending. */
  async openForAppending(create: boolean): Promise<FileHandle> {
    if (create) {
      this.held = new SparseIndex(this.baseOffset);
    } else {
      await this.index();
    }
    return open(this.path, create ? 'w+' : 'r+');
  }

  /**
   * Finds out what the segment holds: from its index if that covers the file, else by reading it.
   *
   * @param isLast whether it is the one that was appended to: only there, a flush that the end of the process cut short is taken away.
   * @returns how many bytes were cut off.
   * @throws LogError `LOG_CORRUPT` when something is missing or broken that was acknowledged.
   */
  async recover(isLast: boolean): Promise<number> {
    const size = (await stat(this.path)).size;
    const stored = await this.storedIndex();
    if (stored !== undefined && stored.bytes > size) {
      const what = `the file has ${size} bytes, but ${stored.bytes} were written`;
      throw corrupt(this.path, size, stored.baseOffset, what);
    }
    const index = stored ?? new SparseIndex(this.baseOffset);
    const durable = index.bytes;
    let cut = 0;
    if (index.bytes < size) {
      cut = await this.scanInto(index, size, isLast);
    }
    this.adopt(index);
    if (index.bytes > durable && !isLast) {
      await this.writeIndex();
    }
    // The index of a segment that does not grow is read again when it is needed.
    this.held = isLast ? index : undefined;
    return cut;
  }

  /** Finds out what the segment holds while another process appends to it: what is not whole yet is left as it is. */
  async look(): Promise<void> {
    const { size } = await stat(this.path);
    const index = (await this.storedIndex()) ?? new SparseIndex(this.baseOffset);
    if (index.bytes < size) {
      const file = await open(this.path, 'r');
      try {
        await addIntact(index, new BatchScanner(file, size), size);
      } finally {
        await file.close();
      }
    }
    this.adopt(index);
  }

  /** A flush was made durable: its batches now belong to the segment. */
  extend(add: (index: SparseIndex) => void): void {
    const index = this.held as SparseIndex;
    add(index);
    this.adopt(index);
  }

  async writeIndex(): Promise<void> {
    await replaceFile(this.indexPath, (await this.index()).encode());
  }

  /** The index need not stay in memory. */
  releaseIndex(): void {
    this.held = undefined;
  }

  async index(): Promise<SparseIndex> {
    if (this.held !== undefined) {
      return this.held;
    }
    let index = await this.storedIndex();
    if (index?.bytes !== this.bytes) {
      index = new SparseIndex(this.baseOffset);
      await this.scanInto(index, this.bytes, false);
    }
    this.held = index;
    return index;
  }

  /**
   * Some records from `from` on, or `undefined` when the segment has none at or after it.
   *
   * @param positionHint position of the batch that has `from`, when known.
   */
  async read(from: number, positionHint?: number): Promise<(StoredRecords & { nextPosition: number }) | undefined> {
    const start = positionHint ?? (await this.index()).positionOf(from);
    const records: LogRecord[] = [];
    let nextOffset = from;
    let nextPosition = start;
    for await (const { header, source, at, position } of this.batches(start)) {
      nextPosition = position + HEADER_BYTES + header.bodyBytes;
      if (header.nextOffset > from) {
        decodeRecords(source, at, header, from, records);
        nextOffset = header.nextOffset;
        if (records.length >= READ_RECORDS || nextPosition - start >= READ_BYTES) {
          break;
        }
      }
    }
    return nextOffset > from ? { records, nextOffset, nextPosition } : undefined;
  }

  /** Offset of the first record at or after `timestamp`, or `undefined`. */
  async offsetAt(timestamp: number): Promise<number | undefined> {
    if (this.maxTimestamp < timestamp) {
      return undefined;
    }
    for await (const { header, source, at } of this.batches((await this.index()).positionOfTime(timestamp))) {
      if (header.maxTimestamp >= timestamp) {
        const records: LogRecord[] = [];
        decodeRecords(source, at, header, 0, records);
        const found = records.find((r) => r.timestamp >= timestamp);
        if (found !== undefined) {
          return found.offset;
        }
      }
    }
    return undefined;
  }

  /** All batches from a batch's position on. */
  async *batches(from = 0): AsyncGenerator<FoundBatch> {
    const bytes = this.bytes;
    if (from >= bytes) {
      return;
    }
    const file = await open(this.path, 'r');
    try {
      const scanner = new BatchScanner(file, bytes);
      let offset = this.baseOffset;
      for (let position = from; position < bytes; ) {
        const found = await scanner.at(position);
        if (found === undefined) {
          throw corrupt(this.path, position, offset, 'the bytes are not those that were written');
        }
        position += HEADER_BYTES + found.header.bodyBytes;
        offset = found.header.nextOffset;
        yield found;
      }
    } finally {
      await file.close();
    }
  }

  async remove(): Promise<void> {
    await rm(this.indexPath, { force: true });
    await rm(this.path, { force: true });
  }

  /** Adds all intact batches up to `size` to the index; returns how many bytes were cut off the file. */
  private async scanInto(index: SparseIndex, size: number, mayCut: boolean): Promise<number> {
    const file = await open(this.path, mayCut ? 'r+' : 'r');
    try {
      const scanner = new BatchScanner(file, size);
      await addIntact(index, scanner, size);
      if (index.bytes === size) {
        return 0;
      }
      const broken = index.bytes;
      const later = await scanner.nextAfter(broken);
      const acknowledged = later !== undefined && later.position - later.header.flushDistance > broken;
      if (!mayCut || acknowledged) {
        throw corrupt(this.path, broken, index.endOffset, 'the bytes are not those that were written');
      }
      await file.truncate(broken);
      await file.datasync();
      return size - broken;
    } finally {
      await file.close();
    }
  }

  private async storedIndex(): Promise<SparseIndex | undefined> {
    try {
      return SparseIndex.decode(await readFile(this.indexPath), this.baseOffset);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') {
        return undefined;
      }
      throw error;
    }
  }

  private adopt(index: SparseIndex): void {
    this.held = index;
    this.bytes = index.bytes;
    this.endOffset = index.endOffset;
    this.maxTimestamp = index.maxTimestamp;
    this.lastAppendedAt = index.lastAppendedAt;
  }
}

/** Adds batches to the index up to the first one that is not whole. */
async function addIntact(index: SparseIndex, scanner: BatchScanner, size: number): Promise<void> {
  while (index.bytes < size) {
    const found = await scanner.at(index.bytes);
    if (found === undefined) {
      return;
    }
    index.add(found.header);
  }
}

function segmentName(baseOffset: number, generation: number): string {
  return `${String(baseOffset).padStart(20, '0')}-${String(generation).padStart(4, '0')}.log`;
}
