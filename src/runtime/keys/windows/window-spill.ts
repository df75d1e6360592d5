import {
  ByteReader,
  ByteWriter,
  decodeFeatures,
  encodeFeatures,
  type FeatureSet,
  type FeatureState,
  mapWindows,
  type WindowMap,
} from '../../../engine/index.js';
import { DoubleColumn, WordColumn } from '../table/columns.js';
import type { SpillSpace } from './spill-space.js';

/** How much memory the windows of features may take, and where they go beyond; shared by the partitions of a thread. */
export interface SpillOptions {
  readonly space: SpillSpace;
  /** Bytes of windows that may be in memory, and are. */
  readonly memory: { readonly bytesMax: number; used: number };
}

/** Windows that are not in memory. */
export interface SpillCounts {
  readonly keys: number;
  /** Of the file. */
  readonly bytes: number;
  /** Looks at windows that were in memory, and that had to be read. */
  readonly hits: number;
  readonly misses: number;
}

const NOWHERE = 0;

/**
 * The windows of slots that are not in memory, as the bytes that a cut would have, in a file.
 *
 * Invariants
 * 1. A slot with a place in the file has the very windows there that it has in memory, if it has any there: what changes gives up its place
 *    first. So windows that were only read leave memory without being written again.
 * 2. Where windows are changes no result.
 */
export class WindowSpill {
  /** Place in the file plus one, and length; 0: nowhere. */
  private readonly places = new WordColumn(NOWHERE);
  private readonly lengths = new WordColumn();
  /** Time of the newest event of what is in the file. */
  private readonly newestTimes = new DoubleColumn();
  private readonly map: WindowMap;
  private readonly out = new ByteWriter();
  private rows = 0;
  keys = 0;
  /** Bytes in the file. */
  bytesWritten = 0;

  constructor(
    private readonly set: FeatureSet,
    private readonly space: SpillSpace,
  ) {
    this.map = mapWindows(set, set.windowIds);
  }

  /** Memory of the columns. */
  get bytes(): number {
    return this.places.bytes + this.lengths.bytes + this.newestTimes.bytes;
  }

  reserve(rows: number): void {
    this.rows = Math.max(this.rows, rows);
    for (const column of [this.places, this.lengths, this.newestTimes]) column.reserve(rows);
  }

  has(slot: number): boolean {
    return this.places.get(slot) !== NOWHERE;
  }

  newest(slot: number): number {
    return this.newestTimes.get(slot);
  }

  /** Writes the windows of a slot; false: there is no space, and they must stay. */
  write(slot: number, state: FeatureState | undefined, newest: number): boolean {
    encodeFeatures(this.out, this.set, state);
    const bytes = this.out.take();
    const place = this.space.write(bytes);
    if (place < 0) return false;
    this.places.set(slot, place + 1);
    this.lengths.set(slot, bytes.length);
    this.newestTimes.set(slot, newest);
    this.keys++;
    this.bytesWritten += bytes.length;
    return true;
  }

  read(slot: number): FeatureState | undefined {
    const bytes = this.space.read(this.places.get(slot) - 1, this.lengths.get(slot));
    return decodeFeatures(new ByteReader(bytes), this.set, this.map);
  }

  drop(slot: number): void {
    const place = this.places.get(slot);
    if (place === NOWHERE) return;
    this.space.release(place - 1, this.lengths.get(slot));
    this.places.set(slot, NOWHERE);
    this.keys--;
    this.bytesWritten -= this.lengths.get(slot);
  }

  /** Gives up all places. */
  close(): void {
    for (let slot = 0; slot < this.rows; slot++) this.drop(slot);
  }
}
