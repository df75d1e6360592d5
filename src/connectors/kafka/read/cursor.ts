/**
 * Reading position in one partition: turns what a fetch brought into records.
 *
 * 1. The position only rises, except by `moveTo`.
 * 2. Each record at or after the position is handed out once, in order of offset; earlier ones in a compressed batch are dropped.
 * 3. Only committed records are handed out.
 */
import type { fetchV17, KafkaRecord, RecordsBatch } from '@platformatic/kafka';
import { IS_CONTROL, IS_TRANSACTIONAL } from '@platformatic/kafka';
import type { LogRecord, RecordBatch, TopicPartition } from '../../../runtime/ports/log.js';
import { AbortedFilter, type BatchHead } from './aborted-filter.js';

const LOG_APPEND_TIME = 1 << 3;

export class Cursor {
  readonly #filter = new AbortedFilter();
  #position: number;

  constructor(
    readonly of: TopicPartition,
    position: number,
  ) {
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  moveTo(position: number): void {
    this.#position = position;
    this.#filter.reset();
  }

  /** `undefined` when the fetch brought nothing new. */
  accept(fetched: fetchV17.FetchResponsePartition): RecordBatch | undefined {
    const before = this.#position;
    const records: LogRecord[] = [];
    this.#filter.announce(fetched.abortedTransactions);
    for (const batch of fetched.records ?? []) this.#take(batch, records);
    if (this.#position === before) return undefined;
    return {
      topic: this.of.topic,
      partition: this.of.partition,
      records,
      nextOffset: this.#position,
      endOffset: Math.max(Number(fetched.lastStableOffset), this.#position),
    };
  }

  #take(batch: RecordsBatch, into: LogRecord[]): void {
    const first = Number(batch.firstOffset);
    const head = headOf(batch, first);
    const seen = this.#filter.admits(head);
    if (seen) {
      const firstTimestamp = Number(batch.firstTimestamp);
      const appendTime = batch.attributes & LOG_APPEND_TIME ? Number(batch.maxTimestamp) : undefined;
      for (const record of batch.records) {
        const offset = first + record.offsetDelta;
        if (offset < this.#position) continue;
        const timestamp = appendTime ?? firstTimestamp + Number(record.timestampDelta);
        into.push({ offset, timestamp, key: record.key, value: record.value, headers: headersOf(record) });
      }
    }
    this.#position = Math.max(this.#position, head.lastOffset + 1);
  }
}

function headOf(batch: RecordsBatch, firstOffset: number): BatchHead {
  return {
    producerId: batch.producerId,
    lastOffset: firstOffset + batch.lastOffsetDelta,
    transactional: (batch.attributes & IS_TRANSACTIONAL) !== 0,
    marker: batch.attributes & IS_CONTROL ? markerOf(batch) : null,
  };
}

/** A control record's key: version and type, 16 bits each; 0 aborts, 1 commits, others are the broker's own. */
function markerOf(batch: RecordsBatch): BatchHead['marker'] {
  const type = batch.records[0]?.key?.readInt16BE(2);
  return type === 0 ? 'abort' : type === 1 ? 'commit' : 'other';
}

function headersOf(record: KafkaRecord): LogRecord['headers'] {
  if (record.headers.length === 0) return null;
  const headers = new Map<string, Uint8Array>();
  for (const [name, value] of record.headers) headers.set(name?.toString('utf8') ?? '', value ?? new Uint8Array(0));
  return headers;
}
