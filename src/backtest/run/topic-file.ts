import type { AvroSchema } from '../../connectors/avro/schema.js';
import type { Mark, RecordFile, RowBatch } from '../../connectors/file/record-file.js';
import { type DecodedRecord, DecodeFailure, type RecordDecoder } from '../../runtime/ports/decoder.js';
import type { LogReader, RecordBatch, TopicPartition } from '../../runtime/ports/log.js';

/** What cannot be decoded has no fields, so that it counts as a row without id or time. */
const UNREADABLE: DecodedRecord = { fields: {}, recordName: '' };

/** Offsets that are read of a partition; `end` is exclusive. */
export interface OffsetRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * One partition of a topic as a file of rows, up to where it ends now. It is read apart from any group: no offsets are committed or
 * looked at. "Bytes" are offsets. The next batch is fetched while one is taken.
 */
export class TopicFile implements RecordFile {
  readonly format = 'avro';
  readonly layout = '';
  readonly path: string;
  private readonly whole: RecordDecoder;

  private constructor(
    private readonly log: LogReader,
    readonly at: TopicPartition,
    private range: OffsetRange,
    readonly schema: AvroSchema,
    private readonly decoderOf: (fields: Iterable<string>) => RecordDecoder,
  ) {
    this.path = `${at.topic}/${at.partition}`;
    this.whole = decoderOf([]);
  }

  /** All partitions of a topic, in order; none: there is no such topic. */
  static async open(
    log: LogReader,
    topic: string,
    schema: AvroSchema,
    decoderOf: (fields: Iterable<string>) => RecordDecoder,
  ): Promise<TopicFile[]> {
    const partitions = (await log.topics()).find(({ name }) => name === topic)?.partitions ?? 0;
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    return Promise.all(places.map(async (at) => new TopicFile(log, at, await log.offsets(at), schema, decoderOf)));
  }

  get offsets(): OffsetRange {
    return this.range;
  }

  /** Reads these offsets, whatever has come since: all lanes, and an attempt after a restart, read the same. */
  readOnly(range: OffsetRange): void {
    this.range = range;
  }

  /**
   * Leaves out what was written before a time, by the log's own timestamps. An event is written when it has happened, or later: none that
   * happened from then on is left out.
   */
  async startAt(timestamp: number): Promise<void> {
    if (timestamp <= 0) return;
    const begin = await this.log.offsetAt(this.at, timestamp);
    this.range = { ...this.range, begin: Math.min(Math.max(begin, this.range.begin), this.range.end) };
  }

  get bytesTotal(): number {
    return this.range.end - this.range.begin;
  }

  /** A mark is an offset, and the number of its row. */
  async *batches(fields: Iterable<string> | null, from: Mark = []): AsyncGenerator<RowBatch> {
    const decoder = this.decoderOf(fields ?? []);
    const stopped = new AbortController();
    const { begin, end } = this.range;
    let [position = begin, first = 0] = from;
    if (position >= end) return;
    try {
      const read = this.log.read(this.at, position, { to: end, signal: stopped.signal });
      for await (const batch of ahead(read)) {
        const records = batch.records.filter(({ value }) => value !== null);
        await decoder.prepare(records, stopped.signal);
        const rows = records.map((record) => {
          const decoded = decoder.decode(record, this.at);
          return decoded instanceof DecodeFailure ? UNREADABLE : decoded;
        });
        yield {
          ...{ rows, first, mark: [position, first], bytesRead: batch.nextOffset - begin },
          raw: (index) => Buffer.from(records[index]!.value!),
          placeOf: (index) => ({ ...this.at, offset: records[index]!.offset }),
        };
        first += rows.length;
        position = batch.nextOffset;
      }
    } finally {
      stopped.abort();
    }
  }

  decodeWhole(raw: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    return this.whole.decodeWhole(raw);
  }

  async prepare(raws: readonly Uint8Array[]): Promise<void> {
    const records = raws.map((value, offset) => ({ offset, timestamp: 0, key: null, value, headers: null }));
    await this.whole.prepare(records, new AbortController().signal);
  }

  /** The log is someone else's to close. */
  async close(): Promise<void> {}
}

/** The same batches, of which the next is asked for before the one at hand is given. */
async function* ahead(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
  const reading = batches[Symbol.asyncIterator]();
  let next = reading.next();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done === true) return;
      next = reading.next();
      // Who takes it hears of its failure.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await reading.return?.().catch(() => {});
  }
}
