import type { SpillCounts } from './windows/window-spill.js';

/** Keys and where their state is; memory in bytes. */
export interface KeyMemory {
  /** Keys whose state is objects. */
  readonly hotKeys: number;
  /** Keys whose state is bytes alone. */
  readonly coldKeys: number;
  /** Of all states that are kept as bytes. */
  readonly coldBytes: number;
  /** Of tables and columns, and what is reserved beyond `coldBytes`. */
  readonly tableBytes: number;
  /** What says which parts of states are in the store; absent: there is no store. */
  readonly recordBytes?: number;
  /** Windows of features that have left memory for a file; absent: their memory has no bound. */
  readonly spilled?: SpillCounts;
}

function sumOfSpilled(a: SpillCounts | undefined, b: SpillCounts | undefined): SpillCounts | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { keys: a.keys + b.keys, bytes: a.bytes + b.bytes, hits: a.hits + b.hits, misses: a.misses + b.misses };
}

export const sumOfMemory = (a: KeyMemory, b: KeyMemory): KeyMemory => ({
  ...(a.spilled || b.spilled ? { spilled: sumOfSpilled(a.spilled, b.spilled) } : {}),
  ...(a.recordBytes || b.recordBytes ? { recordBytes: (a.recordBytes ?? 0) + (b.recordBytes ?? 0) } : {}),
  hotKeys: a.hotKeys + b.hotKeys,
  coldKeys: a.coldKeys + b.coldKeys,
  coldBytes: a.coldBytes + b.coldBytes,
  tableBytes: a.tableBytes + b.tableBytes,
});
