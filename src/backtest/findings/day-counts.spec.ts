import { DayCounts } from './day-counts.js';

describe('DayCounts', () => {
  const counted = (added: readonly (readonly [number, unknown])[]): Record<number, unknown> => {
    const counts = new DayCounts();
    for (const [day, value] of added) counts.add(day, value);
    return Object.fromEntries(counts.days().map((day) => [day, Object.fromEntries(counts.of(day))]));
  };

  it.each<[string, readonly (readonly [number, unknown])[], Record<number, unknown>]>([
    ['nothing', [], {}],
    [
      'values of one day',
      [
        [3, 'a'],
        [3, 'b'],
        [3, 'a'],
      ],
      { 3: { a: 2, b: 1 } },
    ],
    [
      'days in order',
      [
        [1, 7],
        [2, 7],
        [2, 8],
      ],
      { 1: { 7: 1 }, 2: { 7: 1, 8: 1 } },
    ],
    [
      'a day that goes on after another',
      [
        [1, 'a'],
        [2, 'a'],
        [1, 'a'],
        [1, 'b'],
        [2, 'c'],
      ],
      { 1: { a: 2, b: 1 }, 2: { a: 1, c: 1 } },
    ],
    [
      'what has no value',
      [
        [1, null],
        [1, undefined],
      ],
      { 1: { '': 1 } },
    ],
  ])('counts %s', (_, added, expected) => expect(counted(added)).toEqual(expected));

  it('takes in what was counted elsewhere', () => {
    const [one, other] = [new DayCounts(), new DayCounts()];
    one.add(1, 'a');
    one.add(2, 'b');
    for (const value of ['a', 'c', 'a']) other.add(1, value);
    one.merge(structuredClone(other.data()));
    expect([Object.fromEntries(one.of(1)), Object.fromEntries(one.of(2))]).toEqual([{ a: 3, c: 1 }, { b: 1 }]);
    other.add(1, 'd');
    expect(Object.fromEntries(other.of(1))).toEqual({ a: 2, c: 1, d: 1 });
  });
});
