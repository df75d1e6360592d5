import { LogError } from '../../../runtime/local-log/log-error.js';
import {
  type PartitionStorage,
  type PendingRecord,
  type StoredRecords,
  Subscribers,
} from '../../../runtime/local-log/storage.js';
import { type Body, encodeBodies, RECORD_BYTES_MAX, recordBytes } from '../batch/batch-format.js';
import { FlushQueue, type Pending } from '../batch/flush.js';
import { fileError } from '../disk/file-errors.js';
import { syncDirectory } from '../disk/files.js';
import { compact, worthCompacting } from '../segment/compaction.js';
import { Segment } from '../segment/segment.js';
import { checkOrder, findSegments } from '../segment/segment-files.js';
import { PartitionReader } from './partition-reader.js';
import type { PartitionSettings } from './partition-settings.js';
import { PartitionWriter } from './partition-writer.js';
import { PartitionTail } from './tail-cache.js';

/** A partition that nobody else writes until it is let go. */
export interface HeldPartition {
  readonly writer: PartitionWriter;
  release(): void;
}

/**
 * One partition: segment files in a folder.
 *
 * 1. `end` moves only after the bytes before it are durable; readers see nothing beyond it.
 * 2. One flush is under way at a time; all sends that came meanwhile share the next one (group commit).
 * 3. A flush that fails leaves the file as it was before, or, where even that cannot be known, the partition takes no more records.
 * 4. While it is held (`hold`), nothing is flushed; sends wait.
 */
