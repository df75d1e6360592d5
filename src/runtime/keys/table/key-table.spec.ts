import { dice } from '../../testing/dice.js';
import { KeyTable } from './key-table.js';

const ODD_KEYS = [
  '',
  ' ',
  'a',
  'abc',
  'abcd',
  'é',
  'ÿ',
  'Ā',
  'é\u0000',
  '\u0000',
  '\u0000\u0000',
  '日本',
  '日本語',
  '😀',
  '\ud800',
  '\udc00\ud800',
  'a\ud800',
  'ab\ud800b',
  'x'.repeat(127),
  'x'.repeat(128),
  'x'.repeat(5000),
  '日'.repeat(5000),
  'x'.repeat(1_50_000),
];

describe('a key table', () => {
  it('gives every kind of string back exactly', () => {
    const table = new KeyTable();
    const slots = ODD_KEYS.map((key) => table.add(key));
    expect(new Set(slots).size).toBe(ODD_KEYS.length);
    expect(slots.map((slot) => table.keyAt(slot)).every((key, i) => key === ODD_KEYS[i])).toBe(true);
    expect(ODD_KEYS.map((key) => table.find(key))).toEqual(slots);
  });

  it('finds many keys together, and knows those that it has not', () => {
    const table = new KeyTable();
    const keys = [...ODD_KEYS, ...Array.from({ length: 500 }, (_, i) => `key ${i}`)];
    const slots = keys.map((key) => table.add(key));
    const others = keys.slice(0, 100).map((key) => `${key}?`);
    const found: number[] = [];
    table.findAll([...keys, ...others, 'not looked for'], keys.length + others.length, found);
    expect(found).toEqual([...slots, ...others.map(() => -1)]);
    const { removals } = table;
    table.remove(slots[0]!);
    expect(table.removals).toBe(removals + 1);
    table.findAll(keys, 1, found);
    expect(found[0]).toBe(-1);
  });

  it('tells keys apart that differ only in how wide their characters are', () => {
    const table = new KeyTable();
    const latin = table.add('a\u0000');
    expect(table.find('\u0061')).toBe(-1);
    expect(table.find('a')).toBe(-1);
    expect(table.find('\u6100')).toBe(-1);
    expect(table.add('a\u0000')).toBe(latin);
  });

  it('orders keys as JavaScript compares strings', () => {
    const table = new KeyTable();
    const keys = ODD_KEYS.filter((key) => key.length < 1000);
    for (const a of keys) {
      for (const b of keys) {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        expect(Math.sign(table.compare(table.add(a), table.add(b)))).toBe(expected);
      }
    }
  });

  it('agrees with a Map through a long random life', () => {
    const table = new KeyTable();
    const map = new Map<string, number>();
    const random = dice(7);
    let wrong = 0;
    for (let i = 0; i < 60_000; i++) {
      const key = `${'k'.repeat(random(9))}${random(9000)}${random(20) === 0 ? '€' : ''}`;
      const known = map.get(key);
      if (table.find(key) !== (known ?? -1)) wrong++;
      // First it grows, then it shrinks, then it grows again.
      const removes = known !== undefined && random(10) < (i % 30_000 < 20_000 ? 3 : 8);
      if (removes) {
        table.remove(known);
        map.delete(key);
      } else if (known === undefined) {
        map.set(key, table.add(key));
      }
      if (table.size !== map.size) wrong++;
    }
    expect(wrong).toBe(0);
    expect(new Set(map.values()).size).toBe(map.size);
    expect([...map].filter(([key, slot]) => table.keyAt(slot) !== key)).toEqual([]);
  });

  it('uses freed slots and their memory again, however often keys come and go', () => {
    const table = new KeyTable();
    const rounds = 20;
    let bytesAfterFirst = 0;
    for (let round = 0; round < rounds; round++) {
      const slots = Array.from({ length: 1000 }, (_, i) => table.add(`round ${1000 + round} key ${i}`));
      expect(table.size).toBe(1000);
      for (const slot of slots) table.remove(slot);
      if (round === 0) bytesAfterFirst = table.bytes;
    }
    expect(table.size).toBe(0);
    expect(table.capacity).toBe(1000);
    expect(table.bytes).toBeLessThan(bytesAfterFirst * 2);
    expect(table.find('round 1000 key 1')).toBe(-1);
  });

  it('holds keys of one and the same hash', () => {
    const table = new KeyTable();
    const keys = keysOfOneHash(12);
    const slots = keys.map((key) => table.add(key));
    expect(new Set(slots).size).toBe(4096);
    expect(keys.map((key) => table.find(key))).toEqual(slots);
    for (const slot of slots.slice(0, 4000)) table.remove(slot);
    expect(table.size).toBe(96);
    expect(keys.slice(4000).map((key) => table.find(key))).toEqual(slots.slice(4000));
    // Memory did not run away in trying to tell them apart.
    expect(table.bytes).toBeLessThan(2_000_000);
  });

  it('takes a few dozen bytes a key', () => {
    const table = new KeyTable();
    for (let i = 0; i < 50_000; i++) table.add(`A${1_000_000 + i}`);
    expect(table.bytes / 50_000).toBeLessThan(64);
  });
});

/** 2^n strings of one FNV-1a hash: each is a choice, n times, between two pairs of characters that lead to the same. */
function keysOfOneHash(n: number): string[] {
  const prime = 0x01000193;
  let state = 0x811c9dc5 | 0;
  let keys = [''];
  for (let round = 0; round < n; round++) {
    const [pair, next] = collision(state, prime);
    keys = keys.flatMap((key) => pair.map((choice) => key + choice));
    state = next;
  }
  return keys;
}

function collision(state: number, prime: number): [string[], number] {
  const seen = new Map<number, number>();
  for (let first = 0; ; first++) {
    const hash = Math.imul(state ^ first, prime);
    const other = seen.get(hash >>> 16);
    seen.set(hash >>> 16, first);
    if (other === undefined) continue;
    const second = hash ^ Math.imul(state ^ other, prime);
    const pair = [String.fromCharCode(first, second), String.fromCharCode(other, 0)];
    return [pair, Math.imul(hash ^ second, prime)];
  }
}
