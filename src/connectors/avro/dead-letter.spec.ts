import { deadLetter } from '../../runtime/lane/commit/rejected.js';
import { DecodeFailure } from '../../runtime/ports/decoder.js';
import { readDeadLetter } from './dead-letter.js';

const original = {
  offset: 42,
  timestamp: 1_700_000_000_000,
  key: Buffer.from('acc-1'),
  value: Buffer.from([1, 2, 3]),
  headers: new Map([['traceparent', Buffer.from('00-1')]]),
};

describe('a dead letter', () => {
  it('says what the runtime wrote of the record', () => {
    const failure = new DecodeFailure('truncated', 'the value ends after 3 bytes');
    const letter = deadLetter('dead-letters', original, { topic: 'transactions', partition: 3 }, failure);
    const stored = { offset: 0, timestamp: 0, key: letter.key, value: letter.value, headers: letter.headers ?? null };
    expect(readDeadLetter(stored)).toEqual({
      reason: 'truncated',
      detail: 'the value ends after 3 bytes',
      topic: 'transactions',
      partition: 3,
      offset: 42,
      timestamp: 1_700_000_000_000,
      key: original.key,
      value: original.value,
    });
  });

  it('is not just any record', () => {
    expect(readDeadLetter(original)).toBeNull();
    expect(readDeadLetter({ ...original, headers: null })).toBeNull();
  });
});
