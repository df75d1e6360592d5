import { createConnection } from 'node:net';
import { jest } from '@jest/globals';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { SERVER_START_MS, sharedRedis, sharedRegistry, startMariaDb, startPostgres, startRedis } from './index.js';

jest.setTimeout(SERVER_START_MS);

/** One command in Redis' inline form; its first line of answer. */
function ask(url: string, command: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: hostname, port: Number(port) }, () => socket.write(`${command}\r\n`));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data).trim());
    });
    socket.once('error', reject);
  });
}

describe('servers for tests', () => {
  it('starts one Redis for all that ask', async () => {
    const [one, two] = await Promise.all([sharedRedis(), sharedRedis()]);
    expect(two).toBe(one);
    expect(await ask(one, 'PING')).toBe('+PONG');
  });

  it('kills a Redis of its own and starts it again, empty, at the same address', async () => {
    const redis = await startRedis({ own: true });
    await ask(redis.url, 'SET k v');
    await redis.kill9();
    await expect(ask(redis.url, 'PING')).rejects.toThrow('ECONNREFUSED');
    await redis.start();
    expect(await ask(redis.url, 'EXISTS k')).toBe(':0');
    await redis.stop();
  });

  it('starts a PostgreSQL of its own, which keeps what it had when it was killed', async () => {
    const server = await startPostgres({ own: true });
    const ask = async (sql: string) => {
      const client = new pg.Client({ connectionString: server.url });
      client.on('error', () => undefined);
      await client.connect();
      const { rows } = await client.query(sql);
      await client.end();
      return rows;
    };
    await ask("create table t as select 'a' as x");
    await server.kill9();
    await expect(ask('select 1')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await ask('select x from t')).toEqual([{ x: 'a' }]);
    await server.stop();
  });

  it('starts a MariaDB of its own, with a database', async () => {
    const server = await startMariaDb({ own: true });
    const connection = await mysql.createConnection(server.url);
    expect((await connection.query('select database() as name'))[0]).toEqual([{ name: 'stakeout' }]);
    await connection.end();
    await server.stop();
  });

  it('starts a schema registry that gives a schema back by its id', async () => {
    const url = await sharedRegistry();
    const type = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
    const schema = JSON.stringify({ type: 'record', name: 'Probe', fields: [{ name: 'a', type: 'string' }] });
    const body = JSON.stringify({ schema });
    const made = await fetch(`${url}/subjects/probe-value/versions`, { method: 'POST', headers: type, body });
    const { id } = (await made.json()) as { id: number };
    const got = (await (await fetch(`${url}/schemas/ids/${id}`)).json()) as { schema: string };
    expect(JSON.parse(got.schema)).toEqual(JSON.parse(schema));
  });
});
