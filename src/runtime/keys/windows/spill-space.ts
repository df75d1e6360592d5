import type { SpillFile } from '../../ports/spill-file.js';

/** What positions are counted in, in bytes: so they fit 32 bits. */
const UNIT = 64;
/** Up to so many units, space is given out exactly; beyond, in quarters of powers of two, so that it can be used again. */
const EXACT_MAX = 8;

/**
 * Space in a spill file, given out and taken back. Space that was taken back is used again for what is as large, about; the file never
 * becomes shorter.
 */
export class SpillSpace {
  private file: SpillFile | null = null;
  private end = 0;
  private held = 0;
  private isFull = false;
  private scratch = new Uint8Array(4096);
  /** Places to use again, by their size in units. */
  private readonly vacant = new Map<number, number[]>();

  /** `onTrouble`: hears once that nothing more can be written; what is there can still be read. */
  constructor(
    private readonly open: () => SpillFile,
    private readonly onTrouble: (error: Error) => void = () => undefined,
  ) {}

  /** Bytes of the file that are in use. */
  get bytesHeld(): number {
    return this.held * UNIT;
  }

  /** Writes bytes, and answers their place; -1: it cannot be done. */
  write(bytes: Uint8Array): number {
    if (this.isFull) return -1;
    const size = unitsFor(bytes.length);
    const again = this.vacant.get(size)?.pop();
    const place = again ?? this.end;
    try {
      this.file ??= this.open();
      this.file.write(place * UNIT, bytes);
    } catch (error) {
      this.isFull = true;
      this.onTrouble(error as Error);
      return -1;
    }
    if (again === undefined) this.end += size;
    this.held += size;
    return place;
  }

  /** A view of what was written at a place, until the next call. */
  read(place: number, length: number): Uint8Array {
    if (length > this.scratch.length) this.scratch = new Uint8Array(2 * length);
    const bytes = this.scratch.subarray(0, length);
    this.file!.read(place * UNIT, bytes);
    return bytes;
  }

  /** Takes back the place of `length` bytes. */
  release(place: number, length: number): void {
    const size = unitsFor(length);
    this.held -= size;
    const places = this.vacant.get(size);
    if (places === undefined) this.vacant.set(size, [place]);
    else places.push(place);
  }

  close(): void {
    this.file?.close();
    this.file = null;
    this.isFull = true;
  }
}

function unitsFor(length: number): number {
  const units = Math.ceil(length / UNIT);
  if (units <= EXACT_MAX) return units;
  const step = 2 ** (Math.floor(Math.log2(units)) - 2);
  return Math.ceil(units / step) * step;
}
