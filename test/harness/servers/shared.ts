/**
 * Servers that all spec files of one run share. The first that asks starts one; the others find its address in the run's folder,
 * which `global-setup.mjs` makes and `global-teardown.mjs` empties. Specs use topics, groups and keys of their own.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startKafka } from './kafka.js';
import { startMariaDb } from './mariadb.js';
import { startOpenSearch } from './opensearch.js';
import { startPostgres } from './postgres.js';
import { locked } from './process.js';
import { startRedis } from './redis.js';
import { startRegistry } from './registry.js';

/** What `global-teardown.mjs` reads to end a server. */
interface Record {
  readonly address: string;
  readonly pids: readonly number[];
  readonly dir: string | null;
}

/** Bootstrap brokers, `host:port`. */
export async function sharedKafka(): Promise<readonly string[]> {
  const { address } = await shared('kafka', async (owner) => {
    const { brokers, pids, dir } = await startKafka({ owner });
    return { address: brokers.join(','), pids, dir };
  });
  return address.split(',');
}

/** Base URL of a schema registry. */
export async function sharedRegistry(): Promise<string> {
  return (
    await shared('registry', async (owner) => {
      const { url, pids, dir } = await startRegistry({ owner });
      return { address: url, pids, dir };
    })
  ).address;
}

/** `redis://…` */
export async function sharedRedis(): Promise<string> {
  return (
    await shared('redis', async (owner) => {
      const { url, pids, dir } = await startRedis({ owner });
      return { address: url, pids, dir };
    })
  ).address;
}

/** `postgres://…` of a user who may create schemas and databases. */
export async function sharedPostgres(): Promise<string> {
  return (
    await shared('postgres', async (owner) => {
      const { url, pids, dir } = await startPostgres({ owner });
      return { address: url, pids, dir };
    })
  ).address;
}

/** `mysql://…` of a user who may create databases. */
export async function sharedMariaDb(): Promise<string> {
  return (
    await shared('mariadb', async (owner) => {
      const { url, pids, dir } = await startMariaDb({ owner });
      return { address: url, pids, dir };
    })
  ).address;
}

/** `http://…`, without a login. */
export async function sharedOpenSearch(): Promise<string> {
  return (
    await shared('opensearch', async (owner) => {
      const { url, pids, dir } = await startOpenSearch({ owner });
      return { address: url, pids, dir };
    })
  ).address;
}

async function shared(name: string, start: (owner: number) => Promise<Record>): Promise<Record> {
  const folder = process.env.STAKEOUT_TEST_SERVERS ?? path.join(tmpdir(), `stakeout-servers-${process.pid}`);
  const owner = Number(process.env.STAKEOUT_TEST_OWNER ?? process.pid);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.json`);
  return locked(path.join(folder, `${name}.lock`), async () => {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Record;
    const record = await start(owner);
    writeFileSync(file, JSON.stringify(record));
    return record;
  });
}
