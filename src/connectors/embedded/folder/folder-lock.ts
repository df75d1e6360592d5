import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LogError } from '../../../runtime/local-log/log-error.js';
import { errnoOf } from '../disk/file-errors.js';

const LOCK = 'lock.json';
const TAKEOVER = 'lock.takeover';
/** Taking over takes milliseconds; whoever needs longer has died at it. */
const TAKEOVER_MS_MAX = 10_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the kernel counts it; tells a process from a later one with its number. */
  readonly started: string | null;
}

/**
 * Keeps two processes from writing one folder. The lock is a file that is made whole or not at all, and says who has it. It outlives a
 * process that was killed, and is then taken over.
 */
export class FolderLock {
  private constructor(private readonly path: string) {}

  /** @throws LogError `LOG_LOCKED` when a living process has the folder, this one too. */
  static async acquire(directory: string): Promise<FolderLock> {
    const path = join(directory, LOCK);
    const own = `${path}.${randomUUID()}`;
    const me: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
    await writeFile(own, JSON.stringify(me));
    try {
      if (!(await tryLink(own, path))) {
        await takeOver(directory, path, own);
      }
      return new FolderLock(path);
    } finally {
      await rm(own, { force: true });
    }
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** Only one process at a time looks whether the holder is dead and replaces its lock. */
async function takeOver(directory: string, path: string, own: string): Promise<void> {
  await assertDead(directory, path);
  const guard = join(directory, TAKEOVER);
  try {
    await mkdir(guard);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      throw error;
    }
    const since = (await stat(guard).catch(() => undefined))?.mtimeMs ?? 0;
    if (Date.now() - since < TAKEOVER_MS_MAX) {
      throw new LogError('LOG_LOCKED', `the log folder ${directory} is being taken over by another process`);
    }
    // Somebody else may have cleared it away; the next attempt tells.
    await rmdir(guard).catch(() => {});
    return takeOver(directory, path, own);
  }
  try {
    await assertDead(directory, path);
    await rm(path, { force: true });
    if (!(await tryLink(own, path))) {
      throw new LogError('LOG_LOCKED', `the log folder ${directory} was taken by another process just now`);
    }
  } finally {
    await rmdir(guard);
  }
}

async function assertDead(directory: string, path: string): Promise<void> {
  const holder = await readHolder(path);
  if (holder === undefined) {
    return;
  }
  if (holder.host !== hostname()) {
    throw new LogError(
      'LOG_LOCKED',
      `the log folder ${directory} is in use by process ${holder.pid} on ${holder.host}. Stop it there; if that machine is gone ` +
        `for good, delete ${path}.`,
    );
  }
  if (await isAlive(holder)) {
    throw new LogError(
      'LOG_LOCKED',
      `the log folder ${directory} is in use by process ${holder.pid}. Stop that process, or name another folder.`,
    );
  }
}

/** `undefined` when there is no lock any more, or a power failure has left it without content. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof content === 'object' && content !== null && 'pid' in content ? (content as Holder) : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

async function isAlive({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') {
      return false;
    }
  }
  const now = await startOf(pid);
  return now === null || started === null || (now !== 'dead' && now === started);
}

/** From /proc where there is one, else `null`; `dead` for a process that has ended but was not waited for yet. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything; the third is the state, the 22nd the start.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : (fields[19] ?? null);
  } catch {
    return null;
  }
}
