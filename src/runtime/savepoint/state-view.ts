import { wholeEntries } from '../chunked/chunked-state.js';
import type { PartitionState, StateEntry } from '../ports/state-store.js';
import { SavepointError } from './errors.js';

/** A partition's cut with just the entries that belong to it, each a whole state, whatever is written from here on. */
export interface StateView {
  readonly cut: Uint8Array;
  /** To be read once, to the end; or else to be closed. */
  readonly entries: AsyncIterable<StateEntry>;
  close(): Promise<void>;
}

/** Writes come seconds apart: this many in a row can not have come between. */
const ATTEMPTS_MAX = 100;

/** `null`: nothing is stored. */
export async function viewOf(state: Pick<PartitionState, 'cut' | 'entries'>): Promise<StateView | null> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const cut = await state.cut();
    if (cut === null) return null;
    const listing = wholeEntries(state.entries())[Symbol.asyncIterator]();
    const close = async (): Promise<void> => void (await listing.return?.());
    // A listing is of the moment in which it begins. Every write changes the cut, so with the same cut after it none came between.
    const first = await listing.next();
    const after = await state.cut();
    if (after !== null && Buffer.compare(cut, after) === 0) return { cut, entries: rest(first, listing), close };
    await close();
  }
  throw new SavepointError('SAVEPOINT_STATE', 'the state changes too fast to be read; try again');
}

async function* rest(
  first: IteratorResult<StateEntry>,
  listing: AsyncIterator<StateEntry>,
): AsyncGenerator<StateEntry> {
  try {
    for (let entry = first; entry.done !== true; entry = await listing.next()) yield entry.value;
  } finally {
    await listing.return?.();
  }
}
