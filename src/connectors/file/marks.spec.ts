import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avsc from 'avsc';
import { openRecords } from './open-records.js';
import type { Mark, RecordFile } from './record-file.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-marks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const path = (...names: string[]): string => join(folder, ...names);

/** Long texts, so that there are several chunks. */
const text = (n: number): string => `${'long '.repeat(n % 30)}"${n}`;
const csv = (rows: readonly number[]): string =>
  ['n,text', ...rows.map((n) => `${n},"${text(n).replaceAll('"', '""')}\n"`), ''].join('\n');
const ndjson = (rows: readonly number[]): string =>
  rows.map((n) => `${n % 7 === 0 ? '\n' : ''}${JSON.stringify({ n, text: text(n) })}\n`).join('');

async function avro(name: string, rows: readonly number[]): Promise<void> {
  const schema = { type: 'record', name: 'Row', fields: [{ name: 'n', type: 'long' }] };
  const encoder = avsc.createFileEncoder(path(name), schema as never, { codec: 'deflate', blockSize: 16_384 });
  for (const n of rows) encoder.write({ n });
  await new Promise((resolve) => encoder.end(() => resolve(undefined)));
}

interface Told {
  readonly mark: Mark;
  readonly rows: readonly (readonly [number: number, fields: object, whole: object])[];
}

async function told(file: RecordFile, from?: Mark): Promise<Told[]> {
  const batches: Told[] = [];
  for await (const batch of file.batches(null, from)) {
    const rows = batch.rows.map(({ fields }, i) => [batch.first + i, fields, file.decodeWhole(batch.raw(i))] as const);
    batches.push({ mark: batch.mark, rows });
  }
  return batches;
}

beforeAll(async () => {
  writeFileSync(path('a.csv'), csv(numbers(0, 12_000)));
  writeFileSync(path('a.ndjson'), ndjson(numbers(0, 12_000)));
  await avro('a.avro', numbers(0, 20_000));
  const parquet = join(import.meta.dirname, 'testdata', 'payments.parquet');
  copyFileSync(parquet, path('a.parquet'));
  for (const name of ['csvs', 'parquets']) mkdirSync(path(name));
  for (const [place, name] of ['a', 'b', 'c'].entries()) {
    writeFileSync(path('csvs', `${name}.csv`), csv(numbers(place * 5000, place * 5000 + 5000)));
    copyFileSync(parquet, path('parquets', `${name}.parquet`));
  }
});

describe('reading goes on from the mark of any batch', () => {
  it.each([
    ['a.csv', 2],
    ['a.ndjson', 2],
    ['a.avro', 5],
    ['a.parquet', 2],
    ['csvs', 3],
    ['parquets', 6],
  ])('%s', async (name, batchesMin) => {
    const file = await openRecords(path(name));
    const all = await told(file);
    expect(all.length).toBeGreaterThanOrEqual(batchesMin);
    for (const [place, { mark }] of all.entries()) {
      const again = await openRecords(path(name));
      const rows = (await told(again, JSON.parse(JSON.stringify(mark)) as Mark)).flatMap((batch) => batch.rows);
      // As text: comparing tens of thousands of objects takes seconds.
      expect(JSON.stringify(rows) === JSON.stringify(all.slice(place).flatMap((batch) => batch.rows))).toBe(true);
      await again.close();
    }
    await file.close();
  });
});
