import { dice } from '../testing/dice.js';
import {
  changedBy,
  differenceOf,
  effectiveIn,
  type LayeredData,
  LayeredTable,
  type ListChange,
  layeredOf,
  tableOf,
  wholeOf,
} from './layered-table.js';
import { listOf } from './read-list.js';

const keys = Array.from({ length: 60 }, (_, i) => `key-${i}${i % 7 === 0 ? 'ü' : ''}`);

function randomChange(roll: (sides: number) => number, isMap: boolean): ListChange {
  const some = (): string[] => Array.from({ length: roll(6) }, () => keys[roll(keys.length)]!);
  return { put: some().map((key) => [key, isMap ? String(roll(4)) : ''] as const), remove: some() };
}

const contentOf = (data: LayeredData) => Object.fromEntries(new LayeredTable(data).entries());

describe('a list that is changed', () => {
  it.each(['set', 'map'] as const)('holds what a map of entries would, over 300 random changes of a %s', (kind) => {
    const roll = dice(kind === 'set' ? 3 : 4);
    const model = new Map(keys.slice(0, 40).map((key) => [key, kind === 'map' ? '0' : '']));
    let data = layeredOf(kind, tableOf(model, kind));
    let layersMost = 0;
    for (let n = 0; n < 300; n++) {
      const wanted = randomChange(roll, kind === 'map');
      const before = contentOf(data);
      const change = effectiveIn(data, wanted);
      const next = changedBy(data, change);
      for (const key of wanted.remove) if (!wanted.put.some(([put]) => put === key)) model.delete(key);
      for (const [key, value] of wanted.put) model.set(key, value);
      expect(contentOf(next)).toEqual(Object.fromEntries(model));
      expect(next.size).toBe(model.size);
      expect(contentOf(data)).toEqual(before);
      const table = new LayeredTable(next);
      for (const key of keys) {
        expect([table.has(key), kind === 'map' ? table.get(key) : undefined]).toEqual([
          model.has(key),
          kind === 'map' ? model.get(key) : undefined,
        ]);
      }
      expect(wholeOf(next).digest()).toBe(tableOf(model, kind).digest());
      layersMost = Math.max(layersMost, next.layers.length);
      data = next;
    }
    expect(layersMost).toBeGreaterThan(0);
  });

  it('takes as a change only what changes something', () => {
    const data = layeredOf('map', listOf({ A: '1', B: '2' }));
    const put: [string, string][] = [
      ['A', '1'],
      ['B', '3'],
      ['C', '4'],
      ['C', '5'],
    ];
    expect(effectiveIn(data, { put, remove: ['A', 'B', 'X'] })).toEqual({
      put: [
        ['B', '3'],
        ['C', '5'],
      ],
      remove: [],
    });
    expect(effectiveIn(data, { put: [], remove: ['A', 'A', 'X'] })).toEqual({ put: [], remove: ['A'] });
    expect(changedBy(data, { put: [], remove: [] })).toBe(data);
  });

  it('differs from another by the change that makes it that', () => {
    const roll = dice(7);
    for (let n = 0; n < 100; n++) {
      const kind = n % 2 === 0 ? 'set' : 'map';
      const some = () =>
        new Map(keys.filter(() => roll(2) === 0).map((key) => [key, kind === 'map' ? String(roll(2)) : '']));
      const [one, other] = [some(), some()];
      const change = effectiveIn(layeredOf(kind, tableOf(one, kind)), randomChange(roll, kind === 'map'));
      const before = changedBy(layeredOf(kind, tableOf(one, kind)), change);
      const difference = differenceOf(before, tableOf(other, kind));
      expect(contentOf(changedBy(before, difference))).toEqual(Object.fromEntries(other));
      expect(effectiveIn(before, difference)).toEqual(difference);
    }
  });

  it('is not written anew for a change of a few entries of many', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => [`account-${i}`, ''] as const);
    let data = layeredOf('set', tableOf(many, 'set'));
    const { table } = data;
    for (let n = 0; n < 500; n++) data = changedBy(data, { put: [[`new-${n}`, '']], remove: [`account-${n}`] });
    expect([data.table, data.size]).toEqual([table, 20_000]);
    expect(data.layers.length).toBeLessThan(6);
    const all = new LayeredTable(data);
    expect(['new-499', 'account-499', 'account-500'].map((key) => all.has(key))).toEqual([true, false, true]);
  });
});
