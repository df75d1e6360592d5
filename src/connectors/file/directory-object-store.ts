import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assertObjectName, mayBegin } from '../../runtime/object-name.js';
import { type ClaimingStore, ObjectStoreError } from '../../runtime/ports/object-store.js';

/** No object's name can begin so. */
const UNFINISHED = '~unfinished';
/** What is older is no write that is still under way. */
const LEFT_OVER_MS = 60 * 60 * 1000;

export interface DirectoryObjectStoreOptions {
  /** Made if it is not there; a folder that all instances see. */
  readonly directory: string;
  /** Folder for what is being written, whose name no object can begin with. Default `~unfinished`. */
  readonly unfinished?: string;
}

/**
 * Objects as files of a folder: `a/b` is the file `b` in the folder `a`.
 *
 *     <name>                    objects
 *     ~unfinished/<uuid>        what is being written; left over only by a crash
 *
 * 1. A file has an object's name only once it is whole and on the disk: it is written under another name, forced to the disk, renamed;
 *    then the folder is forced to the disk.
 * 2. What a crash has left unfinished is deleted by whoever opens the folder an hour later; other instances may be writing meanwhile.
 *
 * A name that is another one's folder (`a` and `a/b`) cannot be kept.
 */
export class DirectoryObjectStore implements ClaimingStore {
  private constructor(
    private readonly directory: string,
    private readonly unfinished: string,
  ) {}

  /** @throws ObjectStoreError */
  static async open(options: DirectoryObjectStoreOptions): Promise<DirectoryObjectStore> {
    const { directory, unfinished: name = UNFINISHED } = options;
    const unfinished = join(directory, name);
    await asObjects('open', directory, async () => {
      await mkdir(unfinished, { recursive: true });
      await deleteLeftOvers(unfinished);
    });
    return new DirectoryObjectStore(directory, name);
  }

  async put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.write(name, bytes, signal, rename);
  }

  async create(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    return this.write(name, bytes, signal, async (unfinished, path) => {
      // Unlike renaming, this fails where the name is taken.
      try {
        await link(unfinished, path);
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(unfinished, { force: true });
      }
      return true;
    });
  }

  private async write<T>(
    name: string,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
    publish: (unfinished: string, path: string) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    assertObjectName(name);
    const path = join(this.directory, name);
    const unfinished = join(this.directory, this.unfinished, randomUUID());
    return asObjects('write', path, async () => {
      let published: T;
      try {
        await writeDurably(unfinished, bytes, signal);
        await makeFolder(dirname(path));
        signal?.throwIfAborted();
        published = await publish(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw signal?.aborted ? signal.reason : error;
      }
      await syncFolder(dirname(path));
      return published;
    });
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    signal?.throwIfAborted();
    assertObjectName(name);
    const path = join(this.directory, name);
    return asObjects('read', path, async () => {
      try {
        return await readFile(path, { signal });
      } catch (error) {
        signal?.throwIfAborted();
        if (isNone(error) || codeOf(error) === 'EISDIR') return null;
        throw error;
      }
    });
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    signal?.throwIfAborted();
    if (!mayBegin(prefix)) return [];
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const names: string[] = [];
    await asObjects('list', this.directory, () => this.collect(folder, prefix, names, signal));
    return names.sort();
  }

  async delete(name: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    assertObjectName(name);
    const path = join(this.directory, name);
    await asObjects('delete', path, async () => {
      try {
        await rm(path);
      } catch (error) {
        if (isNone(error) || codeOf(error) === 'ERR_FS_EISDIR') return;
        throw error;
      }
      await syncFolder(dirname(path));
    });
  }

  async close(): Promise<void> {}

  /** @param folder below the store's; empty, or with a slash at its end. */
  private async collect(
    folder: string,
    prefix: string,
    names: string[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    for (const entry of await readdir(join(this.directory, folder), { withFileTypes: true }).catch(noneIfGone)) {
      const name = `${folder}${entry.name}`;
      const path = `${name}/`;
      if (entry.isDirectory()) {
        const fits = path.startsWith(prefix) || prefix.startsWith(path);
        if (fits && name !== this.unfinished) await this.collect(path, prefix, names, signal);
      } else if (name.startsWith(prefix)) {
        names.push(name);
      }
    }
  }
}

async function writeDurably(path: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes, { signal });
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Makes a folder and those above it, durably. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** By the clock of the disk, which may be another machine's. */
async function deleteLeftOvers(folder: string): Promise<void> {
  const probe = join(folder, randomUUID());
  await (await open(probe, 'wx')).close();
  const now = (await stat(probe)).mtimeMs;
  await rm(probe);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const since = await stat(path).catch(() => undefined);
    if (since !== undefined && now - since.mtimeMs > LEFT_OVER_MS) await rm(path, { force: true });
  }
}

function isNone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}

function noneIfGone(error: unknown): never[] {
  if (isNone(error)) return [];
  throw error;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

const DENIED = ['EACCES', 'EPERM', 'EROFS'];
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];
/** Of folders on the network. */
const AWAY = ['ESTALE', 'ETIMEDOUT', 'ENOTCONN', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENODEV'];

/** Does something with `path`; what the file system says becomes the port's error. */
async function asObjects<T>(what: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof ObjectStoreError || !/^E[A-Z]+$/.test(code)) throw error;
    const options = { cause: error };
    const said = `cannot ${what} ${path} (${code})`;
    if (DENIED.includes(code)) {
      throw new ObjectStoreError('OBJECTS_DENIED', `${said}: give this user the right to write there`, options);
    }
    if (FULL.includes(code)) throw new ObjectStoreError('OBJECTS_FULL', `${said}: free space on its disk`, options);
    if (AWAY.includes(code)) {
      throw new ObjectStoreError('OBJECTS_AWAY', `${said}: see whether the folder's server can be reached`, options);
    }
    throw new ObjectStoreError('OBJECTS_IO', `${said}: ${(error as Error).message}`, options);
  }
}
