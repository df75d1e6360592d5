import { AbortedFilter, type BatchHead } from './aborted-filter.js';

const data = (producerId: bigint, lastOffset: number, transactional = true): BatchHead => ({
  producerId,
  lastOffset,
  transactional,
  marker: null,
});
const marker = (producerId: bigint, lastOffset: number, what: 'commit' | 'abort' | 'other'): BatchHead => ({
  producerId,
  lastOffset,
  transactional: true,
  marker: what,
});

describe('the filter of aborted transactions', () => {
  it('hides an aborted transaction up to its marker, and nothing else of that producer', () => {
    const filter = new AbortedFilter();
    filter.announce([{ producerId: 1n, firstOffset: 10n }]);
    const seen = [
      data(1n, 9),
      data(1n, 12),
      data(2n, 15),
      data(1n, 16),
      marker(1n, 17, 'abort'),
      data(1n, 20),
      marker(1n, 21, 'commit'),
    ].map((batch) => filter.admits(batch));
    expect(seen).toEqual([true, false, true, false, false, true, false]);
  });

  it('remembers an aborted transaction whose marker comes with a later fetch', () => {
    const filter = new AbortedFilter();
    filter.announce([{ producerId: 1n, firstOffset: 0n }]);
    expect(filter.admits(data(1n, 4))).toBe(false);
    filter.announce(null);
    expect(filter.admits(data(1n, 9))).toBe(false);
    expect(filter.admits(marker(1n, 10, 'abort'))).toBe(false);
    expect(filter.admits(data(1n, 12))).toBe(true);
  });

  it('keeps several aborted transactions of one producer in one fetch apart from what it commits between them', () => {
    const filter = new AbortedFilter();
    filter.announce([
      { producerId: 1n, firstOffset: 20n },
      { producerId: 1n, firstOffset: 0n },
    ]);
    const seen = [
      data(1n, 5),
      marker(1n, 6, 'abort'),
      data(1n, 12),
      marker(1n, 13, 'commit'),
      data(1n, 25),
      marker(1n, 26, 'abort'),
      data(1n, 30),
    ].map((batch) => filter.admits(batch));
    expect(seen).toEqual([false, false, true, false, false, false, true]);
  });

  it('never hides what was written outside transactions', () => {
    const filter = new AbortedFilter();
    filter.announce([{ producerId: -1n, firstOffset: 0n }]);
    expect(filter.admits(data(-1n, 3, false))).toBe(true);
  });

  it('forgets everything when reading goes on elsewhere', () => {
    const filter = new AbortedFilter();
    filter.announce([{ producerId: 1n, firstOffset: 0n }]);
    expect(filter.admits(data(1n, 1))).toBe(false);
    filter.reset();
    expect(filter.admits(data(1n, 2))).toBe(true);
  });
});
