import { ByteReader, ByteWriter, visitEvents, visitWindowBlocks } from '../../engine/index.js';
import { identityIn } from '../task/stored/event-codec.js';

/**
 * How the state of a key lies in the store. A small one is one entry: the bytes that the engine made of it, which begin with their
 * version, a byte below `BLOCK`. Of a large one most events, and most blocks of the windows of features, are in entries of their own:
 *
 *     entry   SPLIT  version  chunks{id}  pieces{source first count}  events{event}  holes{before id}  rest
 *     chunk   CHUNK  events{event}
 *     block   BLOCK  bytes
 *
 * `pieces` are the events of the state, in the order of its bytes: `count` of them from number `first` on in a chunk (its place in
 * `chunks`, plus one), or the next `count` of those that stand here (0). An event of a chunk that is in no piece has gone. `rest` is what
 * follows the events in the bytes of the engine, without the blocks that are elsewhere, and their lengths: `before` bytes of it stand
 * between one and the next. Entries whose states are of a version before 5 have no `holes`.
 */
const BLOCK = 0xfd;
const SPLIT = 0xfe;
const CHUNK = 0xff;

export const isSplit = (value: Uint8Array): boolean => value[0] === SPLIT;
/** Whether it is part of a state. */
export const isChunk = (value: Uint8Array): boolean => value[0] === CHUNK || value[0] === BLOCK;

/** From this version of states on, entries say where blocks are missing. */
const WITH_HOLES = 5;

