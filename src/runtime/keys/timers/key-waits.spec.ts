import { KeyWaits } from './key-waits.js';

const LAST = 1 << 31;

function waitsOf(...sets: readonly (readonly [mask: number, end: number])[]): KeyWaits {
  const waits = new KeyWaits();
  waits.reserve(sets.length);
  for (const [slot, [mask, end]] of sets.entries()) waits.set(slot, mask, end);
  return waits;
}

describe('KeyWaits', () => {
  it.each([
    ['nothing of an empty table', waitsOf(), -1, 0, false],
    ['a bit at its last moment', waitsOf([4, 100]), 4, 100, true],
    ['no bit after that', waitsOf([4, 100]), 4, 101, false],
    ['no other bit', waitsOf([4, 100]), 8, 50, false],
    ['one of several bits asked for', waitsOf([4, 100]), 1 | 4 | 8, 50, true],
    ['each of several bits', waitsOf([1 | LAST, 100]), LAST, 50, true],
    ['what any slot waits for', waitsOf([2, 100], [2, 50]), 2, 90, true],
    ['a bit for ever', waitsOf([2, Number.POSITIVE_INFINITY]), 2, 8.64e15, true],
    ['an early bit no longer, though another slot has a late one', waitsOf([1, 10], [2, 100]), 1, 50, false],
  ])('awaits %s', (_, waits, mask, time, awaited) => {
    expect(waits.isAwaited(mask, time)).toBe(awaited);
  });

  it('knows of each slot what it waits for, until it is cleared', () => {
    const waits = waitsOf([4, 100], [8, 50]);
    expect([waits.has(0, 4), waits.has(0, 8), waits.has(1, 12)]).toEqual([true, false, true]);
    expect([waits.endOf(0), waits.endOf(1)]).toEqual([100, 50]);
    waits.clear(0);
    expect([waits.has(0, -1), waits.has(1, -1)]).toEqual([false, true]);
  });
});
