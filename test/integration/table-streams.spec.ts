import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type FileStream, openStreams, tableEndsOf } from '../../src/backtest/run/file-streams.js';
import { runFiles } from '../../src/backtest/run/run-files.js';
import { openDatabase } from '../../src/connectors/sql/open-database.js';
import type { SqlDatabase } from '../../src/connectors/sql/sql-database.js';
import { openStreamTable, schemaOfTable } from '../../src/connectors/sql/stream-table.js';
import { timeOfText } from '../../src/connectors/sql/table.js';
import type { PlacedRow } from '../../src/connectors/sql/table-file.js';
import { loadRules } from '../../src/rules/index.js';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { loadSettings } from '../../src/runtime/settings/index.js';
import { SERVER_START_MS, sharedMariaDb, sharedPostgres } from '../harness/servers/index.js';

jest.setTimeout(SERVER_START_MS);

const folder = mkdtempSync(join(tmpdir(), 'stakeout-table-streams-'));
const rules = join(folder, 'rules', 'twice');
mkdirSync(rules, { recursive: true });
writeFileSync(
  join(rules, 'pattern.yaml'),
  'id: twice\nkey: account\nwithin: 1h\npattern:\n  - begin: first\n    where: amount > 10.5 && !refund\n  - next: second\n    where: amount > first.amount\n',
);
const opened: FileStream[] = [];
afterEach(async () => {
  for (const { file } of opened.splice(0)) await file.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function settingsOf(url: string, stream: string) {
  const config = join(folder, 'stakeout.yaml');
  writeFileSync(config, `database: {url: '${url}'}\nstreams: {payments: ${stream}}\n`);
  const loaded = loadSettings({ file: config, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return loaded.settings;
}

async function open(url: string, stream: string, tableEnds = {}): Promise<readonly FileStream[]> {
  const streams = await openStreams(settingsOf(url, stream), { relative: (path) => path, tableEnds });
  opened.push(...streams);
  return streams;
}

async function run(streams: readonly FileStream[]) {
  const { rules: read, diagnostics } = await loadRules([join(folder, 'rules')], { schemas: [streams[0]!.schema] });
  expect(diagnostics).toEqual([]);
  const alerts: Alert[] = [];
  const result = await runFiles(streams, read, { onAlert: (alert) => alerts.push(alert) }, () => 0);
  return { ...result, alerts };
}

describe.each([
  { name: 'PostgreSQL', shared: sharedPostgres, stamp: 'timestamptz', zone: '+00' },
  { name: 'MySQL', shared: sharedMariaDb, stamp: 'datetime(6)', zone: '' },
])('a stream that is a table of $name', ({ shared, stamp, zone }) => {
  let url: string;
  let database: SqlDatabase;
  beforeAll(async () => {
    url = await shared();
    database = await openDatabase({ url });
  });
  afterAll(() => database.close());

  /** Payments a second apart, three in each second, of 7 accounts. */
  async function payments(count: number): Promise<void> {
    await database.query('DROP TABLE IF EXISTS payments');
    await database.query(
      `CREATE TABLE payments (id int, account varchar(10) not null, amount decimal(12,2), refund boolean, at ${stamp} not null, note text, primary key (at, id))`,
    );
    const rows = Array.from({ length: count }, (_, n) => row(n));
    for (let from = 0; from < rows.length; from += 1000)
      await database.query(`INSERT INTO payments VALUES ${rows.slice(from, from + 1000).join(',')}`);
  }
  const row = (n: number): string => {
    const at = new Date(Date.UTC(2026, 0, 1) + Math.floor(n / 3) * 1000).toISOString().replace('T', ' ').slice(0, 19);
    // Microseconds, which a page must not lose.
    return `(${n}, 'A${n % 7}', ${(n * 37) % 100}.25, ${n % 11 === 0}, '${at}.00000${n % 3}${zone}', ${n % 5 === 0 ? 'NULL' : "'n'"})`;
  };
  const stream = (table: string): string => `{table: ${table}, key: account, time: at, id: id, outOfOrderness: 0}`;

  it('gives what a file of its rows gives, however large its pages are', async () => {
    await payments(3000);
    const found = await run(await open(url, stream('{name: payments}')));
    expect(found).toMatchObject({ events: 3000, late: 0, badRows: 0 });
    expect(found.alerts.length).toBeGreaterThan(50);
    const file = join(folder, 'payments.ndjson');
    const lines: string[] = [];
    for await (const { rows } of database.scan(
      'SELECT id, account, amount, refund, at, note FROM payments ORDER BY at, id',
      [],
      new AbortController().signal,
    ))
      for (const [id, account, amount, refund, at, note] of rows)
        lines.push(
          JSON.stringify({
            id: Number(id),
            account,
            amount: Number(amount),
            refund: refund === 'true',
            at: timeOfText(at!),
            note,
          }),
        );
    writeFileSync(file, lines.join('\n'));
    const ofFile = await run(await open(url, `{file: '${file}', key: account, time: at, id: id, outOfOrderness: 0}`));
    expect(found.digest).toBe(ofFile.digest);
    for (const page of [211, 2999, 3000, 3001])
      expect((await run(await open(url, stream(`{name: payments, page: ${page}}`)))).digest).toBe(found.digest);
  });

  it('tells types and what may be missing by its columns and rows, and whole records in alerts', async () => {
    await payments(60);
    const streams = await open(
      url,
      stream('{query: "SELECT id, account, amount, refund, at, note FROM payments WHERE id < 50"}'),
    );
    const fields = [...streams[0]!.schema.fields.values()].map(
      ({ name, type, optional }) => `${name} ${type}${optional ? '?' : ''}`,
    );
    expect(fields).toEqual([
      'id number',
      'account string',
      'amount number',
      'refund boolean',
      'at number',
      'note string?',
    ]);
    const { events, alerts } = await run(streams);
    expect(events).toBe(50);
    expect(alerts[0]!.steps[0]!.events[0]!.fields).toMatchObject({
      account: alerts[0]!.key,
      refund: false,
      amount: expect.any(Number),
    });
  });

  it('ends where it ended when it was opened, for others that read it too', async () => {
    await payments(30);
    const first = await open(url, stream('{name: payments}'));
    await database.query(`INSERT INTO payments VALUES ${row(30)}, ${row(31)}`);
    const other = await open(url, stream('{name: payments}'), tableEndsOf(first));
    expect([(await run(first)).events, (await run(other)).events]).toEqual([30, 30]);
    expect((await run(await open(url, stream('{name: payments}')))).events).toBe(32);
    await database.query('DELETE FROM payments');
    expect((await run(await open(url, stream('{name: payments}')))).events).toBe(0);
  });

  it('gives whole rows behind a place, and the place of each, however large its pages are', async () => {
    await payments(1000);
    const settings = settingsOf(url, stream('{name: payments, page: 70}')).streams.payments!;
    const all: PlacedRow[] = [];
    const table = await openStreamTable({ database: settingsOf(url, stream('{name: payments}')).database }, settings);
    for await (const rows of table.rowsAfter(null)) all.push(...rows);
    expect(all.map(({ fields }) => fields.id)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    for (const from of [0, 69, 123, 998, 999]) {
      const rest: PlacedRow[] = [];
      for await (const rows of table.rowsAfter(all[from]!.place)) rest.push(...rows);
      expect(rest).toEqual(all.slice(from + 1));
    }
    const types = (schemaOfTable(table, settings).fields ?? []).map(({ name, type }) => `${name} ${String(type)}`);
    expect(types).toEqual([
      ...['id long', 'account string', 'amount null,double', 'refund null,boolean', 'at long', 'note null,string'],
    ]);
    await table.close();
  });

  it.each([
    [
      'an order that does not tell rows apart',
      '{name: payments, order: [account], page: 10}',
      'two rows have the same account',
    ],
    ['an order by what is not there', '{name: payments, order: [at, nr]}', 'it has no column nr'],
    ['an order by what may be NULL', '{name: payments, order: [note, id]}', 'note is NULL in some rows'],
    ['a table that is not there', '{name: nowhere}', 'nowhere'],
  ])('refuses %s', async (_, table, why) => {
    await payments(40);
    await expect(open(url, stream(table)).then(run)).rejects.toThrow(why);
  });
});
