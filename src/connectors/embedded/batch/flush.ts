import type { FileHandle } from 'node:fs/promises';
import { writeAll } from '../disk/files.js';
import { type BatchHeader, type Body, HEADER_BYTES, mergeBodies, writeBatch } from './batch-format.js';

/** One flush takes up to so many bytes (and at least one send). */
const FLUSH_BYTES = 8 * 1024 * 1024;

/** A send that waits for its flush. */
export interface Pending {
  readonly bodies: readonly Body[];
  readonly bytes: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Sends in order, until the next flush takes them. */
export class FlushQueue {
  private waiting: Pending[] = [];

  get length(): number {
    return this.waiting.length;
  }

  add(bodies: readonly Body[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = bodies.reduce((sum, b) => sum + b.bytes.length, 0);
      this.waiting.push({ bodies, bytes, resolve, reject });
    });
  }

  take(): Pending[] {
    let count = 0;
    for (let bytes = 0; count < this.waiting.length && bytes < FLUSH_BYTES; count++) {
      bytes += (this.waiting[count] as Pending).bytes;
    }
    return this.waiting.splice(0, count);
  }
}

export interface FlushPlan {
  readonly bytes: Buffer;
  readonly batches: readonly { readonly header: BatchHeader; readonly source: Buffer; readonly at: number }[];
}

/**
 * Lays out the batches of one flush.
 *
 * @param from at least one.
 * @param position where in the file they begin.
 * @param baseOffset offset of the first record.
 * @param flushStart where the oldest bytes begin that are not known to be on the disk.
 */
export function planFlush(
  from: readonly Body[],
  position: number,
  baseOffset: number,
  flushStart: number,
  appendedAt: number,
): FlushPlan {
  const bodies = mergeBodies(from);
  const source = Buffer.allocUnsafe(bodies.reduce((sum, b) => sum + HEADER_BYTES + b.bytes.length, 0));
  const batches: FlushPlan['batches'][number][] = [];
  let at = 0;
  let offset = baseOffset;
  for (const body of bodies) {
    const header: BatchHeader = {
      bodyBytes: body.bytes.length,
      count: body.count,
      baseOffset: offset,
      maxTimestamp: body.maxTimestamp,
      appendedAt,
      nextOffset: offset + body.count,
      flushDistance: position + at - flushStart,
      sparse: false,
    };
    batches.push({ header, source, at });
    at = writeBatch(source, at, body, header);
    offset = header.nextOffset;
  }
  return { bytes: source, batches };
}

export async function writeFlush(file: FileHandle, plan: FlushPlan, position: number, sync: boolean): Promise<void> {
  await writeAll(file, plan.bytes, position);
  if (sync) {
    await file.datasync();
  }
}
