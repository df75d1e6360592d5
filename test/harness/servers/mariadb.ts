/** MariaDB, which speaks MySQL's protocol. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { foreignSql, type SqlServer, type SqlStart } from './postgres.js';
import { end, freePorts, launch, need, untilReady } from './process.js';

const run = promisify(execFile);
const HOW =
  'Install it (Debian: apt-get install mariadb-server), or name a server of your own that speaks its protocol with MYSQL_URL.';
/** Debian has the server in a folder that only root's PATH names. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** `mysql://stakeout:secret@127.0.0.1:…/stakeout` */
export async function startMariaDb(options: SqlStart = {}): Promise<SqlServer> {
  const theirs = process.env.MYSQL_URL;
  if (theirs !== undefined && !options.own) return foreignSql(theirs, 'MYSQL_URL');
  need('mariadb-install-db', HOW);
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-mariadb-'));
  const data = path.join(dir, 'data');
  const [port = 0] = await freePorts(1);
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  const install = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await run('mariadb-install-db', [...install, ...user], { env });
  const socket = path.join(dir, 'socket');
  const listen = ['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${socket}`];
  const args = ['mariadbd', '--no-defaults', ...user, `--datadir=${data}`, ...listen, '--innodb-buffer-pool-size=32M'];
  const begin = async () => {
    // By `env`, for the same reason.
    const command = { command: 'env', args: [`PATH=${env.PATH}`, ...args] };
    const launched = launch({ ...command, dir, owner: options.owner ?? process.pid, temporary: dir });
    await untilReady('MariaDB', launched, () => asRoot(socket, 'SELECT 1'), 30_000);
    return launched;
  };
  let server = await begin();
  for (const statement of setUp) await asRoot(socket, statement);
  return {
    url: `mysql://stakeout:secret@127.0.0.1:${port}/stakeout`,
    pids: [server.pid],
    dir,
    kill9: () => end(server.pid, 'SIGKILL'),
    start: async () => {
      server = await begin();
    },
    stop: async () => {
      await end(server.pid, 'SIGKILL');
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const setUp = [
  'CREATE DATABASE stakeout CHARACTER SET utf8mb4',
  "CREATE USER 'stakeout'@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO 'stakeout'@'%'",
];

async function asRoot(socketPath: string, statement: string): Promise<boolean> {
  try {
    const connection = await createConnection({ socketPath, user: 'root', connectTimeout: 2_000 });
    await connection.query(statement);
    await connection.end();
    return true;
  } catch {
    return false;
  }
}
