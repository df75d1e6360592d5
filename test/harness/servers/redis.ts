/** A Redis server without persistence. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { accepts, end, freePorts, launch, need, untilReady } from './process.js';

const HOW = 'Install it (Debian: apt-get install redis-server), or name a server of your own with REDIS_URL.';

export interface Redis {
  readonly url: string;
  readonly pids: readonly number[];
  readonly dir: string | null;
  /** Gone at once, with all it held. */
  kill9(): Promise<void>;
  /** Again, on the same port, empty. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisStart {
  /** A server of one's own even where REDIS_URL names one: for tests that kill it. */
  readonly own?: boolean;
  readonly owner?: number;
}

export async function startRedis(options: RedisStart = {}): Promise<Redis> {
  const theirs = process.env.REDIS_URL;
  if (theirs !== undefined && !options.own) return foreign(theirs);
  need('redis-server', HOW);
  const [port = 0] = await freePorts(1);
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
  const owner = options.owner ?? process.pid;
  const begin = async () => {
    const launched = launch({ command: 'redis-server', args, dir, owner, temporary: dir });
    await untilReady('Redis', launched, () => accepts(port), 10_000);
    return launched;
  };
  let server = await begin();
  return {
    url: `redis://127.0.0.1:${port}`,
    pids: [server.pid],
    dir,
    kill9: () => end(server.pid, 'SIGKILL'),
    start: async () => {
      server = await begin();
    },
    stop: async () => {
      await end(server.pid, 'SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function foreign(url: string): Redis {
  const refuse = () => Promise.reject(new Error('REDIS_URL names a server that is not ours to kill'));
  return { url, pids: [], dir: null, kill9: refuse, start: refuse, stop: () => Promise.resolve() };
}
