import type { Mark, RowBatch } from '../../connectors/file/record-file.js';
import { fieldName } from '../../engine/index.js';
import type { Keyed } from '../../rules/key-of.js';
import { DecodeFailure } from '../../runtime/ports/decoder.js';
import { ownFields, type StreamDefinition, streamDefinition } from '../../runtime/stream.js';
import { kindOf, missingIdentity, timeOf } from '../../runtime/task/interpret.js';
import { FileEvent } from './file-event.js';
import type { FileStream } from './file-streams.js';
import type { Totals } from './run-totals.js';

const NEVER = Number.NEGATIVE_INFINITY;

/** Whether an event has a part in what is computed here. */
export type Concerns = (event: Keyed) => boolean;

/** Where a reader is. Infinite times are none. */
export interface ReaderState {
  /** Where its batch begins; `null`: it has none, and is at the end or the beginning. */
  readonly mark: Mark | null;
  /** Rows that are done with since then. */
  readonly taken: number;
  readonly isAtEnd: boolean;
  readonly bytesRead: number;
  readonly maxTime: number;
  readonly passed: number;
}

/**
 * The rows of one file, one after the other, and how far event time has come in them: as `EventClock` has it for the only stream.
 *
 * Invariant: `time` and `arrival` are those of the next row, which is sound, unless `needsBatch`.
 */
export class FileReader {
  readonly definition: StreamDefinition;
  /** Event time of the next row, in ms, and the place in the order of arrival. */
  time = NEVER;
  arrival = NEVER;
  isAtEnd = false;
  private readonly fields: ReadonlySet<string>;
  private batches: AsyncIterator<RowBatch>;
  private readonly arrivalField: string | undefined;
  private batch: RowBatch | null = null;
  private index = 0;
  /** Rows that come now and are done with. */
  private known = 0;
  private bytesRead = 0;
  private maxTime = NEVER;
  private passed = NEVER;

  constructor(
    readonly stream: FileStream,
    /** Fields that rules and others read, beside those that name the event. */
    fields: Iterable<string>,
    private readonly totals: Totals,
  ) {
    const { settings, file } = stream;
    this.definition = streamDefinition(settings);
    this.arrivalField = settings.arrival === undefined ? undefined : fieldName(settings.arrival);
    const all = new Set([...fields, ...ownFields(this.definition)]);
    if (settings.arrival !== undefined) all.add(settings.arrival);
    this.fields = all;
    this.batches = file.batches(all)[Symbol.asyncIterator]();
  }

  /** All rows of the batch have been taken. */
  get needsBatch(): boolean {
    return this.batch === null || this.index >= this.batch.rows.length;
  }

  /** Reads on to the next sound row; at the end of the file `isAtEnd` is set. */
  async readOn(): Promise<void> {
    while (this.needsBatch && !this.isAtEnd) {
      if (this.batch !== null) this.countBytes(this.batch.bytesRead);
      const { value, done } = await this.batches.next();
      this.isAtEnd = done === true;
      this.batch = done === true ? null : value;
      this.index = Math.min(this.known, value?.rows.length ?? 0);
      this.known -= this.index;
      this.look();
    }
    if (this.isAtEnd) this.countBytes(this.stream.file.bytesTotal);
  }

  state(): ReaderState {
    const { index, isAtEnd, bytesRead, maxTime, passed } = this;
    return { mark: this.batch?.mark ?? null, taken: index, isAtEnd, bytesRead, maxTime, passed };
  }

  /** Goes on where another reader of this file was; comes before any other use. */
  goOnFrom({ mark, taken, isAtEnd, bytesRead, maxTime, passed }: ReaderState): void {
    if (mark !== null) this.batches = this.stream.file.batches(this.fields, mark)[Symbol.asyncIterator]();
    this.known = taken;
    this.isAtEnd = isAtEnd;
    this.bytesRead = bytesRead;
    this.maxTime = maxTime;
    this.passed = passed;
  }

  /** Tells the file that no more is wanted of it. */
  async stop(): Promise<void> {
    await this.batches.return?.();
  }

  /**
   * Up to which event time all has come, in ms: later rows that are not after it are late. The next row is known, so that a stream
   * that begins late does not hold others back.
   */
  get watermark(): number {
    if (this.isAtEnd) return Number.POSITIVE_INFINITY;
    return Math.max(this.passed, this.needsBatch ? NEVER : this.watermarkAfter(this.time));
  }

  /** Up to which event time all had come with the last row that was taken; minus infinity: none was. */
  get passedByRows(): number {
    return this.passed;
  }

  /** Takes the next row; `null`: it is late, or concerns nobody. In order of arrival it counts with `notBefore` at the earliest. */
  take(notBefore: number, concerns: Concerns | null): FileEvent | null {
    const { stream, definition, totals, index, time } = this;
    const batch = this.batch!;
    const row = batch.rows[index]!;
    totals.events++;
    totals.listener.onRow?.(stream, row.fields, time);
    const isArrival = definition.clock.mode === 'arrival';
    const isLate = !isArrival && time <= this.passed;
    const counted = isArrival ? Math.max(time, this.maxTime, notBefore) : time;
    if (isLate) totals.late++;
    else if (counted > this.maxTime) {
      this.maxTime = counted;
      this.passed = Math.max(this.passed, this.watermarkAfter(counted));
    }
    this.index++;
    this.look();
    if (isLate || concerns?.({ stream: stream.settings.name, fields: row.fields }) === false) return null;
    const place = batch.placeOf?.(index) ?? null;
    return new FileEvent(
      counted,
      kindOf(row, definition),
      row.fields,
      batch,
      index,
      place?.offset ?? batch.first + index,
      stream.settings.name,
      place,
    );
  }

  private watermarkAfter(time: number): number {
    const { mode, outOfOrdernessMs } = this.definition.clock;
    return mode === 'arrival' ? time : time - outOfOrdernessMs - 1;
  }

  /** Finds the next sound row of the batch, and tells of those that are not. */
  private look(): void {
    const { batch, definition, totals } = this;
    if (batch === null) return;
    for (; this.index < batch.rows.length; this.index++) {
      const row = batch.rows[this.index]!;
      const time = missingIdentity(row, definition) ?? timeOf(row, 0, definition);
      if (!(time instanceof DecodeFailure)) {
        this.time = time;
        this.arrival = this.arrivalOf(row.fields, time);
        return;
      }
      totals.events++;
      totals.badRows++;
      totals.listener.onBadRow?.(this.stream.file.path, batch.first + this.index, time);
    }
  }

  /** A row that does not say when it arrived has come when it happened. */
  private arrivalOf(fields: Readonly<Record<string, unknown>>, time: number): number {
    if (this.arrivalField === undefined) return time;
    const value = fields[this.arrivalField];
    const arrival = typeof value === 'number' ? value : Date.parse(String(value));
    return Number.isFinite(arrival) ? arrival : time;
  }

  private countBytes(upTo: number): void {
    if (upTo > this.bytesRead) this.totals.progress(upTo - this.bytesRead);
    this.bytesRead = Math.max(this.bytesRead, upTo);
  }
}
