import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecords } from './open-records.js';
import type { RecordFile } from './record-file.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

async function opened(text: string, ending = 'csv'): Promise<RecordFile> {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, text);
  return openRecords(path);
}

async function rowsOf(file: RecordFile, fields: readonly string[] | null = null): Promise<object[]> {
  const rows: object[] = [];
  try {
    for await (const batch of file.batches(fields)) rows.push(...batch.rows.map((row) => row.fields));
  } finally {
    await file.close();
  }
  return rows;
}

describe('CSV', () => {
  it.each([
    [
      'numbers, text and truth',
      'id,amount,ok\n7,1.5,true\n8,-2e3,FALSE\n',
      [
        { id: 7, amount: 1.5, ok: true },
        { id: 8, amount: -2000, ok: false },
      ],
    ],
    [
      'an id with leading zeros, and one too long for a number',
      'zip,card\n01234,4111111111111111\n99999,5500000000000004\n',
      [
        { zip: '01234', card: '4111111111111111' },
        { zip: '99999', card: '5500000000000004' },
      ],
    ],
    [
      'quotes',
      'a,b\n"x, ""y""","1\n2"\n,z\n',
      [
        { a: 'x, "y"', b: '1\n2' },
        { a: null, b: 'z' },
      ],
    ],
    [
      'no line end at the end, and Windows line ends',
      'a,b\r\n1,2\r\n3,4',
      [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ],
    ],
    ['semicolons, and a byte order mark', '\ufeffa;b\n1;"x;y"\n', [{ a: 1, b: 'x;y' }]],
    ['tabs', 'a\tb\n1\t2\n', [{ a: 1, b: 2 }]],
    ['blank lines', 'a,b\n\n1,2\n\n', [{ a: 1, b: 2 }]],
    [
      'a text among later numbers',
      `n\n${'1\n'.repeat(1000)}x\n`,
      [...Array.from({ length: 1000 }, () => ({ n: 1 })), { n: 'x' }],
    ],
    ['no rows', 'a,b\n', []],
  ])('reads %s', async (_, text, rows) => {
    expect(await rowsOf(await opened(text))).toEqual(rows);
  });

  it('reads what is asked for, and a whole row from its bytes', async () => {
    const file = await opened('a,b,c\n1,"x\ny",3\n4,z,6\n');
    const raws: unknown[] = [];
    for await (const batch of file.batches(['c', 'none'])) {
      expect(batch.rows.map((row) => row.fields)).toEqual([
        { c: 3, none: null },
        { c: 6, none: null },
      ]);
      raws.push(...batch.rows.map((_, index) => file.decodeWhole(batch.raw(index))));
    }
    await file.close();
    expect(raws).toEqual([
      { a: 1, b: 'x\ny', c: 3 },
      { a: 4, b: 'z', c: 6 },
    ]);
  });

  it('reads records across the pieces that a file is read in', async () => {
    const rows = Array.from({ length: 40_000 }, (_, i) => `${i},"${'x'.repeat(i % 40)}\n"`);
    const read = (await rowsOf(await opened(`a,b\n${rows.join('\n')}`))) as { a: number; b: string }[];
    expect(read.length).toBe(40_000);
    expect(read.every(({ a, b }, i) => a === i && b.length === (i % 40) + 1)).toBe(true);
  });

  it('tells of a row with too few fields by its place', async () => {
    await expect(opened('a,b\n1,2\n3\n')).rejects.toThrow(/record 3: it has 1 fields, and the header names 2/);
  });

  it('tells of an empty file', async () => {
    await expect(opened('')).rejects.toMatchObject({ code: 'FILE_FORMAT' });
  });
});

describe('Parquet', () => {
  it('tells of a file that is none', async () => {
    await expect(opened('PAR1 nothing', 'parquet')).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  // Written by pyarrow 26: each column compressed in another way, two row groups.
  it('reads times, whole numbers, texts, decimals and missing values', async () => {
    const file = await openRecords(join(import.meta.dirname, 'testdata', 'payments.parquet'));
    expect(file.schema).toMatchObject({
      fields: expect.arrayContaining([{ name: 'amount', type: ['null', 'double'] }]),
    });
    expect(await rowsOf(file)).toEqual([
      { id: 1, at: 1_522_540_832_000, day: 1_522_540_800_000, amount: 86.84, who: 'a', ok: true },
      { id: 2, at: 1_522_540_833_500, day: 1_522_540_800_000, amount: null, who: null, ok: false },
      { id: 9_007_199_254_740_991, at: 1_522_627_200_000, day: 1_522_627_200_000, amount: 1.5, who: 'ü', ok: true },
    ]);
  });
});

describe('a folder of files', () => {
  it('is read as one file, in order of the paths', async () => {
    const path = join(folder, 'parts');
    mkdirSync(join(path, 'b'), { recursive: true });
    writeFileSync(join(path, 'b', 'part.csv'), 'n\n3\n4\n');
    writeFileSync(join(path, 'a.csv'), 'n\n1\n2\n');
    writeFileSync(join(path, 'notes.txt'), 'n\n9\n');
    const file = await openRecords(path);
    const firsts: number[] = [];
    let bytes = 0;
    for await (const batch of file.batches(null)) {
      firsts.push(batch.first);
      bytes = batch.bytesRead;
    }
    expect([firsts, bytes, file.bytesTotal]).toEqual([[0, 2], 12, 12]);
    expect(await rowsOf(file)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });

  it('must hold files that are written alike, and at least one', async () => {
    const path = join(folder, 'mixed');
    mkdirSync(path);
    await expect(openRecords(path)).rejects.toThrow('there is no file of records in it');
    writeFileSync(join(path, 'a.csv'), 'n\n1\n');
    writeFileSync(join(path, 'b.csv'), 'm\n1\n');
    await expect(openRecords(path)).rejects.toMatchObject({ code: 'FILE_SCHEMA' });
  });
});
