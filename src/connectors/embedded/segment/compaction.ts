import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord } from '../../../runtime/ports/log.js';
import { decodeRecords, encodeSparse } from '../batch/batch-format.js';
import { syncDirectory, writeAll } from '../disk/files.js';
import { Segment } from './segment.js';

/** Compact when so much of what is full was not compacted before. */
const DIRTY_SHARE = 0.5;
/** A deleted key's last record, whose value is null, stays so long, so that readers that are behind see it. */
const TOMBSTONE_MS = 24 * 60 * 60 * 1000;

export function worthCompacting(full: readonly Segment[]): boolean {
  const bytes = full.reduce((sum, s) => sum + s.bytes, 0);
  const dirty = full.reduce((sum, s) => sum + (s.generation === 0 ? s.bytes : 0), 0);
  return dirty > 0 && dirty >= bytes * DIRTY_SHARE;
}

/**
 * Rewrites full segments so that only the last record of each key stays. Records keep their offsets. While it runs, each key is held in
 * memory once.
 *
 * @param replace told of each segment that was rewritten (or, with `undefined`, is empty now) once the new file is durable; the old file
 *   is deleted after it.
 */
export async function compact(
  directory: string,
  full: readonly Segment[],
  now: number,
  replace: (old: Segment, made: Segment | undefined) => void,
): Promise<void> {
  const last = await lastOffsets(full);
  for (const segment of full) {
    const keep = (record: LogRecord, appendedAt: number) =>
      last.get(keyOf(record)) === record.offset && (record.value !== null || appendedAt >= now - TOMBSTONE_MS);
    const made = await rewrite(directory, segment, keep);
    replace(segment, made);
    await segment.remove();
  }
}

async function lastOffsets(segments: readonly Segment[]): Promise<Map<string, number>> {
  const last = new Map<string, number>();
  for (const segment of segments) {
    for await (const { header, source, at } of segment.batches()) {
      const records: LogRecord[] = [];
      decodeRecords(source, at, header, 0, records);
      for (const record of records) {
        last.set(keyOf(record), record.offset);
      }
    }
  }
  return last;
}

/** Writes the records to keep into the segment's next generation; `undefined` when there are none. */
async function rewrite(
  directory: string,
  old: Segment,
  keep: (record: LogRecord, appendedAt: number) => boolean,
): Promise<Segment | undefined> {
  const made = new Segment(directory, old.baseOffset, old.generation + 1);
  const temporary = join(directory, `${made.name}.tmp`);
  const file = await open(temporary, 'w');
  let bytes = 0;
  try {
    for await (const { header, source, at } of old.batches()) {
      const records: LogRecord[] = [];
      decodeRecords(source, at, header, 0, records);
      const kept = records.filter((r) => keep(r, header.appendedAt));
      if (kept.length > 0) {
        const batch = encodeSparse(kept, header);
        await writeAll(file, batch, bytes);
        bytes += batch.length;
      }
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  if (bytes === 0) {
    await rm(temporary);
    return undefined;
  }
  await rename(temporary, made.file);
  await syncDirectory(directory);
  await made.recover(false);
  return made;
}

function keyOf(record: LogRecord): string {
  return Buffer.from(record.key ?? []).toString('latin1');
}
