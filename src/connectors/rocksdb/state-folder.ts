import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StateStoreError } from '../../runtime/ports/state-store.js';
import { stateError } from './state-errors.js';

const MARKER = 'stakeout-state.json';
const OWNER = 'owner.json';
const DAMAGED = 'damaged.txt';
const PUT_ASIDE = 'db-damaged';
const FORMAT = 'stakeout-state';
/** Rises when folders written by older versions can no longer be read. */
const VERSION = 1;

/**
 * The folder of a state store:
 *
 *     stakeout-state.json   {"format": "stakeout-state", "version": 1}: written first, says that the folder is ours
 *     owner.json            {"pid": …}: who has it open; for messages only, RocksDB's own lock decides
 *     db/                   the database
 *     damaged.txt           what was found to be damaged while it was in use
 *     db-damaged/           a damaged database that was put aside; can be deleted
 */
export class StateFolder {
  readonly database: string;

  private constructor(readonly directory: string) {
    this.database = join(directory, 'db');
  }

  /**
   * Makes the folder, or makes sure that it is one of ours.
   *
   * @throws StateStoreError `STATE_FOREIGN` when something else is in it, or a format that this version does not know.
   */
  static async prepare(directory: string): Promise<StateFolder> {
    try {
      await mkdir(directory, { recursive: true });
      const names = await readdir(directory);
      if (names.includes(MARKER)) {
        checkMarker(directory, await readFile(join(directory, MARKER), 'utf8'));
      } else if (names.some((name) => name !== `${MARKER}.tmp` && name !== 'lost+found')) {
        throw foreign(directory, `it has no ${MARKER} but other files (${names.slice(0, 3).join(', ')})`);
      } else {
        await writeMarker(directory);
      }
    } catch (error) {
      throw stateError(error, directory);
    }
    return new StateFolder(directory);
  }

  /** @throws StateStoreError `STATE_CORRUPT` when damage was found before. */
  async assertNotDamaged(): Promise<void> {
    // Hardly ever there.
    const found = await readFile(join(this.directory, DAMAGED), 'utf8').catch(() => null);
    if (found !== null) throw new StateStoreError('STATE_CORRUPT', found);
  }

  /** The next start is to know. */
  async markDamaged(message: string): Promise<void> {
    // It is in use: who cannot write here has reported that already.
    await writeFile(join(this.directory, DAMAGED), message).catch(() => {});
  }

  /** Moves the database out of the way, in the place of an earlier one; answers where it is now. */
  async putAside(): Promise<string> {
    const aside = join(this.directory, PUT_ASIDE);
    try {
      await rm(aside, { recursive: true, force: true });
      await rename(this.database, aside);
      await rm(join(this.directory, DAMAGED), { force: true });
    } catch (error) {
      throw stateError(error, this.directory);
    }
    return aside;
  }

  async claim(): Promise<void> {
    await writeFile(join(this.directory, OWNER), JSON.stringify({ pid: process.pid }));
  }

  async release(): Promise<void> {
    await rm(join(this.directory, OWNER), { force: true });
  }

  /** Process id of whoever opened the folder last, if it says so. */
  async owner(): Promise<number | undefined> {
    try {
      const content: unknown = JSON.parse(await readFile(join(this.directory, OWNER), 'utf8'));
      return isRecord(content) && typeof content.pid === 'number' ? content.pid : undefined;
    } catch {
      return undefined;
    }
  }
}

async function writeMarker(directory: string): Promise<void> {
  const temporary = join(directory, `${MARKER}.tmp`);
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, version: VERSION })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, MARKER));
}

function checkMarker(directory: string, content: string): void {
  let marker: unknown;
  try {
    marker = JSON.parse(content);
  } catch {
    throw foreign(directory, `${MARKER} is not JSON`);
  }
  if (!isRecord(marker) || marker.format !== FORMAT) {
    throw foreign(directory, `${MARKER} is not one of ours`);
  }
  if (marker.version !== VERSION) {
    throw foreign(directory, `its format is version ${String(marker.version)}, this program knows version ${VERSION}`);
  }
}

function foreign(directory: string, why: string): StateStoreError {
  return new StateStoreError(
    'STATE_FOREIGN',
    `${directory} is not a state folder that can be used: ${why}. Name another folder, or an empty one.`,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
