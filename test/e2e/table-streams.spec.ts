/**
 * A table of PostgreSQL that becomes a stream while the real service runs, is read over a kill, and is joined with another stream: no row
 * is lost or there twice.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogFolderReader } from '../../src/connectors/embedded/folder/log-folder-reader.js';
import { openDatabase } from '../../src/connectors/sql/open-database.js';
import type { SqlDatabase } from '../../src/connectors/sql/sql-database.js';
import { CliProcess } from '../harness/cli-process.js';
import { SERVER_START_MS, sharedPostgres } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-tables-'));
const config = join(folder, 'stakeout.yaml');
const table = `closures_${process.pid}_${Date.now()}`;
const ROWS = 30_000;
const ACCOUNTS = 40;
const BASE = Date.UTC(2026, 0, 1);

let database: SqlDatabase;
let service: ServiceProcess | null = null;
let sent = 0;

const rule = (id: string, body: string): { file: string; text: string } => ({
  file: `${id}/pattern.yaml`,
  text: `id: ${id}\nkey: account\n${body}`,
});
const LARGE = rule('large', 'from: payments\npattern:\n  - begin: one\n    where: "amount > 1000.0"\n');
const paidAfter = (field: string) =>
  rule(
    'paid-after-closure',
    `from: [closures, payments]\nwithin: 10h\npattern:\n  - begin: closed\n    from: closures\n    where: "${field} == 'last'"\n  - followedBy: paid\n    from: payments\n    where: "amount > 10.0"\n`,
  );
const STREAM = {
  ...{ table: { name: table, page: 200 }, key: 'account', time: 'at', id: 'id' },
  ...{ partitions: 2, outOfOrderness: '0s', idleAfter: '1s' },
};

beforeAll(async () => {
  const [url] = await Promise.all([sharedPostgres(), built()]);
  database = await openDatabase({ url });
  await database.query(
    `CREATE TABLE ${table} (id int primary key, account text not null, at timestamptz not null, reason text, fee numeric)`,
  );
  // The last row of each account says so. Times are a millisecond apart, some of them the same.
  await database.query(
    `INSERT INTO ${table} SELECT n, 'A' || n % ${ACCOUNTS}, to_timestamp(${BASE / 1000} + (n / 2) / 1000.0),
       CASE WHEN n >= ${ROWS - ACCOUNTS} THEN 'last' WHEN n % 3 = 0 THEN NULL ELSE 'moved' END, n / 100.0
     FROM generate_series(0, ${ROWS - 1}) n`,
  );
  writeFileSync(
    config,
    `patterns: ./patterns\nhttp: {port: 0}\ndata: {directory: ./data}\ndemo: {enabled: false}\nlog: {format: json}\ndatabase: {url: '${url}'}
streams:
  payments: {topic: payments, partitions: 2, format: ndjson, key: account, time: at, id: id, outOfOrderness: 0s, idleAfter: 1s}
`,
  );
  mkdirSync(join(folder, 'patterns', 'large'), { recursive: true });
  writeFileSync(join(folder, 'patterns', 'large', 'pattern.yaml'), LARGE.text);
}, SERVER_START_MS);
afterAll(async () => {
  await service?.kill9();
  await database?.query(`DROP TABLE ${table}`);
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: object) {
  const sends = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(service!.url + path, { method, ...sends });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

interface Fed {
  readonly state: string;
  readonly rows: number;
  readonly doneAt: number | null;
  readonly trouble: string | null;
}
async function fed(): Promise<Fed> {
  const { items } = (await ask('GET', '/v1/streams')).body as { items: { name: string; table: Fed | null }[] };
  return items.find(({ name }) => name === 'closures')!.table!;
}
const apply = (...files: readonly object[]) => ask('POST', '/v1/rules/apply', { files, author: 'ann' });

async function pay(account: string, laterMs = 0): Promise<void> {
  const event = { id: `p${sent}`, account, amount: 11, at: BASE + 3_600_000 + laterMs + sent++ };
  expect(await ask('POST', '/v1/streams/payments/events', event)).toMatchObject({ status: 202 });
}

/** Ids of the rows in the topic, on the disk. */
async function idsOnDisk(): Promise<readonly number[]> {
  const log = new LogFolderReader(join(folder, 'data', 'log'));
  const ids: number[] = [];
  for (const partition of [0, 1])
    for await (const { records } of log.read({ topic: 'stakeout-table-closures', partition }, 0))
      for (const { value } of records) ids.push(zigzag(value!));
  await log.close();
  return ids.sort((a, b) => a - b);
}

