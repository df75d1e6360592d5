import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { alertStoreContract } from '../../../test/contracts/alert-store-contract.js';
import { migrate, StoreTables } from './migrations.js';
import { SqlAlertStore } from './sql-alert-store.js';
import { SqliteClient } from './sqlite-client.js';

describe('the alert store in a file', () => {
  let folder: string;
  let n = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stakeout-alert-store-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const again = async () => {
    const client = await SqliteClient.ofFile(join(folder, 'data', `${n}.sqlite`));
    const store = new SqlAlertStore(client, new StoreTables(client, () => 0));
    await store.open();
    return store;
  };
  const open = () => {
    n++;
    return again();
  };
  alertStoreContract(open, again);

  it('refuses tables that a later version has made', async () => {
    const client = SqliteClient.inMemory();
    await migrate(client, 0);
    await client.all('insert into alert_store_migrations (n, at) values (99, 0)');
    await expect(migrate(client, 0)).rejects.toMatchObject({ code: 'ALERT_STORE' });
    await client.close();
  });

  it.each([
    ['in memory', async () => SqliteClient.inMemory()],
    ['in a file', () => SqliteClient.ofFile(join(folder, 'whole.sqlite'))],
  ])('does a thing whole or not at all, %s', async (_, connect) => {
    const client = await connect();
    await client.all('create table t (n integer)');
    const failing = client.transaction(async (session) => {
      await session.all('insert into t values (1)');
      throw new Error('in the middle');
    });
    await expect(failing).rejects.toThrow('in the middle');
    expect(await client.all('select n from t')).toEqual([]);
    await client.close();
  });

  it('goes on in another thread once one has died, without what that had not committed', async () => {
    const client = await SqliteClient.ofFile(join(folder, 'died.sqlite'));
    await client.all('create table t (n integer)');
    const killed = client.transaction(async (session) => {
      await session.all('insert into t values (1)');
      await killThread(client, 'writer');
      await session.all('insert into t values (2)');
    });
    await expect(killed).rejects.toThrow('the thread of the database has ended');
    await client.all('insert into t values (3)');
    await killThread(client, 'reader');
    expect(await client.all('select n from t')).toEqual([{ n: 3 }]);
    await client.close();
  });

  it('leaves the thread that asks free while it searches', async () => {
    const client = await SqliteClient.ofFile(join(folder, 'long.sqlite'));
    const counts =
      'with recursive c(n) as (select 1 union all select n + 1 from c where n < 1000000) select count(*) as n from c';
    let isSearching = true;
    let turns = 0;
    const search = client.all(`select * from (${counts})`).finally(() => {
      isSearching = false;
    });
    for (; isSearching; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(await search).toEqual([{ n: 1_000_000 }]);
    expect(turns).toBeGreaterThan(1);
    await client.close();
  });

  it('says where a file cannot be', async () => {
    await expect(SqliteClient.ofFile(folder)).rejects.toThrow(/unable to open database file/);
  });
});

/** As by a fault in native code. */
async function killThread(client: SqliteClient, which: 'writer' | 'reader'): Promise<void> {
  const { now } = (client as unknown as Record<typeof which, { now: Promise<{ worker: Worker }> }>)[which];
  await (await now).worker.terminate();
}
