/**
 * Columns of numbers by slot, in chunks: growing one never copies more than a chunk, and the garbage collector has nothing
 * to look at. Two classes of one form, so that each keeps to one kind of typed array and its code stays fast.
 *
 * `reserve` comes before the first `get` or `set` of an index; that is not checked again.
 */
const CHUNK_BITS = 13;
const CHUNK = 1 << CHUNK_BITS;
const MASK = CHUNK - 1;
const FIRST_CHUNK = 64;

/** A column of whole numbers from -2^31 to 2^31 - 1. */
export class WordColumn {
  private readonly chunks: Int32Array[] = [];
  private length = 0;

  /** `fill`: what a place holds before the first `set`. */
  constructor(private readonly fill = 0) {}

  get(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]![index & MASK]!;
  }

  set(index: number, value: number): void {
    this.chunks[index >>> CHUNK_BITS]![index & MASK] = value;
  }

  /** Makes room for the indices below `length`. */
  reserve(length: number): void {
    while (this.length < length) {
      const rows = rowsOfNext(this.length);
      const chunk = new Int32Array(rows);
      if (this.fill !== 0) chunk.fill(this.fill);
      if (this.length < CHUNK && this.length > 0) {
        chunk.set(this.chunks[0]!);
        this.chunks[0] = chunk;
        this.length = rows;
      } else {
        this.chunks.push(chunk);
        this.length += rows;
      }
    }
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.length * 4;
  }
}

/** A column of doubles. */
export class DoubleColumn {
  private readonly chunks: Float64Array[] = [];
  private length = 0;

  get(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]![index & MASK]!;
  }

  set(index: number, value: number): void {
    this.chunks[index >>> CHUNK_BITS]![index & MASK] = value;
  }

  /** Makes room for the indices below `length`. */
  reserve(length: number): void {
    while (this.length < length) {
      const rows = rowsOfNext(this.length);
      const chunk = new Float64Array(rows);
      if (this.length < CHUNK && this.length > 0) {
        chunk.set(this.chunks[0]!);
        this.chunks[0] = chunk;
        this.length = rows;
      } else {
        this.chunks.push(chunk);
        this.length += rows;
      }
    }
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.length * 8;
  }
}

/** The first chunk grows by doubling, so that a small table stays small; all others are whole. */
function rowsOfNext(length: number): number {
  if (length === 0) return FIRST_CHUNK;
  return length < CHUNK ? length * 2 : CHUNK;
}

/** Rows that are made beyond those that are needed, at most. */
const ROWS_AHEAD_MAX = 1024;

/** How many rows columns should have, when a slot is the last one that is used. */
export const rowsFor = (slot: number): number => slot + 1 + Math.min(slot >> 3, ROWS_AHEAD_MAX);
