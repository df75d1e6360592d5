import { jest } from '@jest/globals';
import {
  SERVER_START_MS,
  sharedMariaDb,
  sharedPostgres,
  startMariaDb,
  startPostgres,
} from '../../../test/harness/servers/index.js';
import { openDatabase, sqlDialect } from './open-database.js';
import type { SqlDatabase } from './sql-database.js';
import type { SqlError } from './sql-error.js';

jest.setTimeout(SERVER_START_MS);

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: SqlError) => error.code,
  );

it.each([
  ['postgres://h/d', 'postgres'],
  ['postgresql://h/d', 'postgres'],
  ['mysql://h/d', 'mysql'],
  ['mariadb://h/d', 'mysql'],
  ['redis://h', null],
  ['nothing', null],
])('%s is of %s', (url, dialect) => expect(sqlDialect(url)).toBe(dialect));

describe.each([
  { product: 'PostgreSQL', shared: sharedPostgres, own: startPostgres },
  { product: 'MySQL', shared: sharedMariaDb, own: startMariaDb },
])('a database of $product', ({ product, shared, own }) => {
  let url: string;
  let database: SqlDatabase;

  beforeAll(async () => {
    url = await shared();
    database = await openDatabase({ url });
    await database.query('DROP TABLE IF EXISTS sql_probe');
    await database.query('CREATE TABLE sql_probe (id INT PRIMARY KEY, word VARCHAR(5) NOT NULL)');
  });
  afterAll(() => database.close());

  const insert = (id: number, word: string | null): [string, unknown[]] => {
    const [one, two] = [database.placeholder(1), database.placeholder(2)];
    return [`INSERT INTO sql_probe (id, ${database.name('word')}) VALUES (${one}, ${two})`, [id, word]];
  };
  const count = async () => (await database.query('SELECT id FROM sql_probe')).rows.length;

  beforeEach(() => database.query('DELETE FROM sql_probe'));

  it('takes values beside the text, and tells how many rows it changed', async () => {
    expect(await database.query(...insert(1, "o'1"))).toMatchObject({ count: 1 });
    expect((await database.query('SELECT id, word FROM sql_probe')).rows).toEqual([{ id: 1, word: "o'1" }]);
  });

  it('does all of a transaction, or nothing', async () => {
    await database.transaction((session) => session.query(...insert(1, 'a')));
    await expect(
      database.transaction(async (session) => {
        await session.query(...insert(2, 'b'));
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await count()).toBe(1);
  });

  it('streams more rows than it reads at once', async () => {
    const rows = Array.from({ length: 2_500 }, (_, i) => `(${i}, 'w')`).join(',');
    await database.query(`INSERT INTO sql_probe (id, word) VALUES ${rows}`);
    let seen = 0;
    for await (const row of database.stream('SELECT id FROM sql_probe')) seen += Number(row.id) >= 0 ? 1 : 0;
    expect(seen).toBe(2_500);
    for await (const _ of database.stream('SELECT id FROM sql_probe')) break;
    expect(await count()).toBe(2_500);
  });

  it.each([
    ['a value that is too long', () => database.query(...insert(1, 'too long a word')), 'SQL_VALUE'],
    ['nothing where something must be', () => database.query(...insert(1, null)), 'SQL_VALUE'],
    ['a table that is not there', () => database.query('SELECT 1 FROM nowhere'), 'SQL_REFUSED'],
    ['no statement', () => database.query('SELEKT 1'), 'SQL_REFUSED'],
  ])('refuses %s', async (_, work, code) => expect(await codeOf(work())).toBe(code));

  it('says whether the server is not there, or does not let us in, and never the password', async () => {
    const away = await openDatabase({ url: url.replace(/:\d+\//, ':1/') });
    await expect(away.query('SELECT 1')).rejects.toThrow(
      `${product} at 127.0.0.1:1 does not answer (connect ECONNREFUSED 127.0.0.1:1): see that it runs there, and that this machine may reach it`,
    );
    await away.close();
    for (const wrong of [url.replace(':secret@', ':wrong-one@'), `${url}-not-there`]) {
      const refused = await openDatabase({ url: wrong });
      const error = (await refused.query('SELECT 1').catch((caught: unknown) => caught)) as SqlError;
      expect(error.code).toBe('SQL_LOGIN');
      expect(error.message).toContain('check user, password and database in the URL');
      expect(error.message).not.toContain('wrong-one');
      await refused.close();
    }
  });

  it('gives up a statement that takes too long', async () => {
    const hasty = await openDatabase({ url, timeoutMs: 200 });
    const sleep = database.dialect === 'postgres' ? 'SELECT pg_sleep(10)' : 'SELECT sleep(10)';
    expect(await codeOf(hasty.query(sleep))).toBe('SQL_TIMEOUT');
    expect((await hasty.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await hasty.close();
  });

  it('refuses a server that speaks no TLS when it is asked for', async () => {
    const wanted = await openDatabase({ url, tls: {} });
    expect(await codeOf(wanted.query('SELECT 1'))).toBe('SQL_TLS');
    await wanted.close();
    expect(await codeOf(wanted.query('SELECT 1'))).toBe('SQL_CLOSED');
  });

  it('goes on when the server was killed and is back', async () => {
    const server = await own({ own: true });
    const mine = await openDatabase({ url: server.url });
    await mine.query('SELECT 1');
    await server.kill9();
    expect(await codeOf(mine.query('SELECT 1'))).toBe('SQL_UNAVAILABLE');
    expect(await codeOf(mine.query('SELECT 1'))).toBe('SQL_UNAVAILABLE');
    await server.start();
    expect((await mine.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await mine.close();
    await server.stop();
  });
});
