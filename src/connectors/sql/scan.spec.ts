import { jest } from '@jest/globals';
import { SERVER_START_MS, sharedMariaDb, sharedPostgres } from '../../../test/harness/servers/index.js';
import { openDatabase } from './open-database.js';
import { PAGE_ROWS, type SqlDatabase } from './sql-database.js';

jest.setTimeout(SERVER_START_MS);

const SERVERS = [
  {
    ...{ name: 'PostgreSQL', shared: sharedPostgres, at: "'2026-01-31 12:00:00.123456+02'" },
    sleep: 'pg_sleep',
    self: 'pg_backend_pid()',
    kill: 'SELECT pg_terminate_backend($)',
    columns: 'i bigint, n numeric(20,4), f double precision, b boolean, at timestamptz, day timestamp, t text',
  },
  {
    ...{ name: 'MySQL', shared: sharedMariaDb, at: "'2026-01-31 10:00:00.123456'" },
    sleep: 'sleep',
    self: 'connection_id()',
    kill: 'KILL $',
    columns: 'i bigint, n decimal(20,4), f double, b boolean, at timestamp(6) null, day datetime null, t text',
  },
];

const never = new AbortController().signal;
const afterMs = (ms: number) => AbortSignal.timeout(ms);

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

describe.each(SERVERS)('a scan of $name', ({ shared, columns, at, sleep, self, kill }) => {
  let database: SqlDatabase;
  beforeAll(async () => {
    database = await openDatabase({ url: await shared() });
    // Times that are written and told are in UTC then.
    if (database.dialect === 'mysql') await database.query("SET GLOBAL time_zone = '+00:00'");
  });
  afterAll(() => database.close());

  /** The numbers 0 … count-1. */
  async function numbers(table: string, count: number): Promise<void> {
    await database.query(`DROP TABLE IF EXISTS ${table}`);
    await database.query(`CREATE TABLE ${table} (n int primary key)`);
    const values = Array.from({ length: count }, (_, n) => `(${n})`);
    await database.query(`INSERT INTO ${table} VALUES ${values.join(',')}`);
  }

  it('tells values as exact texts, times in UTC, and what columns are', async () => {
    await database.query('DROP TABLE IF EXISTS scan_kinds');
    await database.query(`CREATE TABLE scan_kinds (${columns})`);
    const row = `(9007199254740993, 12.5, 0.1, true, ${at}, '2026-01-31 08:00:00', 'Zoë; -- ''x')`;
    await database.query(`INSERT INTO scan_kinds VALUES ${row}, (null, null, null, null, null, null, null)`);
    const [page] = await all(database.scan('SELECT * FROM scan_kinds ORDER BY i IS NULL', [], never));
    expect(page!.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      ...['i integer', 'n number', 'f number', 'b boolean', 'at time', 'day time', 't text'],
    ]);
    expect(page!.rows[0]).toEqual([
      ...['9007199254740993', '12.5000', '0.1', 'true'],
      ...[expect.stringMatching(/^2026-01-31 10:00:00\.123456/), '2026-01-31 08:00:00', "Zoë; -- 'x"],
    ]);
    expect(page!.rows[1]).toEqual([null, null, null, null, null, null, null]);
  });

  it('reads many rows in pages, as of one moment', async () => {
    const count = PAGE_ROWS * 2 + 1;
    await numbers('scan_series', count);
    const pages: number[] = [];
    let sum = 0;
    for await (const { rows } of database.scan('SELECT n FROM scan_series ORDER BY n', [], never)) {
      if (pages.length === 0) await database.query('DELETE FROM scan_series WHERE n > 10');
      pages.push(rows.length);
      for (const [n] of rows) sum += Number(n);
    }
    expect(pages).toEqual([PAGE_ROWS, PAGE_ROWS, 1]);
    expect(sum).toBe((count * (count - 1)) / 2);
    const from = `SELECT n FROM scan_series WHERE n >= ${database.placeholder(1)} ORDER BY n`;
    expect((await all(database.scan(from, ['9'], never)))[0]!.rows).toEqual([['9'], ['10']]);
    expect(await all(database.scan('SELECT n FROM scan_series WHERE n < 0', [], never))).toEqual([
      { columns: [{ name: 'n', type: 'integer' }], rows: [] },
    ]);
  });

  it('ends at once when it is given up, and harms nobody', async () => {
    await numbers('scan_half', PAGE_ROWS);
    // More than could be on its way.
    const wide = 'SELECT a.n FROM scan_half a, scan_half b';
    for await (const _ of database.scan(wide, [], never)) break;
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _ of database.scan(wide, [], stop.signal)) stop.abort(new Error('given up'));
    })();
    await expect(reading).rejects.toThrow('given up');
    await expect(all(database.scan(wide, [], stop.signal))).rejects.toThrow('given up');
    for (const delayMs of [0, 1, 2, 5, 100]) {
      const begun = performance.now();
      const slow = all(database.scan(`SELECT ${sleep}(60)`, [], afterMs(delayMs)));
      await expect(slow).rejects.toThrow('aborted due to timeout');
      expect(performance.now() - begun).toBeLessThan(30_000);
    }
    await expect(all(database.scan('SELECT n FROM nowhere', [], never))).rejects.toMatchObject({ code: 'SQL_REFUSED' });
    const [page] = await all(database.scan('SELECT count(*) FROM scan_half', [], never));
    expect(page!.rows).toEqual([[String(PAGE_ROWS)]]);
  });

  it('fails when its connection is lost', async () => {
    await numbers('scan_lost', PAGE_ROWS);
    let killed = false;
    const lost = (async () => {
      for await (const { rows } of database.scan(`SELECT ${self} FROM scan_lost a, scan_lost b`, [], never)) {
        if (killed) continue;
        killed = true;
        await database.query(kill.replace('$', rows[0]![0]!));
      }
    })();
    await expect(lost).rejects.toMatchObject({ code: 'SQL_UNAVAILABLE' });
  });
});
