import { encodeBodies } from '../batch/batch-format.js';
import { planFlush } from '../batch/flush.js';
import { bodiesFrom, encodeTransaction, findTransactions } from './transaction-format.js';

/** Batches of so many records each, from an offset on. */
function batches(baseOffset: number, ...counts: number[]): Buffer {
  const buffers = counts.map((count) => {
    const records = Array.from({ length: count }, (_, i) => ({
      timestamp: i,
      key: null,
      value: Buffer.from(`value ${i}`),
      headers: null,
    }));
    const { bytes } = planFlush(encodeBodies(records), 0, baseOffset, 0, 7);
    baseOffset += count;
    return bytes;
  });
  return Buffer.concat(buffers);
}

const one = [
  { partition: 'topics/a/0', batches: batches(5, 2, 3) },
  { partition: 'offsets', batches: batches(0, 1) },
];
const two = [{ partition: 'topics/b/12', batches: batches(1, 1) }];

describe('transactions in the redo log', () => {
  it('are found again, in order, with their batches', () => {
    const source = Buffer.concat([encodeTransaction(one, true), encodeTransaction(two, true)]);
    expect(findTransactions(source)).toEqual({ transactions: [one, two], bytes: source.length, damaged: false });
    expect(findTransactions(Buffer.alloc(0))).toEqual({ transactions: [], bytes: 0, damaged: false });
  });

  it('are found up to the one that was cut short, at each byte', () => {
    const first = encodeTransaction(one, true);
    const source = Buffer.concat([first, encodeTransaction(two, true)]);
    for (let size = 0; size < source.length; size++) {
      const found = findTransactions(source.subarray(0, size));
      const whole = size >= first.length;
      expect([size, found]).toEqual([
        size,
        { transactions: whole ? [one] : [], bytes: whole ? first.length : 0, damaged: false },
      ]);
    }
  });

  it('are damaged where one is broken that was on the disk when a later one was written', () => {
    const first = encodeTransaction(one, true);
    for (const afterSynced of [true, false]) {
      for (let i = 0; i < first.length; i++) {
        const source = Buffer.concat([first, encodeTransaction(two, afterSynced)]);
        source[i] = (source[i] as number) ^ 0x10;
        expect([i, findTransactions(source)]).toEqual([i, { transactions: [], bytes: 0, damaged: afterSynced }]);
      }
    }
  });

  it('give the bodies that a partition does not have yet', () => {
    const bytes = batches(5, 2, 3, 1);
    const counts = (from: number) => {
      const rest = bodiesFrom(bytes, from);
      return rest && [rest.first.baseOffset, rest.first.appendedAt, ...rest.bodies.map((b) => b.count)];
    };
    expect(counts(0)).toEqual([5, 7, 2, 3, 1]);
    expect(counts(5)).toEqual([5, 7, 2, 3, 1]);
    expect(counts(7)).toEqual([7, 7, 3, 1]);
    expect(counts(10)).toEqual([10, 7, 1]);
    expect(counts(11)).toBeUndefined();
  });
});
