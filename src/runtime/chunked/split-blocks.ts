import { hashOf, type StoredBlock } from './chunk-records.js';
import type { ChunkSizes } from './chunk-sizes.js';
import type { BlockPlace, WholeState } from './split-format.js';

/** A block that is to be written. `block`: its number in the state. */
export interface FreshBlock {
  readonly id: number;
  readonly block: number;
}

/** Blocks of a state that are stored apart. */
export interface SplitBlocks {
  /** Of each block of the state: its id, or -1 where it stands in the entry. */
  readonly blocks: readonly number[];
  readonly apart: readonly StoredBlock[];
  readonly fresh: readonly FreshBlock[];
}

const NONE: SplitBlocks = { blocks: [], apart: [], fresh: [] };
const NOT_WORTH_IT = 0;

/**
 * Which blocks of the windows of a state are stored apart: those that are stored already, and those that neither begin nor end a window, for
 * at these ends rows come and go. What they hold tells one block from another, wherever it stands.
 */
export function splitBlocks(
  { events: { bytes }, blocks }: WholeState,
  stored: readonly StoredBlock[],
  { splitFrom }: ChunkSizes,
  nextId: () => number,
): SplitBlocks {
  const inner = blocks.reduce((sum, block, i) => sum + (isInner(blocks, i) ? sizeOf(block) : NOT_WORTH_IT), 0);
  if (inner < (stored.length > 0 ? splitFrom / 2 : splitFrom)) return NONE;
  const known = new Map<number, StoredBlock[]>();
  for (const block of stored) known.set(block.hash, [...(known.get(block.hash) ?? []), block]);
  const [ids, apart, fresh]: [number[], StoredBlock[], FreshBlock[]] = [[], [], []];
  blocks.forEach((block, i) => {
    const size = sizeOf(block);
    const hash = hashOf(bytes.subarray(block.start, block.end));
    const same = known.get(hash)?.findIndex((other) => other.bytes === size) ?? -1;
    const id = same >= 0 ? known.get(hash)!.splice(same, 1)[0]!.id : isInner(blocks, i) ? nextId() : -1;
    ids.push(id);
    if (id < 0) return;
    apart.push({ id, bytes: size, hash });
    if (same < 0) fresh.push({ id, block: i });
  });
  return { blocks: ids, apart, fresh };
}

const sizeOf = ({ start, end }: BlockPlace): number => end - start;

/** Whether a block follows on another of its window, and another follows on it: between two windows there is more than a length. */
const isInner = (blocks: readonly BlockPlace[], i: number): boolean =>
  blocks[i - 1]?.end === blocks[i]!.lengthStart && blocks[i]!.end === blocks[i + 1]?.lengthStart;
