import type { AvroSchema } from '../connectors/avro/schema.js';
import type { RecordFile, RowBatch } from '../connectors/file/record-file.js';
import { type DecodedRecord, DecodeFailure, type RecordDecoder } from '../runtime/ports/decoder.js';
import type { Log, TopicPartition } from '../runtime/ports/log.js';

/** What cannot be decoded has no fields, so that it counts as a row without id or time. */
const UNREADABLE: DecodedRecord = { fields: {}, recordName: '' };

/**
 * One partition of a topic as a file of rows, up to where it ends now. It is read apart from any group: no offsets are committed or
 * looked at. "Bytes" are offsets.
 */
export class TopicFile implements RecordFile {
  readonly format = 'avro';
  readonly layout = '';
  readonly path: string;
  private readonly whole: RecordDecoder;

  private constructor(
    private readonly log: Log,
    private readonly at: TopicPartition,
    private readonly range: { readonly begin: number; readonly end: number },
    readonly schema: AvroSchema,
    private readonly decoderOf: (fields: Iterable<string>) => RecordDecoder,
  ) {
    this.path = `${at.topic}/${at.partition}`;
    this.whole = decoderOf([]);
  }

  /** All partitions of a topic, in order; none: there is no such topic. */
  static async open(
    log: Log,
    topic: string,
    schema: AvroSchema,
    decoderOf: (fields: Iterable<string>) => RecordDecoder,
  ): Promise<TopicFile[]> {
    const partitions = (await log.topics()).find(({ name }) => name === topic)?.partitions ?? 0;
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    return Promise.all(places.map(async (at) => new TopicFile(log, at, await log.offsets(at), schema, decoderOf)));
  }

  get bytesTotal(): number {
    return this.range.end - this.range.begin;
  }

  async *batches(fields: Iterable<string> | null): AsyncGenerator<RowBatch> {
    const decoder = this.decoderOf(fields ?? []);
    const stopped = new AbortController();
    const { begin, end } = this.range;
    let first = 0;
    try {
      for await (const batch of this.log.read(this.at, begin, { to: end, signal: stopped.signal })) {
        const records = batch.records.filter(({ value }) => value !== null);
        await decoder.prepare(records, stopped.signal);
        const rows = records.map((record) => {
          const decoded = decoder.decode(record, this.at);
          return decoded instanceof DecodeFailure ? UNREADABLE : decoded;
        });
        yield {
          ...{ rows, first, bytesRead: batch.nextOffset - begin },
          raw: (index) => Buffer.from(records[index]!.value!),
          placeOf: (index) => ({ ...this.at, offset: records[index]!.offset }),
        };
        first += rows.length;
      }
    } finally {
      stopped.abort();
    }
  }

  decodeWhole(raw: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    return this.whole.decodeWhole(raw);
  }

  /** The log is someone else's to close. */
  async close(): Promise<void> {}
}
