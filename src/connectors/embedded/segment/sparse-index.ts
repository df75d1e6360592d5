import { crc32 } from 'node:zlib';
import { firstWhere } from '../../../runtime/bisect.js';
import type { BatchHeader } from '../batch/batch-format.js';
import { HEADER_BYTES } from '../batch/batch-format.js';

/** One entry is kept for so many bytes of a segment. */
const INTERVAL_BYTES = 32 * 1024;
const FORMAT = 1;
const HEADER_NUMBERS = 6;
const ENTRY_NUMBERS = 3;

/**
 * Where in a segment to begin looking for an offset or a time, and what the segment holds as a whole. About 24 bytes for 32 KiB of
 * records. It can be built again from the segment at any time.
 */
export class SparseIndex {
  /** Bytes of the segment that it covers. */
  bytes = 0;
  maxTimestamp = Number.NEGATIVE_INFINITY;
  lastAppendedAt = Number.NEGATIVE_INFINITY;
  endOffset: number;
  private readonly offsets: number[] = [];
  private readonly positions: number[] = [];
  /** The highest timestamp before each entry's position. */
  private readonly timesBefore: number[] = [];

  constructor(readonly baseOffset: number) {
    this.endOffset = baseOffset;
  }

  /** A batch follows what is covered. */
  add(header: BatchHeader): void {
    const last = this.positions.at(-1);
    if (last === undefined || this.bytes - last >= INTERVAL_BYTES) {
      this.offsets.push(header.baseOffset);
      this.positions.push(this.bytes);
      this.timesBefore.push(this.maxTimestamp);
    }
    this.bytes += HEADER_BYTES + header.bodyBytes;
    this.endOffset = header.nextOffset;
    this.maxTimestamp = Math.max(this.maxTimestamp, header.maxTimestamp);
    this.lastAppendedAt = Math.max(this.lastAppendedAt, header.appendedAt);
  }

  /** A position at or before the batch that has `offset`. */
  positionOf(offset: number): number {
    return this.positions[lastAtMost(this.offsets, offset)] ?? 0;
  }

  /** A position at or before the first record at or after `timestamp`. */
  positionOfTime(timestamp: number): number {
    return this.positions[lastAtMost(this.timesBefore, timestamp, true)] ?? 0;
  }

  encode(): Buffer {
    const numbers = [FORMAT, this.baseOffset, this.endOffset, this.bytes, this.maxTimestamp, this.lastAppendedAt];
    this.offsets.forEach((offset, i) => {
      numbers.push(offset, this.positions[i] as number, this.timesBefore[i] as number);
    });
    const result = Buffer.allocUnsafe(numbers.length * 8 + 4);
    numbers.forEach((n, i) => {
      result.writeDoubleLE(n, i * 8);
    });
    result.writeUInt32LE(crc32(result.subarray(0, -4)), numbers.length * 8);
    return result;
  }

  /** The index as it was encoded, or `undefined` when these bytes are not one. */
  static decode(source: Buffer, baseOffset: number): SparseIndex | undefined {
    const count = (source.length - 4) / 8;
    if (!Number.isInteger(count) || count < HEADER_NUMBERS || (count - HEADER_NUMBERS) % ENTRY_NUMBERS !== 0) {
      return undefined;
    }
    const at = (i: number) => source.readDoubleLE(i * 8);
    if (source.readUInt32LE(count * 8) !== crc32(source.subarray(0, -4)) || at(0) !== FORMAT || at(1) !== baseOffset) {
      return undefined;
    }
    const index = new SparseIndex(baseOffset);
    index.endOffset = at(2);
    index.bytes = at(3);
    index.maxTimestamp = at(4);
    index.lastAppendedAt = at(5);
    for (let i = HEADER_NUMBERS; i < count; i += ENTRY_NUMBERS) {
      index.offsets.push(at(i));
      index.positions.push(at(i + 1));
      index.timesBefore.push(at(i + 2));
    }
    return index;
  }
}

/** Index of the last of some rising numbers that is at most (or, `strictly`, less than) `limit`; -1 if none. */
function lastAtMost(numbers: readonly number[], limit: number, strictly = false): number {
  const isOver = (n: number): boolean => n > limit || (strictly && n === limit);
  return firstWhere(0, numbers.length, (i) => isOver(numbers[i]!)) - 1;
}
