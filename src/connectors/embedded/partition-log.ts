import type { FileHandle } from 'node:fs/promises';
import { LogError } from '../../runtime/local-log/log-error.js';
import {
  type PartitionStorage,
  type PendingRecord,
  type StoredRecords,
  Subscribers,
} from '../../runtime/local-log/storage.js';
import { encodeBodies, RECORD_BYTES_MAX, recordBytes } from './batch-format.js';
import { compact, worthCompacting } from './compaction.js';
import { fileError } from './file-errors.js';
import { syncDirectory } from './files.js';
import { FlushQueue, type Pending, planFlush, writeFlush } from './flush.js';
import { PartitionReader } from './partition-reader.js';
import type { PartitionSettings } from './partition-settings.js';
import { Segment } from './segment.js';
import { checkOrder, findSegments } from './segment-files.js';
import { PartitionTail } from './tail-cache.js';

/**
 * One partition: segment files in a folder.
 *
 * 1. `end` moves only after the bytes before it are durable; readers see nothing beyond it.
 * 2. One flush is under way at a time; all sends that came meanwhile share the next one (group commit).
 * 3. A flush that fails leaves the file as it was before, or, where even that cannot be known, the partition takes no more records.
 * 4. Segments are in order of offset; the last one is the active one.
 */
export class PartitionLog implements PartitionStorage {
  private readonly queue = new FlushQueue();
  private readonly tail = new PartitionTail();
  private readonly subscribers = new Subscribers();
  private readonly reader: PartitionReader;
  private readonly removals: Segment[] = [];
  private running: Promise<void> = Promise.resolve();
  private busy = false;
  private rollRequested = false;
  private cleaning: Promise<void> = Promise.resolve();
  private cancelSync: (() => void) | undefined;
  /** Where the first flush began that was not yet forced to the disk. */
  private unsyncedFrom = 0;
  private failure: LogError | undefined;
  private closed = false;

  private constructor(
    private readonly directory: string,
    private readonly settings: PartitionSettings,
    private readonly segments: Segment[],
    private file: FileHandle,
  ) {
    this.reader = new PartitionReader(segments, this.tail);
    this.unsyncedFrom = this.active.bytes;
  }

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
      const log = new PartitionLog(directory, settings, segments, file);
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
    this.assertWritable();
    if (records.length === 0) {
      return;
    }
    for (const record of records) {
      this.check(record);
    }
    const flushed = this.queue.add(encodeBodies(records));
    this.kick();
    await flushed;
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
    if (this.closed || this.failure !== undefined) {
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
    this.cancelSync?.();
    try {
      if (this.failure === undefined) {
        await this.file.datasync();
        await this.active.writeIndex();
      }
    } catch (error) {
      throw fileError(error, 'close', this.active.file);
    } finally {
      await this.file.close();
    }
  }

  private get active(): Segment {
    return this.segments.at(-1) as Segment;
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
    if (this.failure !== undefined) {
      throw this.failure;
    }
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
    while (this.queue.length > 0 || this.rollRequested) {
      const pending = this.queue.take();
      try {
        if (this.failure !== undefined) {
          throw this.failure;
        }
        if (this.rollRequested || this.active.bytes >= this.settings.segmentBytes) {
          await this.roll();
        }
        if (pending.length > 0) {
          await this.flush(pending);
        }
        this.rollRequested = false;
      } catch (error) {
        this.rollRequested = false;
        const failure = fileError(error, 'write', this.active.file);
        for (const p of pending) {
          p.reject(failure);
        }
      }
    }
    // In the same turn as the last look at the queue: whoever adds to it from now on starts another run.
    this.busy = false;
  }

  private async flush(pending: readonly Pending[]): Promise<void> {
    const segment = this.active;
    const always = this.settings.fsync === 'always';
    const flushStart = always ? segment.bytes : this.unsyncedFrom;
    const plan = planFlush(pending, segment.bytes, segment.endOffset, flushStart, this.settings.clock.now());
    try {
      await writeFlush(this.file, plan, segment.bytes, always);
    } catch (error) {
      await this.undo(segment, error);
      throw error;
    }
    segment.extend((index) => {
      for (const batch of plan.batches) {
        index.add(batch.header);
        this.settings.cache.add(this.tail, batch);
      }
    });
    if (!always) {
      this.syncLater();
    }
    for (const p of pending) {
      p.resolve();
    }
    this.subscribers.notify();
  }

  /** Takes back what a failed flush may have written (3.). */
  private async undo(segment: Segment, cause: unknown): Promise<void> {
    const error = fileError(cause, 'write', segment.file);
    if (error.code === 'LOG_DISK_FULL') {
      try {
        await this.file.truncate(segment.bytes);
        await this.file.datasync();
        return;
      } catch {
        // Then it is not known what the file holds: as below.
      }
    }
    this.fail(error);
  }

  private fail(cause: LogError): void {
    this.failure ??= new LogError(
      cause.code,
      `${this.directory} takes no more records: ${cause.message} Start again: what was acknowledged is kept.`,
      { cause },
    );
  }

  private async roll(): Promise<void> {
    const former = this.active;
    if (former.bytes === 0) {
      return;
    }
    await this.file.datasync();
    await former.writeIndex();
    const next = new Segment(this.directory, former.endOffset);
    const file = await next.openForAppending(true);
    try {
      await syncDirectory(this.directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    const formerFile = this.file;
    // Before the former file is closed: a flush by the timer must find the new one.
    this.file = file;
    this.segments.push(next);
    this.unsyncedFrom = 0;
    await formerFile.close();
    former.releaseIndex();
    this.clean();
  }

  private syncLater(): void {
    this.cancelSync ??= this.settings.clock.schedule(this.settings.fsyncIntervalMs, () => {
      this.cancelSync = undefined;
      const segment = this.active;
      const bytes = segment.bytes;
      this.file.datasync().then(
        () => {
          if (segment === this.active) {
            this.unsyncedFrom = bytes;
          }
        },
        (error) => {
          if (segment === this.active && !this.closed) {
            this.fail(fileError(error, 'flush', segment.file));
          }
        },
      );
    });
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
