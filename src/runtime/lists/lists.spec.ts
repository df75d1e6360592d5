import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ListKind } from '../../rules/known-lists.js';
import { loadLists } from './load-lists.js';
import { type ListFormat, listOf, readList } from './read-list.js';
import { listData, ReferenceLists } from './reference-lists.js';

const read = (text: string, format: ListFormat = 'lines', kind: ListKind = 'set') =>
  readList(new TextEncoder().encode(text), format, kind);

describe('a list that is read', () => {
  it('has one entry a line, without white space around it, comments and empty lines', () => {
    const list = read('\ufeff# countries\r\nKP\r\n  IR \n\nDE # not a comment\nZürich\n\u{1f4b6}');
    expect(list.size).toBe(5);
    for (const entry of ['KP', 'IR', 'DE # not a comment', 'Zürich', '\u{1f4b6}']) expect(list.has(entry)).toBe(true);
    for (const entry of ['', 'kp', 'K', 'KPP', '# countries', 'Zurich']) expect(list.has(entry)).toBe(false);
  });

  it('has the first cell of a row of CSV, or the first two', () => {
    expect(read('KP,North Korea\n"a, b",x', 'csv').has('a, b')).toBe(true);
    const map = read('A1,DE\n"A,2"\t" F R "\nA3 , IT , more\nA1,FR\nA4,', 'csv', 'map');
    expect(['A1', 'A,2', 'A3', 'A4', 'A5'].map((key) => map.get(key))).toEqual(['FR', ' F R ', 'IT', '', undefined]);
    expect(map.size).toBe(4);
  });

  it('has the entries of an array of JSON, or the keys of an object', () => {
    expect(['x', '5', 'true'].map((entry) => read('["x", 5, true]', 'json').has(entry))).toEqual([true, true, true]);
    expect(read('{"A1": 5, "A2": "x"}', 'json', 'map').get('A1')).toBe('5');
    expect(read('{"A1": 5}', 'json').has('A1')).toBe(true);
  });

  it.each<[string, ListFormat, ListKind, string]>([
    ['A1,x\nA2', 'csv', 'map', 'There is no value: write key,value.'],
    ['"A1,x', 'csv', 'map', 'The quote is not closed in its line.'],
    ['"A""1",x', 'csv', 'map', 'Quotes inside of quotes cannot be read.'],
    ['{', 'json', 'set', 'It is not JSON'],
    ['[1]', 'json', 'map', 'Expected an object'],
    ['5', 'json', 'set', 'Expected an array'],
    ['[[1]]', 'json', 'set', 'The value of entry 1 is neither a text nor a number.'],
  ])('is refused: %s', (text, format, kind, message) => {
    expect(() => read(text, format, kind)).toThrow(message);
  });

  it('may be empty', () => {
    expect(read('').has('')).toBe(false);
    expect(read('[]', 'json').size).toBe(0);
  });

  it('has the same digest for the same content, whatever its order and form', () => {
    const entries = Array.from({ length: 5000 }, (_, i) => `entry-${(i * 7919) % 5000}`);
    const digest = read(entries.join('\n')).digest();
    expect(read(entries.toReversed().concat(entries).join('\n')).digest()).toBe(digest);
    expect(read(JSON.stringify(entries), 'json').digest()).toBe(digest);
    expect(read(entries.slice(1).join('\n')).digest()).not.toBe(digest);
    expect(read('ab\nc').digest()).not.toBe(read('a\nbc').digest());
  });

  it('finds every entry of a large one, and nothing else', () => {
    const entries = Array.from({ length: 50_000 }, (_, i) => `account-${i}`);
    const map = read(entries.map((entry, i) => `${entry},${i}`).join('\n'), 'csv', 'map');
    expect(map.size).toBe(entries.length);
    expect(entries.every((entry, i) => map.get(entry) === String(i))).toBe(true);
    expect(entries.some((entry) => map.has(`${entry}x`))).toBe(false);
  });
});

describe('the lists of a rule set', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stakeout-lists-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are read from the files that the settings name', async () => {
    await writeFile(join(folder, 'sanctioned.txt'), 'KP\n');
    await writeFile(join(folder, 'home.csv'), 'A1,DE\n');
    const lists = await loadLists({
      sanctioned: { file: join(folder, 'sanctioned.txt'), kind: 'set' },
      home: { file: join(folder, 'home.csv'), kind: 'map' },
    });
    expect([lists.has('sanctioned', 'KP'), lists.has('home', 'A1'), lists.get('home', 'A1')]).toEqual([
      true,
      true,
      'DE',
    ]);
    expect([lists.has('other', 'KP'), lists.get('other', 'A1')]).toEqual([false, undefined]);
    expect(Object.keys(lists.digests(['home', 'other', 'home']))).toEqual(['home']);
  });

  it('say which file cannot be read, and where', async () => {
    const file = join(folder, 'home.csv');
    await writeFile(file, 'A1,DE\nA2\n');
    await expect(loadLists({ home: { file, kind: 'map' } })).rejects.toThrow(
      `${file}:2: the list home cannot be read. There is no value`,
    );
    const missing = join(folder, 'no.txt');
    await expect(loadLists({ no: { file: missing, kind: 'set' } })).rejects.toThrow(
      `${missing}: the list no cannot be read. There is no such file`,
    );
  });

  it('are the same in another thread, of the same memory', () => {
    const data = { home: listData('map', listOf({ A1: 'DE' })) };
    const there = new ReferenceLists(structuredClone(data));
    expect(there.get('home', 'A1')).toBe('DE');
    expect(String(there.data.home!.table.keys.buffer)).toBe('[object SharedArrayBuffer]');
  });
});
