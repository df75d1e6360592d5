import { firstWhere } from '../../../runtime/bisect.js';
import type { StoredRecords } from '../../../runtime/local-log/storage.js';
import type { LogRecord } from '../../../runtime/ports/log.js';
import { type BatchHeader, decodeRecords } from '../batch/batch-format.js';

const READ_RECORDS = 1000;
const READ_BYTES = 256 * 1024;

interface CachedBatch {
  readonly header: BatchHeader;
  readonly source: Buffer;
  readonly at: number;
}

/** The newest batches of all partitions, up to a number of bytes: whoever keeps up never reads from disk. */
export class TailCache {
  private readonly order = new Fifo<PartitionTail>();
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  add(tail: PartitionTail, batch: CachedBatch): void {
    tail.push(batch);
    this.order.push(tail);
    this.bytes += batch.header.bodyBytes;
    while (this.bytes > this.bytesMax) {
      this.bytes -= this.order.shift()?.dropFirst() ?? 0;
    }
  }
}

/** The newest batches of one partition, without gaps up to its end. */
export class PartitionTail {
  private readonly batches = new Fifo<CachedBatch>();

  push(batch: CachedBatch): void {
    this.batches.push(batch);
  }

  /** Returns the bytes that were freed. */
  dropFirst(): number {
    return this.batches.shift()?.header.bodyBytes ?? 0;
  }

  /** Some records from `from` on, or `undefined` when the batch with `from` is not here. */
  read(from: number): StoredRecords | undefined {
    let i = this.indexOf(from);
    if (i === undefined) {
      return undefined;
    }
    const records: LogRecord[] = [];
    let nextOffset = from;
    let bytes = 0;
    for (; i < this.batches.length && records.length < READ_RECORDS && bytes < READ_BYTES; i++) {
      const { header, source, at } = this.batches.at(i) as CachedBatch;
      decodeRecords(source, at, header, from, records);
      nextOffset = header.nextOffset;
      bytes += header.bodyBytes;
    }
    return { records, nextOffset };
  }

  private indexOf(offset: number): number | undefined {
    const first = this.batches.at(0);
    if (first === undefined || offset < first.header.baseOffset) {
      return undefined;
    }
    const { length } = this.batches;
    const index = firstWhere(0, length, (i) => (this.batches.at(i) as CachedBatch).header.nextOffset > offset);
    return index < length ? index : undefined;
  }
}

/** A queue whose ends cost nothing. */
class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  at(index: number): T | undefined {
    return this.items[this.head + index];
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    const item = this.items[this.head];
    this.items[this.head++] = undefined;
    if (this.head > 64 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}
