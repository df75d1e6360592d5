import { type StateEntry, StateStoreError } from '../ports/state-store.js';
import { type KeyRecord, storedBlock, storedChunk } from './chunk-records.js';
import {
  decodeChunk,
  decodeSplit,
  EventTable,
  isChunk,
  isSplit,
  joinState,
  parseChunkKey,
  type SplitEntry,
} from './split-format.js';

/** An entry whose chunks have not all come, or one that came after such a one. */
interface Waiting {
  readonly entry: StateEntry;
  readonly split: SplitEntry | null;
  /** Ids of what is awaited: chunks of events, and then blocks. */
  readonly ids: readonly number[];
  /** In the same order. */
  readonly parts: (EventTable | Uint8Array | undefined)[];
  missing: number;
}

/**
 * Makes whole states of entries, which must come in order of their keys; that is the order in which the states are given. Chunks come
 * right after their entry, unless there are keys that go on with a zero, as those of its chunks do.
 */
export class Joiner {
  private waiting: Waiting[] = [];

  /** `onSplit`: told of each state that had chunks. */
  constructor(private readonly onSplit: (key: Uint8Array, record: KeyRecord) => void = () => undefined) {}

  /** None of the entries that came is held back. */
  get isIdle(): boolean {
    return this.waiting.length === 0;
  }

  /** Takes in the next entry; gives those that are whole now. Throws `StateStoreError` for a chunk that is of none. */
  *add(entry: StateEntry): Generator<StateEntry> {
    const { waiting } = this;
    if (isChunk(entry.value)) this.take(entry);
    else if (isSplit(entry.value)) waiting.push(awaiting(entry));
    else if (waiting.length === 0) yield entry;
    else waiting.push({ entry, split: null, ids: [], parts: [], missing: 0 });
    while (waiting.length > 0 && waiting[0]!.missing === 0) yield this.joined(waiting.shift()!);
  }

  /** All entries have come. Throws `StateStoreError` if some were missing. */
  end(): void {
    if (this.waiting.length > 0) throw damaged('part of the state of a key is missing');
  }

  private take({ key, value }: StateEntry): void {
    const { key: owner, id } = parseChunkKey(key);
    const waits = this.waiting.find(({ entry, split }) => split !== null && Buffer.compare(entry.key, owner) === 0);
    const place = waits?.ids.indexOf(id) ?? -1;
    const part = decodeChunk(value);
    const isExpected = waits !== undefined && place >= 0 && waits.parts[place] === undefined;
    if (!isExpected || part instanceof EventTable !== place < waits.split!.chunks.length)
      throw damaged('part of the state of a key is of no key that is there');
    waits.parts[place] = part;
    waits.missing--;
  }

  private joined({ entry, split, parts }: Waiting): StateEntry {
    if (split === null) return entry;
    const count = split.chunks.length;
    const [chunks, blocks] = [parts.slice(0, count) as EventTable[], parts.slice(count) as Uint8Array[]];
    this.onSplit(entry.key, {
      chunks: chunks.map((chunk, i) => storedChunk(split.chunks[i]!, chunk)),
      blocks: blocks.map((block, i) => storedBlock(split.holes[i]!.id, block)),
      doubtful: [],
    });
    return { key: entry.key, value: joinState(split, chunks, blocks) };
  }
}

function awaiting(entry: StateEntry): Waiting {
  const split = decodeSplit(entry.value);
  const ids = [...split.chunks, ...split.holes.map(({ id }) => id)];
  return { entry, split, ids, parts: ids.map(() => undefined), missing: ids.length };
}

function damaged(what: string): StateStoreError {
  return new StateStoreError(
    'STATE_CORRUPT',
    `the stored state is damaged: ${what}. Stop the service, move the state folder away and start again: the state is then taken from a ` +
      'checkpoint, or made again from the log.',
  );
}