/** The first field of a record of Avro: a whole number. */
function zigzag(bytes: Uint8Array): number {
  let value = 0;
  for (let at = 0; ; at++) {
    value += (bytes[at]! & 0x7f) * 2 ** (7 * at);
    if (bytes[at]! < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

it('a table is registered over HTTP, read once though the service is killed meanwhile, and joined with a stream', async () => {
  service = await ServiceProcess.start(config).ready();
  const wrong = { definition: { ...STREAM, table: { name: 'nowhere' } }, author: 'ann' };
  expect(await ask('PUT', '/v1/streams/closures', wrong)).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'table', message: expect.stringContaining('nowhere') }] },
  });
  const put = await ask('PUT', '/v1/streams/closures', { definition: STREAM, author: 'ann' });
  expect(put).toMatchObject({ status: 200, body: { usedBy: [], definition: { schema: { type: 'record' } } } });
  expect(put.body.definition.schema.fields).toEqual([
    { name: 'id', type: 'long' },
    { name: 'account', type: 'string' },
    { name: 'at', type: 'long' },
    { name: 'reason', type: ['null', 'string'] },
    { name: 'fee', type: ['null', 'double'] },
  ]);
  expect(await fed()).toEqual({ state: 'waiting', rows: 0, doneAt: null, trouble: null });

  const refused = await apply(LARGE, paidAfter('colour'));
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).toContain('colour');
  expect(await apply(LARGE, paidAfter('reason'))).toMatchObject({ status: 200 });
  // These come before most rows, though they are later by their times: the join waits for the table.
  for (let account = 0; account < ACCOUNTS / 2; account++) await pay(`A${account}`);
  await until(async () => (await fed()).rows > 0, 'the first rows');
  expect(await ask('POST', '/v1/streams/closures/pause', { author: 'ann' })).toMatchObject({ status: 200 });
  expect((await fed()).state).toMatch(/paused|done/);
  expect(await ask('POST', '/v1/streams/closures/resume', { author: 'ann' })).toMatchObject({ status: 200 });
  await service.kill9();

  service = await ServiceProcess.start(config).ready();
  await until(async () => (await fed()).state === 'done', 'the end of the table');
  const done = { state: 'done', rows: ROWS, doneAt: expect.any(Number), trouble: null };
  expect(await fed()).toEqual(done);
  expect((await ask('GET', '/v1/status')).body).toMatchObject({ tables: [{ stream: 'closures', ...done }] });
  for (let account = ACCOUNTS / 2; account < ACCOUNTS; account++) await pay(`A${account}`, 120_000);
  const paid = async () =>
    (await service!.get<{ items: { key: string }[] }>('/v1/alerts?pattern=paid-after-closure&limit=500')).items;
  await until(async () => (await paid()).length >= ACCOUNTS, 'an alert of each account');
  expect(new Set((await paid()).map(({ key }) => key)).size).toBe(ACCOUNTS);
  expect((await paid()).length).toBe(ACCOUNTS);
  expect((await service.get<{ detector: { late: number } }>('/v1/status')).detector.late).toBe(0);
  expect(await service.stop()).toBe(0);
  expect(await idsOnDisk()).toEqual(Array.from({ length: ROWS }, (_, n) => n));
  const verified = await CliProcess.run(['verify', '--config', config, '--topic', 'stakeout-by-account', '--json'], {
    cwd: folder,
  });
  expect([verified.status, JSON.parse(verified.stdout)]).toMatchObject([0, { equal: true }]);
}, 120_000);
