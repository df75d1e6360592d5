/**
 * Records that wait to be sent, by partition, and the promises of those who sent them.
 *
 * 1. A partition has at most one batch under way; what comes meanwhile waits and makes the next batch. So records keep their order.
 * 2. A batch is encoded once: however often it is sent, it has the same producer id and sequence numbers, and the broker writes it once.
 * 3. Sequence numbers are used up by a batch that was written; one that the broker refused gives them back.
 */
import type { OutgoingRecord } from '../../../runtime/ports/log.js';
import type { ProducerIdentity } from '../client/producer-identity.js';
import { type EncodableRecord, encodeBatch, recordBytesMax } from './record-batch.js';

/** One `send`: settled when all its records are. */
export class Ticket {
  readonly done: Promise<void>;
  readonly #settle: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #left: number;

  constructor(records: number) {
    this.#left = records;
    this.done = this.#settle.promise;
    if (records === 0) this.#settle.resolve();
  }

  written(records: number): void {
    this.#left -= records;
    if (this.#left === 0) this.#settle.resolve();
  }

  failed(error: Error): void {
    this.#settle.reject(error);
  }
}

export interface Waiting extends EncodableRecord {
  readonly ticket: Ticket;
}

export interface Batch {
  readonly records: readonly Waiting[];
  readonly bytes: Buffer;
  attempts: number;
  /** In a request now. */
  sent: boolean;
}

const SEQUENCE_END = 2 ** 31;

export class PartitionQueue {
  batch: Batch | null = null;
  #waiting: Waiting[] = [];
  #identity: ProducerIdentity | null = null;
  #sequence = 0;

  constructor(
    readonly topic: string,
    readonly partition: number,
    private batchMaxBytes: number,
  ) {}

  get idle(): boolean {
    return this.batch === null && this.#waiting.length === 0;
  }

  push(record: OutgoingRecord, ticket: Ticket, now: number): void {
    const { key, value, headers, timestamp = now } = record;
    this.#waiting.push({ key, value, headers, timestamp, ticket });
  }

  /** The batch to send now, a new one or one to be repeated; `null` when there is none or it is under way. */
  next(identity: ProducerIdentity): Batch | null {
    if (this.batch === null && this.#waiting.length > 0) {
      if (this.#identity === null) {
        this.#identity = identity;
        this.#sequence = 0;
      }
      const records = this.#cut();
      const bytes = encodeBatch(records, { ...this.#identity, sequence: this.#sequence });
      this.batch = { records, bytes, attempts: 0, sent: false };
    }
    return this.batch === null || this.batch.sent ? null : this.batch;
  }

  written(): void {
    const records = this.#finish();
    this.#sequence = (this.#sequence + records.length) % SEQUENCE_END;
    for (const { ticket } of records) ticket.written(1);
  }

  /**
   * The broker will never take it. False: an earlier attempt went without an answer, so the batch may have been written all the same.
   * Its numbers must not be used again (the broker would take the next batch for a repeat): a new identity is needed.
   */
  refused(error: Error): boolean {
    const certain = (this.batch?.attempts ?? 0) <= 1;
    for (const { ticket } of this.#finish()) ticket.failed(error);
    if (!certain) this.#identity = null;
    return certain;
  }

  /** Too large for the topic: the same records in smaller batches. False when it was a single one already. */
  split(): boolean {
    const records = this.batch?.records ?? [];
    if (records.length < 2) return false;
    this.batchMaxBytes = Math.max(1, Math.floor(records.reduce((sum, r) => sum + recordBytesMax(r), 0) / 2));
    this.#again();
    return true;
  }

  /** The broker has forgotten this producer, or never knew what came before: the batch goes under a new identity. */
  renumber(): void {
    this.#identity = null;
    this.#again();
  }

  failAll(error: Error): void {
    const records = [...(this.batch?.records ?? []), ...this.#waiting];
    this.batch = null;
    this.#waiting = [];
    for (const { ticket } of records) ticket.failed(error);
  }

  #again(): void {
    this.#waiting = [...this.#finish(), ...this.#waiting];
  }

  #finish(): readonly Waiting[] {
    const records = this.batch?.records ?? [];
    this.batch = null;
    return records;
  }

  #cut(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const record of this.#waiting) {
      bytes += recordBytesMax(record);
      if (count > 0 && bytes > this.batchMaxBytes) break;
      count++;
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, count);
  }
}
