import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { listsNow } from '../../src/cli/lists-now.js';
import { openDatabase } from '../../src/connectors/sql/open-database.js';
import type { SqlDatabase } from '../../src/connectors/sql/sql-database.js';
import { systemClock } from '../../src/connectors/system-clock.js';
import { loadLists } from '../../src/runtime/lists/load-lists.js';
import { MemoryLog } from '../../src/runtime/memory/memory-log.js';
import { loadSettings } from '../../src/runtime/settings/index.js';
import { listControl } from '../../src/service/compose/lists/list-control.js';
import type { ListControl } from '../../src/service/lists/list-control.js';
import {
  SERVER_START_MS,
  sharedMariaDb,
  sharedPostgres,
  startMariaDb,
  startPostgres,
} from '../harness/servers/index.js';
import { until } from '../harness/until.js';

jest.setTimeout(SERVER_START_MS);

const folder = mkdtempSync(join(tmpdir(), 'stakeout-table-lists-'));
const controls: ListControl[] = [];
afterEach(async () => {
  for (const control of controls.splice(0)) await control.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function settingsOf(url: string, lists: string) {
  const file = join(folder, 'stakeout.yaml');
  const streams = 'streams: {rows: {topic: rows, format: ndjson}}';
  writeFileSync(file, `database: {url: '${url}'}\n${streams}\nlists: ${lists}\n`);
  const loaded = loadSettings({ file, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return loaded.settings;
}

/** A process with these lists. */
async function process(url: string, lists: string, log = new MemoryLog()) {
  const settings = settingsOf(url, lists);
  const told: string[] = [];
  const control = listControl({
    ...{ settings, log, clock: systemClock, declared: await loadLists(settings.lists), rules: () => [] },
    report: (text) => told.push(text),
    warn: (text) => told.push(text),
  });
  controls.push(control);
  await control.open();
  control.attach({ changeLists: async () => undefined } as never);
  const entries = (list: string): readonly string[] =>
    [...control.tableOf(list)!.entries()].map(([key, value]) => (value === '' ? key : `${key}=${value}`)).sort();
  const changes = async (): Promise<number> => (await log.offsets({ topic: 'stakeout-lists', partition: 0 })).end;
  return { control, log, told, entries, changes };
}

describe.each([
  { name: 'PostgreSQL', shared: sharedPostgres, start: startPostgres, now: 'clock_timestamp()', stamp: 'timestamptz' },
  { name: 'MySQL', shared: sharedMariaDb, start: startMariaDb, now: 'now(6)', stamp: 'datetime(6)' },
])('lists that are read from tables of $name', ({ shared, start, now, stamp }) => {
  let database: SqlDatabase;
  let url: string;
  beforeAll(async () => {
    url = await shared();
    database = await openDatabase({ url });
  });
  afterAll(() => database.close());
  const sql = (text: string) => database.query(text);

  it('are as their table is, and change with it by what has changed', async () => {
    await sql('DROP TABLE IF EXISTS blocked');
    await sql('CREATE TABLE blocked (account varchar(20) primary key, open boolean)');
    await sql("INSERT INTO blocked VALUES ('A1', true), ('A2', true), ('A3', false)");
    const lists = `{blocked: {table: {query: 'SELECT account FROM blocked WHERE open;'}, refresh: 50ms}}`;
    const { entries, changes, control } = await process(url, lists);
    expect(entries('blocked')).toEqual(['A1', 'A2']);
    expect(control.statusOf('blocked')).toMatchObject({ source: 'table of a query', trouble: null });
    await sql("UPDATE blocked SET open = true WHERE account = 'A3'");
    await sql("DELETE FROM blocked WHERE account = 'A1'");
    await until(() => entries('blocked').join() === 'A2,A3', 'the list to follow');
    expect(await changes()).toBeLessThanOrEqual(3);
  });

  it('are read once where files are run or back-tested', async () => {
    await sql('DROP TABLE IF EXISTS once');
    await sql('CREATE TABLE once (account varchar(20) primary key, land text, gone boolean)');
    await sql("INSERT INTO once VALUES ('A1', 'DE', false), ('A2', 'FR', true)");
    const table = '{name: once, column: account, value: land, deleted: gone}';
    const lists = await listsNow(settingsOf(url, `{once: {kind: map, table: ${table}}, asked: {kind: set}}`));
    expect([lists.get('once', 'A1'), lists.has('once', 'A2'), lists.has('asked', 'A1')]).toEqual(['DE', false, false]);
    expect(Object.fromEntries(lists.known)).toEqual({ once: 'map', asked: 'set' });
    await expect(listsNow(settingsOf(url, '{gone: {table: {name: not_there, column: a}}}'))).rejects.toThrow(
      /^the list gone cannot be read from table not_there: /,
    );
  });

  it('by a column that says when a row was changed, read and tell that alone', async () => {
    await sql('DROP TABLE IF EXISTS homes');
    await sql(`CREATE TABLE homes (account varchar(20) primary key, land text, at ${stamp}, gone boolean)`);
    await sql(`INSERT INTO homes VALUES ('A1', 'DE', ${now}, false), ('A2', 'FR', ${now}, false)`);
    const table = '{name: homes, column: account, value: land, changed: at, deleted: gone, overlap: 2s}';
    const { entries, changes } = await process(url, `{homes: {kind: map, table: ${table}, refresh: 50ms}}`);
    expect(entries('homes')).toEqual(['A1=DE', 'A2=FR']);
    await sql(`UPDATE homes SET land = 'AT', at = ${now} WHERE account = 'A1'`);
    await until(() => entries('homes').includes('A1=AT'), 'the value to follow');
    const before = await changes();
    // Touched, and not changed.
    await sql(`UPDATE homes SET at = ${now}`);
    await sql(`INSERT INTO homes VALUES ('A3', 'IT', ${now}, false)`);
    await until(() => entries('homes').includes('A3=IT'), 'the new entry to follow');
    await sql(`UPDATE homes SET gone = true, at = ${now} WHERE account = 'A2'`);
    await until(() => entries('homes').join() === 'A1=AT,A3=IT', 'the entry to go');
    expect((await changes()) - before).toBe(2);
  });

  it('that say nothing of what was deleted are read whole now and then', async () => {
    await sql('DROP TABLE IF EXISTS numbered');
    await sql('CREATE TABLE numbered (account varchar(20) primary key, n int)');
    await sql("INSERT INTO numbered VALUES ('A1', 1), ('A2', 2)");
    const table = '{name: numbered, column: account, changed: n, whole: 200ms}';
    const { entries } = await process(url, `{numbered: {table: ${table}, refresh: 20ms}}`);
    await sql("INSERT INTO numbered VALUES ('A3', 3)");
    await until(() => entries('numbered').length === 3, 'the new entry');
    await sql("DELETE FROM numbered WHERE account = 'A1'");
    await until(() => entries('numbered').join() === 'A2,A3', 'the entry to go');
  });

  it('stay as they are while the database is away, and go on when it is back', async () => {
    const server = await start({ own: true });
    const own = await openDatabase({ url: server.url });
    await own.query('CREATE TABLE away (account varchar(20))');
    await own.query("INSERT INTO away VALUES ('A1')");
    const lists = '{away: {table: {name: away, column: account}, refresh: 50ms}}';
    const { entries, control, log } = await process(server.url, lists);
    await server.kill9();
    await until(() => control.statusOf('away')!.trouble !== null, 'the trouble to be seen');
    expect(control.statusOf('away')!.trouble).not.toContain('secret');
    // One that starts meanwhile has what was read last.
    expect((await process(server.url, lists, log)).entries('away')).toEqual(['A1']);
    await server.start();
    await until(
      () =>
        own.query("INSERT INTO away VALUES ('A2')").then(
          () => true,
          () => false,
        ),
      'it to be back',
    );
    await until(() => entries('away').length === 2, 'the list to follow');
    // Which may be the other's doing.
    await until(() => control.statusOf('away')!.trouble === null, 'the trouble to be over');
    await own.close();
    await server.stop();
  });
});

describe('settings of a table', () => {
  it.each([
    ['{l: {table: {column: a}}}', 'lists.l.table.name'],
    ['{l: {table: {name: t}}}', 'lists.l.table.column'],
    ['{l: {kind: map, table: {name: t, column: a}}}', 'lists.l.table.value'],
    ['{l: {file: x, table: {query: q}}}', 'lists.l'],
  ])('%s lacks something', (lists, path) => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, `database: {url: 'mysql://h/d'}\nlists: ${lists}\n`);
    const loaded = loadSettings({ file, env: {} });
    expect('errors' in loaded && loaded.errors.map((error) => error.path)).toEqual([path]);
  });

  it('names a database', () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, `lists: {l: {table: {query: q}}}\n`);
    const loaded = loadSettings({ file, env: {} });
    expect('errors' in loaded && loaded.errors.map((error) => error.path)).toEqual(['lists.l.table.url']);
  });
});
