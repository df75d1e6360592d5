import { firstWhere } from '../bisect.js';
import { idsOf, type KeyRecord, type StoredChunk } from './chunk-records.js';
import type { ChunkSizes } from './chunk-sizes.js';
import { type FreshBlock, splitBlocks } from './split-blocks.js';
import { CHUNK_IDS, type EventTable, type Piece, type SplitPlan, type WholeState } from './split-format.js';

/** A chunk that is to be written. `events`: their numbers in the state. */
export interface FreshChunk {
  readonly id: number;
  readonly events: readonly number[];
}

export interface Split {
  /** What the state is made of: some that are in the store, and then those to be written. */
  readonly record: KeyRecord;
  readonly fresh: readonly FreshChunk[];
  readonly freshBlocks: readonly FreshBlock[];
  readonly plan: SplitPlan;
}

/** In which chunk an event lies, by place, or -1; and as which of its events. */
interface Places {
  readonly chunk: Int32Array;
  readonly number: Int32Array;
}

/** A chunk in the store, with the events of the state that are in it. */
interface Held {
  readonly stored: StoredChunk;
  /** Their numbers in the state, -1 for those that have gone. */
  readonly members: readonly number[];
  readonly liveBytes: number;
}

/**
 * What of a state goes into chunks, or blocks of their own; `null`: nothing, it is one entry.
 *
 * 1. An event that is in a chunk stays there, and the chunk as it is, for as long as one of its events is part of the state.
 * 2. What has gone takes at most as many bytes as what there is, and a chunk more: above that, chunks of which less than half is
 *    left are given up, and what is left of them stands in the entry again.
 * 3. The entry has less than one chunk's bytes of events.
 * 4. A block is stored apart as it is, or stands in the entry.
 */
export function splitState(whole: WholeState, record: KeyRecord, sizes: ChunkSizes): Split | null {
  const { events } = whole;
  const used = new Set(idsOf(record));
  const nextId = () => unused(used);
  const parts = splitEvents(events, record.chunks, sizes, nextId);
  const { blocks, apart, fresh: freshBlocks } = splitBlocks(whole, record.blocks, sizes, nextId);
  if (parts === null && apart.length === 0) return null;
  const { chunks, fresh, pieces, open } = parts ?? inEntry(events);
  return {
    ...{ fresh, freshBlocks },
    record: { chunks, blocks: apart, doubtful: [] },
    plan: { chunks: chunks.map(({ id }) => id), pieces, open, blocks },
  };
}

/** Events in chunks. */
interface SplitEvents {
  readonly chunks: readonly StoredChunk[];
  readonly fresh: readonly FreshChunk[];
  readonly pieces: readonly Piece[];
  /** Numbers of the events that are in no chunk. */
  readonly open: readonly number[];
}

function splitEvents(
  events: EventTable,
  stored: readonly StoredChunk[],
  sizes: ChunkSizes,
  nextId: () => number,
): SplitEvents | null {
  if (events.size < (stored.length > 0 ? sizes.splitFrom / 2 : sizes.splitFrom)) return null;
  const kept = keptOf(heldOf(events, stored), sizes);
  const places: Places = {
    chunk: new Int32Array(events.count).fill(-1),
    number: new Int32Array(events.count),
  };
  for (const [chunk, { members }] of kept.entries()) placeAll(places, chunk, members);
  const { fresh, open } = sealed(events, places, sizes, nextId);
  for (const [i, chunk] of fresh.entries()) placeAll(places, kept.length + i, chunk.events);
  if (kept.length + fresh.length === 0) return null;
  const chunks = [...kept.map((held) => held.stored), ...fresh.map((chunk) => freshlyStored(chunk, events))];
  return { chunks, fresh, pieces: piecesOf(places), open };
}

/** All events stand in the entry. */
function inEntry({ count }: EventTable): SplitEvents {
  const pieces = count === 0 ? [] : [{ source: 0, first: 0, count }];
  return { chunks: [], fresh: [], pieces, open: Array.from({ length: count }, (_, event) => event) };
}

function heldOf(events: EventTable, chunks: readonly StoredChunk[]): readonly Held[] {
  const held: Held[] = [];
  for (const stored of chunks) {
    const { seqs, offsets } = stored;
    const members: number[] = [];
    let liveBytes = 0;
    for (let i = 0; i < seqs.length; i++) {
      // One that is not found there, as in a state that an earlier release wrote, counts as another one: it stands in the entry.
      const number = firstAtOrAfter(events.seqs, seqs[i]!);
      const isSame = events.seqs[number] === seqs[i] && events.offsets[number] === offsets[i];
      members.push(isSame ? number : -1);
      if (isSame) liveBytes += events.sizeOf(number);
    }
    held.push({ stored, members, liveBytes });
  }
  return held;
}

/** Place of the first of some sorted numbers that is not below `wanted`. */
function firstAtOrAfter(sorted: readonly number[], wanted: number): number {
  return firstWhere(0, sorted.length, (i) => sorted[i]! >= wanted);
}

function keptOf(held: readonly Held[], { chunkBytes }: ChunkSizes): readonly Held[] {
  const alive = held.filter(({ liveBytes }) => liveBytes > 0);
  const live = alive.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  const all = alive.reduce((sum, { stored }) => sum + stored.bytes, 0);
  if (all - live <= live + chunkBytes) return alive;
  return alive.filter(({ stored, liveBytes }) => 2 * liveBytes >= stored.bytes);
}

function placeAll({ chunk, number }: Places, place: number, members: readonly number[]): void {
  for (let i = 0; i < members.length; i++) {
    const event = members[i]!;
    if (event < 0 || chunk[event]! >= 0) continue;
    chunk[event] = place;
    number[event] = i;
  }
}

/** Makes chunks of the events that are in none, as long as they fill one. */
function sealed(
  events: EventTable,
  { chunk }: Places,
  { chunkBytes }: ChunkSizes,
  nextId: () => number,
): Pick<SplitEvents, 'fresh' | 'open'> {
  const fresh: FreshChunk[] = [];
  let open: number[] = [];
  let bytes = 0;
  for (let event = 0; event < events.count; event++) {
    if (chunk[event]! >= 0) continue;
    open.push(event);
    bytes += events.sizeOf(event);
    if (bytes < chunkBytes) continue;
    fresh.push({ id: nextId(), events: open });
    [open, bytes] = [[], 0];
  }
  return { fresh, open };
}

/** Ids are small, and none is used twice in one write. */
function unused(used: Set<number>): number {
  for (let id = 0; id < CHUNK_IDS; id++) {
    if (used.has(id)) continue;
    used.add(id);
    return id;
  }
  throw new RangeError('a key has too many chunks');
}

function freshlyStored({ id, events: numbers }: FreshChunk, events: EventTable): StoredChunk {
  return {
    id,
    bytes: numbers.reduce((sum, number) => sum + events.sizeOf(number), 0),
    seqs: numbers.map((number) => events.seqs[number]!),
    offsets: numbers.map((number) => events.offsets[number]!),
  };
}

function piecesOf({ chunk, number }: Places): readonly Piece[] {
  const pieces: Piece[] = [];
  let last: Piece | undefined;
  for (let event = 0; event < chunk.length; event++) {
    const source = chunk[event]! + 1;
    const first = source === 0 ? 0 : number[event]!;
    if (last !== undefined && last.source === source && (source === 0 || last.first + last.count === first))
      last.count++;
    else {
      last = { source, first, count: 1 };
      pieces.push(last);
    }
  }
  return pieces;
}
