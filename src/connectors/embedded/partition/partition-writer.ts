import type { FileHandle } from 'node:fs/promises';
import { LogError } from '../../../runtime/local-log/log-error.js';
import type { Body } from '../batch/batch-format.js';
import { type FlushPlan, planFlush, writeFlush } from '../batch/flush.js';
import { fileError } from '../disk/file-errors.js';
import { syncDirectory } from '../disk/files.js';
import { Segment } from '../segment/segment.js';
import type { PartitionSettings } from './partition-settings.js';
import type { PartitionTail } from './tail-cache.js';

/** Where batches go that were planned before, and are written again after a crash. */
export interface Placed {
  readonly baseOffset: number;
  readonly appendedAt: number;
}

/**
 * Writes at the end of one partition. Its caller sees to it that one `plan`, `write`, `publish` is under way at a time.
 *
 * 1. What was written belongs to the partition from `publish` on: only then does its end move.
 * 2. A write that fails is taken back, or, where even that cannot be known, the partition takes no more records.
 * 3. Each batch says where the oldest bytes begin that may not be on the disk when it is (`unsyncedFrom`): that tells a torn tail from
 *    damage.
 */
export class PartitionWriter {
  private cancelSync: (() => void) | undefined;
  private unsyncedFrom: number;
  private failure: LogError | undefined;
  private closed = false;

  constructor(
    private readonly directory: string,
    private readonly settings: PartitionSettings,
    /** In order of offset; the last one is the active one. */
    private readonly segments: Segment[],
    private file: FileHandle,
    private readonly tail: PartitionTail,
    /** The end has moved. */
    private readonly onPublished: () => void,
    /** Another segment is the active one. */
    private readonly onRolled: () => void,
  ) {
    this.unsyncedFrom = this.active.bytes;
  }

  get active(): Segment {
    return this.segments.at(-1) as Segment;
  }

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /** Throws what made it fail. */
  assertSound(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Lays out the next batches; begins another segment first where the active one is full. */
  async plan(bodies: readonly Body[], placed?: Placed): Promise<FlushPlan> {
    this.assertSound();
    if (this.active.bytes >= this.settings.segmentBytes) await this.roll();
    const { bytes, endOffset } = this.active;
    const baseOffset = placed?.baseOffset ?? endOffset;
    return planFlush(bodies, bytes, baseOffset, this.unsyncedFrom, placed?.appendedAt ?? this.settings.clock.now());
  }

  /** Writes the bytes; `sync` forces them, and all before them, to the disk. What fails must be taken back. */
  async write(plan: FlushPlan, sync: boolean): Promise<void> {
    await writeFlush(this.file, plan, this.active.bytes, sync);
  }

  /** What was written belongs to the partition now. */
  publish(plan: FlushPlan, synced: boolean): void {
    const segment = this.active;
    segment.extend((index) => {
      for (const batch of plan.batches) {
        index.add(batch.header);
        this.settings.cache.add(this.tail, batch);
      }
    });
    if (synced) {
      this.unsyncedFrom = segment.bytes;
    } else if (this.settings.fsync === 'interval') {
      this.syncLater();
    }
    this.onPublished();
  }

  /** Takes away what was written and is not published, durably. Answers whether that could be done; if not, it has failed. */
  async takeBack(cause: unknown): Promise<boolean> {
    const error = fileError(cause, 'write', this.active.file);
    if (error.code === 'LOG_DISK_FULL') {
      try {
        await this.file.truncate(this.active.bytes);
        await this.file.datasync();
        return true;
      } catch {
        // Then it is not known what the file holds: as below.
      }
    }
    this.fail(error);
    return false;
  }

  /** It takes no more records. */
  fail(cause: LogError): void {
    this.failure ??= new LogError(
      cause.code,
      `${this.directory} takes no more records: ${cause.message} Start again: what was acknowledged is kept.`,
      { cause },
    );
  }

  /**
   * Forces what was published to the disk. Throws, and has failed, where that cannot be done.
   *
   * @param all also what an earlier process has written.
   */
  async sync(all = false): Promise<void> {
    this.assertSound();
    const segment = this.active;
    const bytes = segment.bytes;
    if (this.unsyncedFrom === bytes && !all) return;
    try {
      await this.file.datasync();
    } catch (error) {
      // A segment that is not the active one any more was forced to the disk when the next one began.
      if (segment !== this.active || this.closed) return;
      this.fail(fileError(error, 'flush', segment.file));
      this.assertSound();
    }
    if (segment === this.active) this.unsyncedFrom = Math.max(this.unsyncedFrom, bytes);
  }

  /** Begins another segment, unless the active one is empty. */
  async roll(): Promise<void> {
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
    this.onRolled();
  }

  /** Everything is on the disk when it resolves. */
  async close(): Promise<void> {
    this.closed = true;
    this.cancelSync?.();
    try {
      if (!this.hasFailed) {
        await this.file.datasync();
        await this.active.writeIndex();
      }
    } catch (error) {
      throw fileError(error, 'close', this.active.file);
    } finally {
      await this.file.close();
    }
  }

  private syncLater(): void {
    this.cancelSync ??= this.settings.clock.schedule(this.settings.fsyncIntervalMs, () => {
      this.cancelSync = undefined;
      // It has failed then, and says so to the next who writes.
      this.sync().catch(() => {});
    });
  }
}