export class PartitionLog implements PartitionStorage {
  private readonly queue = new FlushQueue();
  private readonly holds: ((held: HeldPartition) => void)[] = [];
  private readonly removals: Segment[] = [];
  private running: Promise<void> = Promise.resolve();
  private busy = false;
  private rollRequested = false;
  private cleaning: Promise<void> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly directory: string,
    private readonly settings: PartitionSettings,
    private readonly segments: Segment[],
    private readonly writer: PartitionWriter,
    private readonly reader: PartitionReader,
    private readonly subscribers: Subscribers,
  ) {}

  /** Opens the partition, cutting off a flush that the end of the process cut short. */
  static async open(directory: string, settings: PartitionSettings): Promise<PartitionLog> {
    try {
      const segments = await findSegments(directory);
      for (const [i, segment] of segments.entries()) {
        const cut = await segment.recover(i === segments.length - 1);
        if (cut > 0) {
          const message = `cut ${cut} bytes off ${segment.file}: a write that the end of the process had cut short`;
          settings.onTrouble(new LogError('LOG_IO', message));
        }
      }
      checkOrder(segments, settings.compacted);
      const create = segments.length === 0;
      if (create) {
        segments.push(new Segment(directory, 0));
      }
      const file = await (segments.at(-1) as Segment).openForAppending(create);
      if (create) {
        await syncDirectory(directory);
      }
      const tail = new PartitionTail();
      const subscribers = new Subscribers();
      const published = () => subscribers.notify();
      const rolled = () => log.clean();
      const writer = new PartitionWriter(directory, settings, segments, file, tail, published, rolled);
      const reader = new PartitionReader(segments, tail);
      const log: PartitionLog = new PartitionLog(directory, settings, segments, writer, reader, subscribers);
      log.clean();
      return log;
    } catch (error) {
      throw fileError(error, 'open', directory);
    }
  }

  get begin(): number {
    return (this.segments[0] as Segment).baseOffset;
  }

  get end(): number {
    return this.active.endOffset;
  }

  subscribe(listener: () => void): () => void {
    return this.subscribers.add(listener);
  }

  async append(records: readonly PendingRecord[]): Promise<void> {
    const bodies = this.encode(records);
    if (bodies.length === 0) {
      return;
    }
    const flushed = this.queue.add(bodies);
    this.kick();
    await flushed;
  }

  /** The records' bytes, taken over. Throws where they cannot be appended here. */
  encode(records: readonly PendingRecord[]): readonly Body[] {
    this.assertWritable();
    for (const record of records) {
      this.check(record);
    }
    return records.length === 0 ? [] : encodeBodies(records);
  }

  /** Keeps all others from writing, once the flush under way is over. */
  async hold(): Promise<HeldPartition> {
    this.assertWritable();
    const held = new Promise<HeldPartition>((resolve) => this.holds.push(resolve));
    this.kick();
    return held;
  }

  get hasFailed(): boolean {
    return this.writer.hasFailed;
  }

  /** Forces to the disk what was written without; `all`: also what an earlier process has written. */
  sync(all = false): Promise<void> {
    return this.writer.sync(all);
  }

  read(offset: number): Promise<StoredRecords> {
    return this.reader.read(offset);
  }

  offsetAt(timestamp: number): Promise<number> {
    return this.reader.offsetAt(timestamp);
  }

  /** Deletes and compacts what is due. */
  clean(): void {
    const { retentionMs, retentionBytes, compacted, clock } = this.settings;
    if (this.closed || this.writer.hasFailed) {
      return;
    }
    if (compacted) {
      this.cleanLater(() => this.compactFull());
      return;
    }
    const tooOld = clock.now() - retentionMs;
    if (this.active.bytes > 0 && this.active.lastAppendedAt < tooOld) {
      this.rollRequested = true;
      this.kick();
    }
    let bytes = this.segments.reduce((sum, s) => sum + s.bytes, 0);
    while (this.segments.length > 1) {
      const first = this.segments[0] as Segment;
      if (first.lastAppendedAt >= tooOld && bytes - first.bytes < retentionBytes) {
        break;
      }
      bytes -= first.bytes;
      this.segments.shift();
      this.removals.push(first);
    }
    this.cleanLater(() => this.removeFirst());
  }

  /** Resolves when all appends have settled and everything is on the disk. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
    await this.cleaning;
    await this.writer.close();
  }

  private get active(): Segment {
    return this.writer.active;
  }

  private check(record: PendingRecord): void {
    const bytes = recordBytes(record);
    if (bytes > RECORD_BYTES_MAX) {
      throw new LogError(
        'LOG_RECORD_TOO_LARGE',
        `a record of ${bytes} bytes is above the limit of ${RECORD_BYTES_MAX}`,
      );
    }
    if (this.settings.compacted && record.key === null) {
      throw new LogError(
        'LOG_KEY_REQUIRED',
        `a record without a key cannot go to ${this.directory}: it is compacted by key`,
      );
    }
  }

  private assertWritable(): void {
    this.writer.assertSound();
    if (this.closed) {
      throw new LogError('LOG_CLOSED', 'the log is closed');
    }
  }

  private kick(): void {
    if (!this.busy) {
      this.busy = true;
      this.running = this.run();
    }
  }

  private async run(): Promise<void> {
    // Sends made in the same turn share the first flush.
    await Promise.resolve();
    while (this.queue.length > 0 || this.rollRequested || this.holds.length > 0) {
      const pending = this.queue.take();
      if (pending.length > 0 || this.rollRequested) {
        await this.flush(pending);
      }
      const granted = this.holds.shift();
      if (granted !== undefined) {
        await new Promise<void>((release) => granted({ writer: this.writer, release }));
      }
    }
    // In the same turn as the last look at the queue: whoever adds to it from now on starts another run.
    this.busy = false;
  }

  private async flush(pending: readonly Pending[]): Promise<void> {
    try {
      this.writer.assertSound();
      if (this.rollRequested) {
        await this.writer.roll();
      }
      if (pending.length > 0) {
        await this.write(pending.flatMap((p) => p.bodies));
        for (const p of pending) {
          p.resolve();
        }
      }
    } catch (error) {
      const failure = fileError(error, 'write', this.active.file);
      for (const p of pending) {
        p.reject(failure);
      }
    }
    this.rollRequested = false;
  }

  private async write(bodies: readonly Body[]): Promise<void> {
    const plan = await this.writer.plan(bodies);
    const sync = this.settings.fsync === 'always';
    try {
      await this.writer.write(plan, sync);
    } catch (error) {
      await this.writer.takeBack(error);
      throw error;
    }
    this.writer.publish(plan, sync);
  }

  private async compactFull(): Promise<void> {
    const full = this.segments.slice(0, -1);
    if (worthCompacting(full)) {
      await compact(this.directory, full, this.settings.clock.now(), (old, made) => this.replace(old, made));
    }
  }

  /** The oldest first: were a later file gone before an earlier one, the folder would look damaged after a crash. */
  private async removeFirst(): Promise<void> {
    for (let first = this.removals[0]; first !== undefined; first = this.removals[0]) {
      await first.remove();
      this.removals.shift();
    }
  }

  /** One after the other; what fails is tried again when it is due again. */
  private cleanLater(task: () => Promise<void>): void {
    this.cleaning = this.cleaning.then(task).catch((error) => {
      this.settings.onTrouble(fileError(error, 'clean up', this.directory));
    });
  }

  /** Readers that have found the old segment already notice that it is gone and look again. */
  private replace(old: Segment, made: Segment | undefined): void {
    const index = this.segments.indexOf(old);
    this.segments.splice(index, 1, ...(made === undefined ? [] : [made]));
  }
}
