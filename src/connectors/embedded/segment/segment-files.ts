import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { corrupt } from '../disk/file-errors.js';
import { Segment } from './segment.js';

/** The segments in a folder, in order; what a crash has left over is deleted. */
export async function findSegments(directory: string): Promise<Segment[]> {
  const newest = new Map<number, Segment>();
  for (const name of (await readdir(directory)).sort()) {
    if (name.endsWith('.tmp')) {
      await rm(join(directory, name), { force: true });
    }
    const parsed = Segment.parseName(name);
    if (parsed !== undefined) {
      // Names are sorted: a later one of the same offset was compacted from it, and is complete.
      await newest.get(parsed.baseOffset)?.remove();
      newest.set(parsed.baseOffset, new Segment(directory, parsed.baseOffset, parsed.generation));
    }
  }
  return [...newest.values()].sort((a, b) => a.baseOffset - b.baseOffset);
}

/** @throws LogError `LOG_CORRUPT` when a file is missing between others; compaction may leave gaps. */
export function checkOrder(segments: readonly Segment[], compacted: boolean): void {
  for (let i = 1; i < segments.length; i++) {
    const former = segments[i - 1] as Segment;
    const { baseOffset, file } = segments[i] as Segment;
    const gap = baseOffset - former.endOffset;
    if (gap < 0 || (gap > 0 && !compacted)) {
      throw corrupt(
        file,
        0,
        former.endOffset,
        `the file before it ends at offset ${former.endOffset}, not ${baseOffset}`,
      );
    }
  }
}
