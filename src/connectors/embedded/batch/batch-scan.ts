import type { FileHandle } from 'node:fs/promises';
import { readAt } from '../disk/files.js';
import { type BatchHeader, HEADER_BYTES, isIntact, MAGIC, readHeader } from './batch-format.js';

const WINDOW_BYTES = 512 * 1024;

export interface FoundBatch {
  readonly position: number;
  readonly header: BatchHeader;
  /** The bytes in which the batch lies, at `at`. */
  readonly source: Buffer;
  readonly at: number;
}

/** Reads batches of one segment one after the other through a window of bounded size. */
export class BatchScanner {
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;

  constructor(
    private readonly file: FileHandle,
    /** Nothing at or beyond this is looked at. */
    private readonly bytes: number,
  ) {}

  /** The intact batch at `position`, or `undefined`. */
  async at(position: number): Promise<FoundBatch | undefined> {
    await this.cover(position, HEADER_BYTES);
    let header = readHeader(this.window, position - this.windowAt);
    if (header === undefined || position + HEADER_BYTES + header.bodyBytes > this.bytes) {
      return undefined;
    }
    await this.cover(position, HEADER_BYTES + header.bodyBytes);
    const at = position - this.windowAt;
    header = readHeader(this.window, at);
    if (header === undefined || !isIntact(this.window, at, header)) {
      return undefined;
    }
    return { position, header, source: this.window, at };
  }

  /** The first intact batch that begins after `position`, wherever that is. */
  async nextAfter(position: number): Promise<FoundBatch | undefined> {
    let from = position + 1;
    while (from + HEADER_BYTES <= this.bytes) {
      const chunk = await readAt(this.file, from, Math.min(WINDOW_BYTES, this.bytes - from));
      for (let i = chunk.indexOf(MAGIC); i >= 0; i = chunk.indexOf(MAGIC, i + 1)) {
        const found = await this.at(from + i);
        if (found !== undefined) {
          return found;
        }
      }
      // The next chunk begins a little before this one's end: a magic may lie across.
      from += Math.max(chunk.length - MAGIC.length + 1, 1);
    }
    return undefined;
  }

  private async cover(position: number, length: number): Promise<void> {
    const inside = position >= this.windowAt && position + length <= this.windowAt + this.window.length;
    if (!inside) {
      this.window = await readAt(this.file, position, Math.min(Math.max(length, WINDOW_BYTES), this.bytes - position));
      this.windowAt = position;
    }
  }
}
