import { statfs } from 'node:fs/promises';
import RocksDB, { type Iterator, type Range } from 'rocksdb-native';
import { type StateEntry, StateStoreError } from '../../runtime/ports/state-store.js';
import { stateError } from './state-errors.js';
import type { StateFolder } from './state-folder.js';

/** Bounds the memory for indexes and filters of open table files. */
const OPEN_FILES_MAX = 256;
/** Opening again writes: the log that is left becomes a table. */
const FREE_BYTES_MIN = 64 * 1024 * 1024;

/**
 * The database of a state folder.
 *
 * RocksDB takes no more writes once one has failed (a full disk, mostly). It is then closed and opened again before the next one, if
 * there is space by now: what had resolved is there, and work goes on without a restart. Until then it can be read.
 *
 * Invariants
 * 1. It is closed only when nothing uses it: listings are ended first, with an error, and never as if they were at their end.
 * 2. Damage that is found stands in the folder, so that the next start knows.
 */
export class Database {
  private db: RocksDB | null = null;
  private failure: StateStoreError | null = null;
  private users = 0;
  private onIdle: () => void = () => undefined;
  private reopening: Promise<void> | null = null;
  private closing: Promise<void> | null = null;
  private readonly listings = new Set<Iterator>();

  private constructor(
    private readonly folder: StateFolder,
    private readonly writeBufferBytes: number,
  ) {}

  /** @throws StateStoreError */
  static async open(folder: StateFolder, writeBufferBytes: number): Promise<Database> {
    const database = new Database(folder, writeBufferBytes);
    await database.openDb();
    return database;
  }

  read<T>(act: (db: RocksDB) => Promise<T>): Promise<T> {
    return this.use(act);
  }

  /** After a failure the next one opens the database again, or fails likewise. */
  async write(act: (db: RocksDB) => Promise<void>): Promise<void> {
    if (this.failure !== null) await this.reopen(this.failure);
    try {
      await this.use(act);
    } catch (error) {
      this.failure ??= error as StateStoreError;
      throw error;
    }
  }

  /** Entries as they are when the first is read. */
  async *list(range: Range, keyOf: (stored: Buffer) => Buffer): AsyncGenerator<StateEntry> {
    const listing = await this.use(async (db) => db.iterator(range));
    this.listings.add(listing);
    let wasEnded = false;
    try {
      for await (const { key, value } of listing) yield { key: keyOf(key), value };
    } catch (error) {
      if (this.listings.has(listing)) throw await this.known(error);
    } finally {
      wasEnded = !this.listings.delete(listing);
    }
    // From outside: it may look as if it were at its end.
    if (wasEnded) throw this.endedError();
  }

  /** Waits for what is under way, ends listings. */
  close(): Promise<void> {
    this.closing ??= this.reopenedOrNot().then(() => this.closeDb());
    return this.closing;
  }

  private async use<T>(act: (db: RocksDB) => Promise<T>): Promise<T> {
    await this.reopenedOrNot();
    if (this.closing !== null) throw this.endedError();
    if (this.db === null) await this.reopen(this.failure!);
    this.users++;
    try {
      return await act(this.db!);
    } catch (error) {
      throw await this.known(error);
    } finally {
      if (--this.users === 0) this.onIdle();
    }
  }

  private async openDb(): Promise<void> {
    const db = new RocksDB(this.folder.database, {
      writeBufferSize: this.writeBufferBytes,
      maxWriteBufferNumber: 2,
      maxOpenFiles: OPEN_FILES_MAX,
      maxBackgroundJobs: 2,
    });
    try {
      await db.ready();
    } catch (error) {
      throw stateError(error, this.folder.directory, await this.folder.owner());
    }
    this.db = db;
  }

  private reopen(failure: StateStoreError): Promise<void> {
    this.reopening ??= this.openAgain(failure).finally(() => {
      this.reopening = null;
    });
    return this.reopening;
  }

  private async openAgain(failure: StateStoreError): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder.directory);
    if (failure.code === 'STATE_CORRUPT' || bavail * bsize < FREE_BYTES_MIN) throw failure;
    await this.closeDb();
    await this.openDb();
    this.failure = null;
  }

  private async closeDb(): Promise<void> {
    const { db } = this;
    for (const listing of this.listings) listing.destroy();
    this.listings.clear();
    while (this.users > 0) {
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
      });
    }
    this.db = null;
    try {
      await db?.close();
    } catch (error) {
      throw stateError(error, this.folder.directory);
    }
  }

  /** Whoever opens it again gets the error. */
  private async reopenedOrNot(): Promise<void> {
    await this.reopening?.catch(() => undefined);
  }

  private async known(error: unknown): Promise<StateStoreError> {
    const known = stateError(error, this.folder.directory);
    if (known.code === 'STATE_CORRUPT') await this.folder.markDamaged(known.message);
    return known;
  }

  private endedError(): StateStoreError {
    const how = this.closing === null ? 'opened again' : 'closed';
    return new StateStoreError('STATE_IO', `the state folder ${this.folder.directory} was ${how} by this process`);
  }
}