/** Events inside some bytes. */
export class EventTable {
  /** Where each begins, its length before it included. */
  readonly lengthStarts: number[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly seqs: number[] = [];
  readonly offsets: number[] = [];
  private readonly inside: ByteReader;
  private at: number;

  /** `begin`: of the first event's length. */
  constructor(
    readonly bytes: Uint8Array,
    begin: number,
  ) {
    this.inside = new ByteReader(bytes);
    this.at = begin;
  }

  get count(): number {
    return this.starts.length;
  }

  /** Bytes of all of them, with their lengths. */
  get size(): number {
    return this.count === 0 ? 0 : this.at - this.lengthStarts[0]!;
  }

  sizeOf(number: number): number {
    return this.ends[number]! - this.lengthStarts[number]!;
  }

  /** A view of some that follow one another, with their lengths. */
  run(first: number, count: number): Uint8Array {
    return this.bytes.subarray(this.lengthStarts[first]!, this.ends[first + count - 1]!);
  }

  /** Takes in the next one. */
  add(start: number, end: number): void {
    const { seq, offset } = identityIn(this.inside, start);
    this.lengthStarts.push(this.at);
    this.starts.push(start);
    this.ends.push(end);
    this.seqs.push(seq);
    this.offsets.push(offset);
    this.at = end;
  }
}

/** A block of a window of features, inside some bytes. */
export interface BlockPlace {
  /** Where its length begins. */
  readonly lengthStart: number;
  readonly start: number;
  readonly end: number;
}

/** A state as the engine wrote it: its version, how many events, the events, and the rest. */
export interface WholeState {
  readonly events: EventTable;
  readonly restAt: number;
  /** In the rest. */
  readonly blocks: readonly BlockPlace[];
}

/** Throws `KeyStateVersionError`, `RangeError`. */
export function readWhole(bytes: Uint8Array): WholeState {
  const input = new ByteReader(bytes);
  const version = input.varint();
  input.varint();
  const events = new EventTable(bytes, input.position);
  input.moveTo(0);
  visitEvents(input, (start, end) => events.add(start, end));
  const restAt = input.position;
  const blocks: BlockPlace[] = [];
  visitWindowBlocks(version, input, (lengthStart, start, end) => blocks.push({ lengthStart, start, end }));
  return { events, restAt, blocks };
}

/** Events that follow one another in the state, and where they lie. `source`: 0, or the place of a chunk plus one. */
export interface Piece {
  readonly source: number;
  readonly first: number;
  count: number;
}

/** Where in the rest a block is missing: so many bytes after the one before, or after the begin. */
export interface Hole {
  readonly before: number;
  readonly id: number;
}

export interface SplitEntry {
  readonly version: number;
  readonly chunks: readonly number[];
  readonly pieces: readonly Piece[];
  /** Events that are in no chunk. */
  readonly open: EventTable;
  readonly holes: readonly Hole[];
  readonly rest: Uint8Array;
}

const out = new ByteWriter();

/** What of a state stands where. */
export interface SplitPlan {
  readonly chunks: readonly number[];
  readonly pieces: readonly Piece[];
  /** Numbers of the events that are in no chunk. */
  readonly open: readonly number[];
  /** Of each block of the state, in order: the id under which it is stored apart, or -1. Empty: none is. */
  readonly blocks: readonly number[];
}

/** What this and the next two give is a view that holds until something else is encoded. */
export function encodeSplit(
  { events, restAt, blocks }: WholeState,
  { chunks, pieces, open, blocks: ids }: SplitPlan,
): Uint8Array {
  const { bytes } = events;
  out.varint(SPLIT);
  out.varint(bytes[0]!);
  out.varint(chunks.length);
  for (const id of chunks) out.varint(id);
  out.varint(pieces.length);
  for (const { source, first, count } of pieces) {
    out.varint(source);
    out.varint(first);
    out.varint(count);
  }
  writeEvents(events, open);
  const apart = ids.length === 0 ? [] : blocks.filter((_, i) => ids[i]! >= 0);
  if (bytes[0]! >= WITH_HOLES) {
    out.varint(apart.length);
    const idsApart = ids.filter((id) => id >= 0);
    apart.forEach(({ lengthStart }, i) => {
      out.varint(lengthStart - (i === 0 ? restAt : apart[i - 1]!.end));
      out.varint(idsApart[i]!);
    });
  }
  let at = restAt;
  for (const { lengthStart, end } of apart) {
    out.append(bytes.subarray(at, lengthStart));
    at = end;
  }
  out.append(bytes.subarray(at));
  return out.take();
}

export function encodeBlock(bytes: Uint8Array): Uint8Array {
  out.varint(BLOCK);
  out.append(bytes);
  return out.take();
}

export function encodeChunk(events: EventTable, numbers: readonly number[]): Uint8Array {
  out.varint(CHUNK);
  writeEvents(events, numbers);
  return out.take();
}

function writeEvents(events: EventTable, numbers: readonly number[]): void {
  out.varint(numbers.length);
  for (const number of numbers) out.append(events.run(number, 1));
}

/** Throws `RangeError`. */
export function decodeSplit(bytes: Uint8Array): SplitEntry {
  const input = new ByteReader(bytes);
  input.varint();
  const version = input.varint();
  const chunks = Array.from({ length: input.varint() }, () => input.varint());
  const pieces = Array.from({ length: input.varint() }, () => {
    return { source: input.varint(), first: input.varint(), count: input.varint() };
  });
  const open = readEvents(input, bytes);
  const holes =
    version < WITH_HOLES
      ? []
      : Array.from({ length: input.varint() }, () => ({ before: input.varint(), id: input.varint() }));
  return { version, chunks, pieces, open, holes, rest: bytes.subarray(input.position) };
}

/** What a chunk holds: events, or the bytes of a block. Throws `RangeError`. */
export function decodeChunk(bytes: Uint8Array): EventTable | Uint8Array {
  const input = new ByteReader(bytes);
  const isBlock = input.varint() === BLOCK;
  return isBlock ? bytes.subarray(input.position) : readEvents(input, bytes);
}

function readEvents(input: ByteReader, bytes: Uint8Array): EventTable {
  let left = input.varint();
  const events = new EventTable(bytes, input.position);
  for (; left > 0; left--) {
    const length = input.varint();
    const start = input.position;
    input.skip(length);
    events.add(start, start + length);
  }
  return events;
}

/** The bytes that the engine wrote. `chunks`, `blocks`: in the order of the entry's. */
export function joinState(
  { version, pieces, open, holes, rest }: SplitEntry,
  chunks: readonly EventTable[],
  blocks: readonly Uint8Array[],
): Uint8Array {
  out.varint(version);
  out.varint(pieces.reduce((sum, { count }) => sum + count, 0));
  let opened = 0;
  for (const { source, first, count } of pieces) {
    if (source > 0) out.append(chunks[source - 1]!.run(first, count));
    else {
      out.append(open.run(opened, count));
      opened += count;
    }
  }
  let at = 0;
  holes.forEach(({ before }, i) => {
    out.append(rest.subarray(at, at + before));
    out.byteString(blocks[i]!);
    at += before;
  });
  out.append(rest.subarray(at));
  return out.finish();
}

/**
 * What a chunk's key has after that of its entry: a zero, so that it comes after it; a byte that is in no text, so that no other key is the
 * same; its id.
 */
const SUFFIX_BYTES = 6;
const IN_NO_TEXT = 0xff;
/** Chunks of a key have so many ids. */
export const CHUNK_IDS = 2 ** 32;

export function chunkKey(key: Uint8Array, id: number): Uint8Array {
  const made = new Uint8Array(key.length + SUFFIX_BYTES);
  made.set(key);
  made[key.length + 1] = IN_NO_TEXT;
  new DataView(made.buffer).setUint32(key.length + 2, id);
  return made;
}

/** What `chunkKey` was given; throws `RangeError` for what is too short to be one. */
export function parseChunkKey(made: Uint8Array): { readonly key: Uint8Array; readonly id: number } {
  const end = made.length - SUFFIX_BYTES;
  const view = new DataView(made.buffer, made.byteOffset, made.byteLength);
  return { key: made.subarray(0, end), id: view.getUint32(end + 2) };
}
