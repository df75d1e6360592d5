import { readdir } from 'node:fs/promises';
import { LogError } from '../../../runtime/local-log/log-error.js';
import {
  type LogReader,
  partitionName,
  type ReadOptions,
  type RecordBatch,
  type TopicInfo,
  type TopicPartition,
} from '../../../runtime/ports/log.js';
import { errnoOf, fileError } from '../disk/file-errors.js';
import { Segment } from '../segment/segment.js';
import { lookAtTopics, partitionFolder } from './log-folder.js';

/** Files that retention or compaction takes away while they are looked at; the next look finds what is there. */
const LOOKS_MAX = 5;

/**
 * Reads the folder of an embedded log beside the process that has it open, which is not asked: no lock is taken and nothing is written.
 * What a partition holds is what was on the disk when it was first asked for, batch by whole batch. A batch may be of a transaction
 * whose other partitions are being written just now; what is read is committed all the same.
 */
export class LogFolderReader implements LogReader {
  private readonly partitions = new Map<string, Promise<readonly Segment[]>>();
  private closed = false;

  constructor(private readonly directory: string) {}

  /** @throws LogError `LOG_FOREIGN`, `LOG_CORRUPT`, `LOG_IO`. */
  async topics(): Promise<readonly TopicInfo[]> {
    return (await lookAtTopics(this.directory)).map(({ name, partitions }) => ({ name, partitions }));
  }

  async offsets(partition: TopicPartition): Promise<{ readonly begin: number; readonly end: number }> {
    const segments = await this.segmentsOf(partition);
    return { begin: segments[0]?.baseOffset ?? 0, end: segments.at(-1)?.endOffset ?? 0 };
  }

  async offsetAt(partition: TopicPartition, timestamp: number): Promise<number> {
    const segments = await this.segmentsOf(partition);
    for (const segment of segments) {
      const offset = await this.reading(segment, () => segment.offsetAt(timestamp));
      if (offset !== undefined) return offset;
    }
    return segments.at(-1)?.endOffset ?? 0;
  }

  async *read(partition: TopicPartition, from: number, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
    const segments = await this.segmentsOf(partition);
    const endOffset = segments.at(-1)?.endOffset ?? 0;
    const to = Math.min(options.to ?? endOffset, endOffset);
    let offset = from;
    for (const segment of segments) {
      let position: number | undefined;
      while (offset < Math.min(to, segment.endOffset) && !this.closed && options.signal?.aborted !== true) {
        const found = await this.reading(segment, () => segment.read(offset, position));
        if (found === undefined) break;
        const records = found.nextOffset <= to ? found.records : found.records.filter((r) => r.offset < to);
        offset = Math.min(found.nextOffset, to);
        position = found.nextPosition;
        yield { ...partition, records, nextOffset: offset, endOffset };
      }
      segment.releaseIndex();
    }
  }

  /** Readers end with the batch that they have. */
  async close(): Promise<void> {
    this.closed = true;
  }

  private segmentsOf(partition: TopicPartition): Promise<readonly Segment[]> {
    const name = partitionName(partition);
    const known =
      this.partitions.get(name) ?? look(partitionFolder(this.directory, partition.topic, partition.partition));
    this.partitions.set(name, known);
    return known;
  }

  private async reading<T>(segment: Segment, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw fileError(error, 'read', segment.file);
      throw new LogError('LOG_IO', `${segment.file} was deleted by retention while it was read. Begin anew.`, {
        cause: error,
      });
    }
  }
}

/** The segments of a partition, in order. */
async function look(folder: string): Promise<readonly Segment[]> {
  for (let looks = 1; ; looks++) {
    try {
      const newest = new Map<number, Segment>();
      for (const name of (await readdir(folder)).sort()) {
        const parsed = Segment.parseName(name);
        // Names are sorted: a later one of the same offset was compacted from it, and is complete.
        if (parsed !== undefined)
          newest.set(parsed.baseOffset, new Segment(folder, parsed.baseOffset, parsed.generation));
      }
      const segments = [...newest.values()].sort((a, b) => a.baseOffset - b.baseOffset);
      for (const segment of segments) await segment.look();
      return segments;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || looks === LOOKS_MAX) throw fileError(error, 'read', folder);
    }
  }
}
