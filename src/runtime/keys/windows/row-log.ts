import { msAfter } from '../../../engine/index.js';

const PIECE_BITS = 10;
/** Rows of a piece: what is taken and given back at once. */
const PIECE = 1 << PIECE_BITS;
const MASK = PIECE - 1;

/**
 * Rows in the order in which they came, which is that of their times, as words of 4 bytes: rows come at the end and go at the begin. The first word
 * of a row are the low 32 bits of its time, a whole number of ms; what the others are is not looked at here.
 *
 * A position is the number of a row, as 32 bits: there are never 2^31 rows, nor rows whose times are 2^32 ms apart.
 */
export class RowLog {
  private pieces: Uint32Array[] = [];
  private spare: Uint32Array | null = null;
  /** Positions: of the first row of the first piece, of the first row, and of the next that will come. */
  private base = 0;
  private begin = 0;
  private end = 0;
  /** Time of the first row; infinity: there is none. */
  oldest = Number.POSITIVE_INFINITY;
  /** Time of the last row that came. */
  newest = Number.NEGATIVE_INFINITY;

  /** Words of a row. */
  constructor(readonly stride: number) {}

  get rows(): number {
    return (this.end - this.begin) >>> 0;
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return (this.pieces.length + (this.spare === null ? 0 : 1)) * PIECE * this.stride * 4;
  }

  /** Position of the first row. */
  get first(): number {
    return this.begin;
  }

  /** Position of the row that comes next. */
  get next(): number {
    return this.end;
  }

  /** Whether a row may have this time: one not before those that are there. */
  takes(time: number): boolean {
    const since = this.begin === this.end ? time % 1 : time - this.newest;
    return since === since >>> 0;
  }

  wordsOf(position: number): Uint32Array {
    return this.pieces[((position - this.base) >>> 0) >>> PIECE_BITS]!;
  }

  /** Where a row stands in its words. */
  placeOf(position: number): number {
    return (position & MASK) * this.stride;
  }

  /** Time of a row. */
  timeOf(position: number): number {
    return this.oldest + msAfter(this.oldest, this.wordsOf(position)[this.placeOf(position)]!);
  }

  /** Makes room for the row that comes next. */
  makeRoom(): void {
    if (((this.end - this.base) >>> 0) >>> PIECE_BITS < this.pieces.length) return;
    this.pieces.push(this.spare ?? new Uint32Array(PIECE * this.stride));
    this.spare = null;
  }

  /** Adds the row that was written to where the next one comes, but for its time. */
  push(time: number): void {
    this.wordsOf(this.end)[this.placeOf(this.end)] = time;
    if (this.begin === this.end) this.oldest = time;
    this.newest = time;
    this.end = (this.end + 1) | 0;
  }

  /** Gives up the first row. */
  shift(): void {
    this.begin = (this.begin + 1) | 0;
    if ((this.begin & MASK) === 0) {
      this.spare = this.pieces.shift()!;
      this.base = this.begin;
    }
    this.oldest = this.begin === this.end ? Number.POSITIVE_INFINITY : this.timeOf(this.begin);
  }
}
