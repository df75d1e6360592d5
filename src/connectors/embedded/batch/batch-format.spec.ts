import fc from 'fast-check';
import type { LogRecord } from '../../../runtime/ports/log.js';
import {
  decodeRecords,
  encodeBodies,
  encodeSparse,
  HEADER_BYTES,
  isIntact,
  mergeBodies,
  readHeader,
  writeBatch,
} from './batch-format.js';

const content = fc.uint8Array({ maxLength: 40 });
const headers = fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), content), {
  minLength: 1,
  maxLength: 4,
});
const record = fc.record({
  timestamp: fc.maxSafeNat(),
  key: fc.option(content),
  value: fc.option(content),
  headers: fc.option(headers.map((entries) => new Map(entries))),
});
const records = fc.array(record, { minLength: 1, maxLength: 30 });

function encode(input: readonly Parameters<typeof encodeBodies>[0][number][], baseOffset: number): Buffer {
  const body = mergeBodies(input.flatMap((r) => encodeBodies([r])))[0];
  if (body === undefined) {
    throw new Error('no body');
  }
  const target = Buffer.alloc(HEADER_BYTES + body.bytes.length);
  const nextOffset = baseOffset + body.count;
  writeBatch(target, 0, body, { baseOffset, nextOffset, appendedAt: 5, flushDistance: 7, sparse: false });
  return target;
}

function decode(batch: Buffer, from = 0): LogRecord[] {
  const header = readHeader(batch, 0);
  if (header === undefined || !isIntact(batch, 0, header)) {
    throw new Error('not intact');
  }
  const decoded: LogRecord[] = [];
  decodeRecords(batch, 0, header, from, decoded);
  return decoded;
}

const plain = (r: Pick<LogRecord, 'timestamp' | 'key' | 'value' | 'headers'>) => ({
  timestamp: r.timestamp,
  key: r.key && [...r.key],
  value: r.value && [...r.value],
  headers: r.headers && [...r.headers].map(([name, value]) => [name, [...value]]),
});

describe('the format of a batch', () => {
  it('gives back the records that were put in, whole or from an offset on', () => {
    fc.assert(
      fc.property(records, fc.nat(1_000_000), fc.nat(30), (input, baseOffset, skip) => {
        const batch = encode(input, baseOffset);
        expect(decode(batch).map(plain)).toEqual(input.map(plain));
        expect(decode(batch, baseOffset + skip).map((r) => r.offset)).toEqual(
          input.map((_, i) => baseOffset + i).slice(skip),
        );
      }),
    );
  });

  it('keeps the offsets of the records that compaction leaves', () => {
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 4 }), (input, step) => {
        const batch = encode(input, 100);
        const kept = decode(batch).filter((_, i) => i % step === 0);
        const header = readHeader(batch, 0);
        const sparse = encodeSparse(kept, header as NonNullable<typeof header>);
        expect(decode(sparse)).toEqual(kept);
        expect(readHeader(sparse, 0)?.nextOffset).toBe(header?.nextOffset);
      }),
    );
  });

  it('notices each bit that flips and each byte that is missing', () => {
    const batch = encode([{ timestamp: 1, key: Buffer.from('k'), value: Buffer.from('value'), headers: null }], 3);
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const damaged = Buffer.from(batch);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => decode(damaged)).toThrow();
    }
    for (let length = 0; length < batch.length; length++) {
      expect(() => decode(batch.subarray(0, length))).toThrow('not intact');
    }
  });

  it('divides many records into batches of bounded size', () => {
    const value = Buffer.alloc(1000);
    const bodies = encodeBodies(
      Array.from({ length: 5000 }, () => ({ timestamp: 1, key: null, value, headers: null })),
    );
    expect(bodies.reduce((sum, b) => sum + b.count, 0)).toBe(5000);
    expect(Math.max(...bodies.map((b) => b.bytes.length))).toBeLessThanOrEqual(256 * 1024);
  });
});
