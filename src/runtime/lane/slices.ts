import type { RecordBatch } from '../ports/log.js';

/** A batch in parts of so many records: each ends where the next begins. */
export function* slicesOf(batch: RecordBatch, recordsMax: number): Generator<RecordBatch> {
  const { records } = batch;
  if (records.length <= recordsMax) {
    yield batch;
    return;
  }
  for (let from = 0; from < records.length; from += recordsMax) {
    const to = Math.min(from + recordsMax, records.length);
    const nextOffset = to === records.length ? batch.nextOffset : records[to]!.offset;
    yield { ...batch, records: records.slice(from, to), nextOffset };
  }
}
