/**
 * Server processes for tests.
 *
 * 1. A server may outlive the process that started it (jest's workers come and go), so everything here goes by process id.
 * 2. It never outlives its owner: a watchdog ends it when the test run is gone, however that ended.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Of the server; its output goes to `server.log` here. */
  readonly dir: string;
  /** Process whose end ends the server, and removes `temporary`. */
  readonly owner: number;
  readonly temporary: string;
}

export interface Launched {
  readonly pid: number;
  readonly dir: string;
}

const POLL_MS = 50;
const WATCHDOG = `
while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done
kill -9 "$2" 2>/dev/null
kill -0 "$1" 2>/dev/null || rm -rf "$3"`;

export function launch({ command, args, dir, owner, temporary }: Launch): Launched {
  mkdirSync(dir, { recursive: true });
  const log = openSync(path.join(dir, 'server.log'), 'a');
  const child = spawn(command, args, { cwd: dir, detached: true, stdio: ['ignore', log, log] });
  child.on('error', () => {});
  if (child.pid === undefined) throw new Error(`${command} could not be started`);
  child.unref();
  spawn('sh', ['-c', WATCHDOG, 'watchdog', String(owner), String(child.pid), temporary], {
    detached: true,
    stdio: 'ignore',
  }).unref();
  return { pid: child.pid, dir };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie that nobody has collected still answers signals. While it has threads besides the first, they are still on
    // their way out, and its sockets with them: a connection would be taken, and reset, instead of refused.
    const isZombie = /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return !isZombie || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return true;
  }
}

export async function end(pid: number, signal: 'SIGTERM' | 'SIGKILL', patienceMs = 15_000): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, signal);
  const giveUpAt = Date.now() + patienceMs;
  while (isAlive(pid)) {
    if (Date.now() > giveUpAt) {
      process.kill(pid, 'SIGKILL');
      return;
    }
    await sleep(POLL_MS);
  }
}

/** Waits until no process of the group of a launched one is left, but for zombies. */
export async function endOfGroup(pid: number, patienceMs = 15_000): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  while (processes().some((one) => one.group === pid && isAlive(one.pid)) && Date.now() < giveUpAt)
    await sleep(POLL_MS);
}

/** Those that can be seen; their group is the fifth field of `/proc/PID/stat`, behind a name that may hold anything (proc(5)). */
function processes(): { pid: number; group: number }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return [{ pid: Number(pid), group: Number(fields[2]) }];
    } catch {
      return [];
    }
  });
}

/** Polls until `ready` holds; throws with the end of the log when the server dies or takes too long. */
export async function untilReady(
  name: string,
  server: Launched,
  ready: () => boolean | Promise<boolean>,
  patienceMs = 90_000,
): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  while (!(await ready())) {
    const dead = !isAlive(server.pid);
    if (dead || Date.now() > giveUpAt) {
      throw new Error(`${name} ${dead ? 'died' : 'was not ready in time'}:\n${logOf(server).slice(-3_000)}`);
    }
    await sleep(POLL_MS);
  }
}

export function logOf({ dir }: Launched): string {
  return readFileSync(path.join(dir, 'server.log'), 'utf8');
}

export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const answer = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.once('listening', () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export function need(command: string, how: string): void {
  const found = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
  if (!found) throw new Error(`${command} is not installed. ${how}`);
}

/** Runs `work` while no other process is in a section of the same name. A lock whose holder died is taken over. */
export async function locked<R>(lock: string, work: () => Promise<R>): Promise<R> {
  mkdirSync(path.dirname(lock), { recursive: true });
  while (!take(lock)) await sleep(POLL_MS);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = Number(readIfThere(lock));
    if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
    return false;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
