import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoredRecords } from '../../../runtime/local-log/storage.js';
import { errnoOf, fileError } from '../disk/file-errors.js';
import type { Segment } from '../segment/segment.js';
import type { PartitionTail } from './tail-cache.js';

/** Readers remember where they stopped, for so many readers. */
const HINTS_MAX = 32;

/**
 * Reads one partition: its newest records from memory, the others from the segments.
 *
 * 1. `segments` is the partition's own list and changes under a reader's hands: a file that is gone while it is read is looked for again.
 * 2. A reader that goes on where a former read stopped needs no index.
 * 3. In one turn of the event loop, memory serves one read: readers that catch up from it starve neither timers nor sockets.
 */
export class PartitionReader {
  private readonly hints = new Map<number, { segment: Segment; position: number }>();
  private servedInTurn = false;

  constructor(
    private readonly segments: readonly Segment[],
    private readonly tail: PartitionTail,
  ) {}

  async read(offset: number): Promise<StoredRecords> {
    let from = offset;
    for (;;) {
      from = Math.max(from, (this.segments[0] as Segment).baseOffset);
      const cached = this.tail.read(from);
      if (cached !== undefined) {
        await this.takeTurn();
        return cached;
      }
      const found = await this.readSegment(this.segmentOf(from), from);
      if (found === 'gone') {
        continue;
      }
      if (found !== undefined) {
        return found;
      }
      const next = this.segments.find((s) => s.baseOffset > from);
      if (next === undefined || next.bytes === 0) {
        return { records: [], nextOffset: this.active.endOffset };
      }
      from = next.baseOffset;
    }
  }

  async offsetAt(timestamp: number): Promise<number> {
    for (const segment of [...this.segments]) {
      try {
        const offset = await segment.offsetAt(timestamp);
        if (offset !== undefined) {
          return offset;
        }
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || this.segments.includes(segment)) {
          throw fileError(error, 'read', segment.file);
        }
      } finally {
        this.release(segment);
      }
    }
    return this.active.endOffset;
  }

  private async takeTurn(): Promise<void> {
    if (this.servedInTurn) {
      await nextTurn();
    } else {
      this.servedInTurn = true;
      setImmediate(() => {
        this.servedInTurn = false;
      });
    }
  }

  private get active(): Segment {
    return this.segments.at(-1) as Segment;
  }

  private segmentOf(offset: number): Segment {
    let found = this.segments[0] as Segment;
    for (const segment of this.segments) {
      if (segment.baseOffset > offset) {
        break;
      }
      found = segment;
    }
    return found;
  }

  private async readSegment(segment: Segment, from: number): Promise<StoredRecords | 'gone' | undefined> {
    const hint = this.hints.get(from);
    this.hints.delete(from);
    try {
      const found = await segment.read(from, hint?.segment === segment ? hint.position : undefined);
      if (found === undefined) {
        return undefined;
      }
      this.remember(found.nextOffset, segment, found.nextPosition);
      return { records: found.records, nextOffset: found.nextOffset };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' && !this.segments.includes(segment)) {
        return 'gone';
      }
      throw fileError(error, 'read', segment.file);
    } finally {
      this.release(segment);
    }
  }

  private remember(offset: number, segment: Segment, position: number): void {
    this.hints.set(offset, { segment, position });
    if (this.hints.size > HINTS_MAX) {
      this.hints.delete(this.hints.keys().next().value as number);
    }
  }

  /** Only the active segment's index stays in memory: hints spare sequential readers the others'. */
  private release(segment: Segment): void {
    if (segment !== this.active) {
      segment.releaseIndex();
    }
  }
}
