/**
 * Where rows are put apart into blocks, so that most blocks are the very same bytes when rows have come at the end and others have gone
 * at the beginning. A host that stores blocks by themselves then writes each once. (The idea is that of content-defined chunking.)
 *
 * A row begins a block if the number that its time makes by chance is the highest of all rows `REACH` before it and `REACH` behind. That
 * depends on these rows alone: wherever the rows begin and end, it is the same. Blocks have `REACH` rows at least, and twice that
 * and one on average, but for the first and the last. Of rows of one and the same time none begins a block.
 */
import { mixBits } from '../mix-bits.js';

const REACH = 16;
/** Fewer rows are one block. */
const ROWS_MIN = 4 * REACH;

let chance = new Uint32Array(1024);

/** Numbers of the rows that begin a block, the first one included. Holds until the next call. */
export function blockBegins(count: number, timeAt: (row: number) => number): readonly number[] {
  begins.length = 1;
  if (count < ROWS_MIN) return begins;
  if (chance.length < count) chance = new Uint32Array(2 * count);
  for (let row = 0; row < count; row++) chance[row] = mixBits(timeAt(row));
  for (let row = REACH; row < count - REACH; ) {
    const higher = firstNotBelow(row);
    if (higher > 0) {
      // Those between are below this one, and it is in their reach.
      row = higher;
      continue;
    }
    if (isHighestBefore(row)) begins.push(row);
    row += REACH + 1;
  }
  return begins;
}

const begins: number[] = [0];

/** The first of the rows behind a row that is not below it; 0: there is none. */
function firstNotBelow(row: number): number {
  const own = chance[row]!;
  for (let other = row + 1; other <= row + REACH; other++) if (chance[other]! >= own) return other;
  return 0;
}

function isHighestBefore(row: number): boolean {
  const own = chance[row]!;
  for (let other = row - REACH; other < row; other++) if (chance[other]! >= own) return false;
  return true;
}
