import { StoreTables } from '../../src/connectors/alert-store/migrations.js';
import { PostgresClient } from '../../src/connectors/alert-store/postgres-client.js';
import { SqlAlertStore } from '../../src/connectors/alert-store/sql-alert-store.js';
import { PostgresDatabase } from '../../src/connectors/sql/postgres-database.js';
import { alertStoreContract } from '../contracts/alert-store-contract.js';
import { type SqlServer, startPostgres } from '../harness/servers/postgres.js';

describe('the alert store in PostgreSQL', () => {
  let server: SqlServer;
  let n = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  const nameOf = (): string => `alerts_${process.pid}_${n}`;
  const again = async () => {
    const url = new URL(server.url);
    url.searchParams.set('options', `-c search_path=${nameOf()}`);
    const client = new PostgresClient(new PostgresDatabase({ url: url.href }));
    const store = new SqlAlertStore(client, new StoreTables(client, () => 0));
    await store.open();
    return store;
  };
  const open = async () => {
    n++;
    const database = new PostgresDatabase({ url: server.url });
    await database.query(`create schema ${nameOf()}`);
    await database.close();
    // Several instances start at the same time, and make the tables once.
    const [first, ...others] = await Promise.all([again(), again(), again()]);
    expect(new Set(others.map(({ id }) => id))).toEqual(new Set([first!.id]));
    for (const other of others) await other.close();
    return first!;
  };
  alertStoreContract(open, again);
});
