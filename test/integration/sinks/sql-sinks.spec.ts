import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { openDatabase } from '../../../src/connectors/sql/open-database.js';
import type { SqlDatabase } from '../../../src/connectors/sql/sql-database.js';
import { SqlSink, type SqlSinkOptions } from '../../../src/connectors/sql/sql-sink.js';
import { describeSink, someAlert } from '../../contracts/sink-contract.js';
import { SERVER_START_MS, sharedMariaDb, sharedPostgres } from '../../harness/servers/index.js';
import { TcpProxy } from '../../harness/tcp-proxy.js';

jest.setTimeout(SERVER_START_MS);

const someTable = () => `alerts_${randomUUID().slice(0, 8)}`;

const servers = [
  // A text with a zero byte is none to PostgreSQL; one that is longer than its column is none to MySQL.
  { product: 'PostgreSQL', shared: sharedPostgres, poison: { title: 'a\u0000b' } },
  { product: 'MySQL', shared: sharedMariaDb, poison: { title: 'x'.repeat(70_000) } },
];

for (const { product, shared, poison } of servers) {
  describeSink(product, {
    place: async () => {
      const direct = await shared();
      const { proxy, url } = await TcpProxy.before(direct);
      const table = someTable();
      const reader = await openDatabase({ url: direct });
      return {
        sink: async () =>
          new SqlSink({
            ...{ name: 'warehouse', table, create: true, batch: 7 },
            database: await openDatabase({ url, timeoutMs: 2_000 }),
          }),
        written: async () => {
          const { rows } = await reader.query(`SELECT id, key_value AS k FROM ${table}`).catch(() => ({ rows: [] }));
          return rows.map(({ id, k }) => ({ id: String(id), key: String(k) }));
        },
        away: async () => proxy.cut(),
        back: async () => proxy.mend(),
        close: async () => {
          await proxy.close();
          await reader.close();
        },
      };
    },
    poison: (alert) => ({ ...alert, ...poison }),
    unordered: true,
  });
}

describe.each(servers)('the table of $product', ({ shared, poison }) => {
  let url: string;
  let reader: SqlDatabase;
  let sinks: SqlSink[];

  beforeAll(async () => {
    url = await shared();
    reader = await openDatabase({ url });
  });
  afterAll(() => reader.close());
  beforeEach(() => {
    sinks = [];
  });
  afterEach(() => Promise.all(sinks.map((sink) => sink.close())));

  const sinkOf = async (over: Partial<SqlSinkOptions> = {}) => {
    const database = await openDatabase({ url });
    const sink = new SqlSink({ name: 's', table: someTable(), create: true, batch: 100, ...over, database });
    sinks.push(sink);
    return sink;
  };
  const parsed = (value: unknown) => (typeof value === 'string' ? JSON.parse(value) : value);

  it('has all of an alert in columns, times in UTC', async () => {
    const table = someTable();
    const alert = someAlert(3);
    await (await sinkOf({ table })).write([alert, someAlert(4)]);
    const { rows } = await reader.query(`SELECT * FROM ${table} ORDER BY id`);
    expect(rows[0]).toMatchObject({
      ...{ id: alert.id, pattern_id: alert.patternId, title: alert.title, revision: 'r1', severity: 'low', score: 3 },
      ...{ key_value: alert.key, key_field: 'accountId', message: alert.message },
      ...{ detected_at: new Date(alert.detectedAt), first_event_time: new Date(alert.firstEventTime) },
    });
    expect(parsed(rows[0]!.features)).toEqual(alert.features);
    expect(parsed(rows[0]!.steps)).toEqual(alert.steps);
    expect(rows[1]!.features).toBeNull();
  });

  it('writes over a row of the same id, also twice in one batch', async () => {
    const table = someTable();
    const sink = await sinkOf({ table });
    await sink.write([someAlert(1), someAlert(1, { title: 'second' })]);
    await sink.write([someAlert(1, { title: 'third' })]);
    expect((await reader.query(`SELECT title FROM ${table}`)).rows).toEqual([{ title: 'third' }]);
  });

  it('adds the columns that an older table lacks, and leaves those alone that others have added', async () => {
    const table = someTable();
    await reader.query(`CREATE TABLE ${table} (id varchar(64) PRIMARY KEY, assignee varchar(20))`);
    await reader.query(`INSERT INTO ${table} (id, assignee) VALUES ('${someAlert(1).id}', 'Ada')`);
    const columns = ['key_value varchar(512)', 'detected_at timestamp NULL'];
    for (const column of columns) await reader.query(`ALTER TABLE ${table} ADD COLUMN ${column}`);
    await (await sinkOf({ table })).write([someAlert(1)]);
    expect((await reader.query(`SELECT assignee, severity FROM ${table}`)).rows).toEqual([
      { assignee: 'Ada', severity: 'low' },
    ]);
  });

  it('says what is missing where it may make nothing', async () => {
    const table = someTable();
    const sink = await sinkOf({ table, create: false });
    await expect(sink.prepare()).rejects.toThrow(`table ${table} is not there; make it as docs/sinks.md has it`);
    await reader.query(`CREATE TABLE ${table} (id varchar(64) PRIMARY KEY)`);
    await expect(sink.write([someAlert(1)])).rejects.toThrow(`table ${table} lacks pattern_id, title, revision`);
  });

  it('makes the table again when it was dropped', async () => {
    const table = someTable();
    const sink = await sinkOf({ table });
    await sink.write([someAlert(1)]);
    await reader.query(`DROP TABLE ${table}`);
    await expect(sink.write([someAlert(2)])).rejects.toMatchObject({ code: 'SINK_PARTLY_WRITTEN', refused: [] });
    await sink.write([someAlert(2)]);
    expect((await reader.query(`SELECT id FROM ${table}`)).rows).toHaveLength(1);
  });

  it('finds the alerts that are refused among many, and writes the others', async () => {
    const table = someTable();
    const sink = await sinkOf({ table });
    const alerts = Array.from({ length: 50 }, (_, n) => someAlert(n, n % 20 === 7 ? poison : {}));
    const failure = await sink.write(alerts).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      refused: [{ alert: { id: alerts[7]!.id } }, { alert: { id: alerts[27]!.id } }, { alert: { id: alerts[47]!.id } }],
      remaining: [],
    });
    expect((await reader.query(`SELECT id FROM ${table}`)).rows).toHaveLength(47);
  });
});
