import type { LogRecord } from '../../ports/log.js';
import { slicesOf } from './slices.js';

const record = (offset: number): LogRecord => ({ offset, timestamp: 0, key: null, value: null, headers: null });
const batchOf = (offsets: readonly number[], nextOffset: number) => {
  return { topic: 't', partition: 0, records: offsets.map(record), nextOffset, endOffset: 99 };
};

describe('slices of a batch', () => {
  it('have all records in order, and end where the next begins, also beside gaps', () => {
    const slices = [...slicesOf(batchOf([3, 4, 7, 8, 20], 30), () => 2)];
    expect(slices.map((s) => [s.records.map((r) => r.offset), s.nextOffset, s.endOffset])).toEqual([
      [[3, 4], 7, 99],
      [[7, 8], 20, 99],
      [[20], 30, 99],
    ]);
  });

  it('are as long as is said before each', () => {
    const sizes = [3, 1, 5];
    const slices = [...slicesOf(batchOf([0, 1, 2, 3, 4, 5], 6), () => sizes.shift()!)];
    expect(slices.map((s) => s.records.length)).toEqual([3, 1, 2]);
  });

  it('are the batch itself where it is short or empty', () => {
    for (const batch of [batchOf([], 30), batchOf([1, 2], 3)]) expect([...slicesOf(batch, () => 2)]).toEqual([batch]);
  });
});
