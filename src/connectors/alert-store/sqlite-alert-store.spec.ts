import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    const client = new SqliteClient(join(folder, 'data', `${n}.sqlite`));
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
    const client = new SqliteClient(':memory:');
    await migrate(client, 0);
    await client.all('insert into alert_store_migrations (n, at) values (99, 0)');
    await expect(migrate(client, 0)).rejects.toMatchObject({ code: 'ALERT_STORE' });
    await client.close();
  });

  it('does a thing whole or not at all', async () => {
    const client = new SqliteClient(':memory:');
    await client.all('create table t (n integer)');
    const failing = client.transaction(async (session) => {
      await session.all('insert into t values (1)');
      throw new Error('in the middle');
    });
    await expect(failing).rejects.toThrow('in the middle');
    expect(await client.all('select n from t')).toEqual([]);
    await client.close();
  });
});
