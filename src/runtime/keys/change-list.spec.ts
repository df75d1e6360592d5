import { dice } from '../testing/dice.js';
import { ChangeList, type Changes } from './change-list.js';

/** Keys k0, k1, … in slots 0, 1, …, with values that can be set. */
class Keys {
  readonly values = new Map<number, number>();
  readonly forgotten: number[] = [];
  readonly list = new ChangeList<number>({
    slotOf: (key) => Number(key.slice(1)),
    keyAt: (slot) => `k${slot}`,
    valueAt: (slot) => this.values.get(slot),
    keep: (value) => value,
    onForgotten: (slot) => void this.forgotten.push(slot),
  });

  constructor(slots = 100) {
    this.list.reserve(slots);
  }

  set(slot: number, value: number | undefined): void {
    this.list.mark(slot);
    if (value === undefined) this.values.delete(slot);
    else this.values.set(slot, value);
  }
}

const sorted = (changes: Changes<number>) => [...changes].sort(([a], [b]) => (a < b ? -1 : 1));

describe('a list of changes', () => {
  it('tells each changed key once, with what it has', () => {
    const keys = new Keys();
    keys.set(3, 1);
    keys.set(3, 2);
    keys.set(5, 1);
    keys.set(5, undefined);
    const changes = keys.list.take();
    expect(changes.size).toBe(2);
    expect(sorted(changes)).toEqual([
      ['k3', 2],
      ['k5', undefined],
    ]);
    expect(keys.list.take().size).toBe(0);
  });

  it('keeps what is about to change before it was read, and nothing else', () => {
    const values = new Map([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
    const list = new ChangeList<string>({
      slotOf: (key) => Number(key.slice(1)),
      keyAt: (slot) => `k${slot}`,
      valueAt: (slot) => values.get(slot),
      keep: (value) => `kept ${value}`,
      onForgotten: () => undefined,
    });
    list.reserve(10);
    for (const slot of values.keys()) list.mark(slot);
    const changes = list.take();
    list.mark(2);
    values.set(2, 'd');
    expect(new Map(changes)).toEqual(
      new Map([
        ['k1', 'a'],
        ['k2', 'kept b'],
        ['k3', 'c'],
      ]),
    );
    expect([...list.take()]).toEqual([['k2', 'd']]);
  });

  it('tells what keys had when it was taken, though they change before they are read', () => {
    const keys = new Keys();
    for (const slot of [1, 2, 3, 4]) keys.set(slot, slot * 10);
    const changes = keys.list.take();
    keys.set(2, 99);
    keys.set(2, 100);
    keys.set(3, undefined);
    keys.set(9, 9);
    expect(sorted(changes)).toEqual([
      ['k1', 10],
      ['k2', 20],
      ['k3', 30],
      ['k4', 40],
    ]);
    expect(sorted(keys.list.take())).toEqual([
      ['k2', 100],
      ['k3', undefined],
      ['k9', 9],
    ]);
  });

  it('holds a slot until it is read, and then says that it is free', () => {
    const keys = new Keys();
    keys.set(1, 1);
    keys.set(2, 2);
    const changes = keys.list.take();
    keys.set(2, 3);
    expect([1, 2, 3].map((slot) => keys.list.has(slot))).toEqual([true, true, false]);
    expect(sorted(changes).length).toBe(2);
    expect(keys.forgotten.sort()).toEqual([1, 2]);
    expect([1, 2, 3].map((slot) => keys.list.has(slot))).toEqual([false, true, false]);
  });

  it('can be taken again before it was read to the end', () => {
    const keys = new Keys();
    for (const slot of [1, 2, 3]) keys.set(slot, slot);
    const first = keys.list.take();
    const reader = first[Symbol.iterator]();
    const entries = [reader.next().value];
    keys.set(1, 10);
    keys.set(7, 70);
    const second = keys.list.take();
    keys.set(1, 100);
    for (let step = reader.next(); !step.done; step = reader.next()) entries.push(step.value);
    expect(entries.sort()).toEqual([
      ['k1', 1],
      ['k2', 2],
      ['k3', 3],
    ]);
    expect(sorted(second)).toEqual([
      ['k1', 10],
      ['k7', 70],
    ]);
    expect(sorted(keys.list.take())).toEqual([['k1', 100]]);
  });

  it('counts everything as changed again when it is reverted, read or not', () => {
    const keys = new Keys();
    for (const slot of [1, 2, 3]) keys.set(slot, slot);
    const changes = keys.list.take();
    expect(changes[Symbol.iterator]().next().done).toBe(false);
    keys.set(2, 22);
    keys.set(4, 4);
    changes.revert();
    expect([...changes]).toEqual([]);
    expect(sorted(keys.list.take())).toEqual([
      ['k1', 1],
      ['k2', 22],
      ['k3', 3],
      ['k4', 4],
    ]);
  });

  it('never loses a change: what was told, put together, is what there is', () => {
    const keys = new Keys(50);
    const random = dice(5);
    const told = new Map<string, number | undefined>();
    let open: { readonly changes: Changes<number>; readonly held: Map<number, number> } | null = null;
    for (let i = 0; i < 20_000; i++) {
      keys.set(random(50), random(4) === 0 ? undefined : i);
      if (random(30) > 0) continue;
      if (open !== null && random(4) === 0) open.changes.revert();
      else if (open !== null) {
        for (const [key, value] of open.changes) told.set(key, value);
        expect(open.changes.size).toBeLessThanOrEqual(50);
        const known = [...told].filter(([, value]) => value !== undefined);
        expect(new Map(known)).toEqual(new Map([...open.held].map(([slot, value]) => [`k${slot}`, value])));
      }
      open = { changes: keys.list.take(), held: new Map(keys.values) };
    }
    expect(told.size).toBe(50);
  });
});
