import { crc32c, IS_TRANSACTIONAL, Reader, readRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { encodeBatch, recordBytesMax } from './record-batch.js';

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null });
const record = fc.record({
  key: bytes,
  value: bytes,
  headers: fc.option(
    fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 20 }))).map((list) => new Map(list)),
    { nil: undefined },
  ),
  timestamp: fc.integer({ min: 0, max: 4_102_444_800_000 }),
});
const plain = (field: Uint8Array | null) => (field === null ? null : [...field]);

describe('a record batch', () => {
  it('is read back by the client package as it was written, with a right checksum', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        const encoded = encodeBatch(records, { producerId: 77n, epoch: 3, sequence: 1234 });
        const batch = readRecordsBatch(Reader.from(encoded));
        expect(batch).toMatchObject({
          producerId: 77n,
          producerEpoch: 3,
          firstSequence: 1234,
          attributes: 0,
          magic: 2,
        });
        expect(batch.length).toBe(encoded.length - 12);
        expect(batch.crc).toBe(crc32c(encoded.subarray(21)) >>> 0);
        expect(batch.lastOffsetDelta).toBe(records.length - 1);
        expect(Number(batch.maxTimestamp)).toBe(Math.max(...records.map((r) => r.timestamp)));
        const back = batch.records.map((r) => ({
          key: plain(r.key),
          value: plain(r.value),
          headers: r.headers.map(([name, value]) => [name?.toString('utf8') ?? '', plain(value)]),
          timestamp: Number(batch.firstTimestamp + r.timestampDelta),
        }));
        expect(back).toEqual(
          records.map((r) => ({
            key: plain(r.key),
            value: plain(r.value),
            headers: [...(r.headers ?? [])].map(([name, value]) => [name, plain(value)]),
            timestamp: r.timestamp,
          })),
        );
        expect(encoded.length).toBeLessThanOrEqual(61 + records.reduce((sum, r) => sum + recordBytesMax(r), 0));
      }),
    );
  });

  it('says, under its checksum, that it belongs to a transaction', () => {
    const record = { key: null, value: null, timestamp: 1 };
    const encoded = encodeBatch([record], { producerId: 7n, epoch: 3, sequence: 0, transactional: true });
    const batch = readRecordsBatch(Reader.from(encoded));
    expect(batch).toMatchObject({ attributes: IS_TRANSACTIONAL, producerId: 7n, producerEpoch: 3 });
    expect(batch.crc).toBe(crc32c(encoded.subarray(21)) >>> 0);
  });
});
