import type { RecordBatch } from '../../ports/log.js';

/** A batch in parts of so many records, asked before each: each ends where the next begins. */
export function* slicesOf(batch: RecordBatch, recordsMax: () => number): Generator<RecordBatch> {
  const { records } = batch;
  for (let from = 0; from < records.length || from === 0; ) {
    const to = Math.min(from + recordsMax(), records.length);
    if (from === 0 && to === records.length) return yield batch;
    const nextOffset = to === records.length ? batch.nextOffset : records[to]!.offset;
    yield { ...batch, records: records.slice(from, to), nextOffset };
    from = to;
  }
}
