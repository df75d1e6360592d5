import RocksDB, { type Iterator, type WriteBatch } from 'rocksdb-native';
import { partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import {
  type PartitionState,
  type StateBatch,
  type StateEntry,
  type StateStore,
  StateStoreError,
} from '../../runtime/ports/state-store.js';
import { stateError } from './state-errors.js';
import { StateFolder } from './state-folder.js';
import { StateKeys } from './state-keys.js';

export interface RocksStateStoreOptions {
  /** Made if it is not there. */
  readonly directory: string;
  /** Size of one of the two buffers that collect writes in memory. Default 16 MiB. */
  readonly writeBufferBytes?: number;
}

const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
/** Bounds the memory for indexes and filters of open table files. */
const OPEN_FILES_MAX = 256;
const ITERATOR_CAPACITY = 256;

/**
 * The state port on RocksDB: one database for all partitions of a process.
 *
 * 1. A `write` is one atomic batch with its cut, in the write-ahead log before it resolves: it survives the end of the process.
 *    (The log is handed to the operating system, not forced to the disk: after a power failure the last batches may be missing,
 *    whole ones, the last first. The cut then says so, and the records from there on are replayed.)
 * 2. Writes of one partition are applied in the order of the calls.
 * 3. After a write has failed, its partition takes no more writes until the store is opened again: a later batch without the
 *    failed one would be no consistent cut.
 * 4. Memory is bounded: two write buffers (32 MiB), RocksDB's block cache (32 MiB, indexes and filters included), and one
 *    chunk of 256 entries for each listing.
 */
export class RocksStateStore implements StateStore {
  private readonly partitions = new Map<string, RocksPartitionState>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly db: RocksDB,
    private readonly folder: StateFolder,
  ) {}

  /**
   * Opens the folder, or makes it.
   *
   * @throws StateStoreError `STATE_LOCKED`, `STATE_FOREIGN`, `STATE_CORRUPT`, `STATE_DISK_FULL` or `STATE_IO`.
   */
  static async open(options: RocksStateStoreOptions): Promise<RocksStateStore> {
    const folder = await StateFolder.prepare(options.directory);
    try {
      const db = new RocksDB(folder.database, {
        writeBufferSize: options.writeBufferBytes ?? WRITE_BUFFER_BYTES,
        maxWriteBufferNumber: 2,
        maxOpenFiles: OPEN_FILES_MAX,
        maxBackgroundJobs: 2,
      });
      await db.ready();
      await folder.claim();
      return new RocksStateStore(db, folder);
    } catch (error) {
      throw stateError(error, folder.directory, await folder.owner());
    }
  }

  async partition(partition: TopicPartition): Promise<PartitionState> {
    if (this.closing !== undefined) {
      throw closedError(this.folder.directory);
    }
    const name = partitionName(partition);
    const state = this.partitions.get(name) ?? new RocksPartitionState(this.db, partition, this.folder.directory);
    this.partitions.set(name, state);
    return state;
  }

  /** Waits for the writes under way, ends the listings under way. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.partitions.values()].map((p) => p.close()));
    try {
      await this.db.close();
      await this.folder.release();
    } catch (error) {
      throw stateError(error, this.folder.directory);
    }
  }
}

class RocksPartitionState implements PartitionState {
  private readonly keys: StateKeys;
  private readonly listings = new Set<Iterator>();
  private writes: Promise<void> = Promise.resolve();
  private failure: StateStoreError | undefined;
  private closed = false;

  constructor(
    private readonly db: RocksDB,
    partition: TopicPartition,
    private readonly directory: string,
  ) {
    this.keys = new StateKeys(partition);
  }

  async cut(): Promise<Uint8Array | null> {
    this.assertOpen();
    try {
      return await this.db.get(this.keys.cut);
    } catch (error) {
      throw stateError(error, this.directory);
    }
  }

  async *entries(): AsyncIterable<StateEntry> {
    this.assertOpen();
    const { entriesBegin, end } = this.keys;
    const listing = this.db.iterator({ gte: entriesBegin, lt: end, capacity: ITERATOR_CAPACITY });
    this.listings.add(listing);
    try {
      for await (const { key, value } of listing) {
        yield { key: this.keys.keyOf(key), value };
      }
    } catch (error) {
      throw this.closed ? closedError(this.directory) : stateError(error, this.directory);
    } finally {
      this.listings.delete(listing);
    }
  }

  write({ cut, puts, deletes }: StateBatch): Promise<void> {
    return this.inOrder(
      (batch) => {
        for (const key of deletes) {
          batch.tryDelete(this.keys.entry(key));
        }
        for (const { key, value } of puts) {
          batch.tryPut(this.keys.entry(key), value);
        }
        batch.tryPut(this.keys.cut, cut);
      },
      puts.length + deletes.length + 1,
    );
  }

  clear(): Promise<void> {
    return this.inOrder((batch) => batch.tryDeleteRange(this.keys.cut, this.keys.end), 1);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.writes;
    for (const listing of this.listings) {
      listing.destroy();
    }
  }

  private async inOrder(fill: (batch: WriteBatch) => void, operations: number): Promise<void> {
    this.assertOpen();
    const written = this.writes.then(() => this.apply(fill, operations));
    this.writes = written.catch(() => {});
    await written;
  }

  private async apply(fill: (batch: WriteBatch) => void, operations: number): Promise<void> {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    try {
      const batch = this.db.write({ autoDestroy: true, capacity: operations });
      fill(batch);
      await batch.flush();
    } catch (error) {
      this.failure = stateError(error, this.directory);
      throw this.failure;
    }
  }

  private assertOpen(): void {
    if (this.closed) {
      throw closedError(this.directory);
    }
  }
}

function closedError(directory: string): StateStoreError {
  return new StateStoreError('STATE_IO', `the state folder ${directory} was closed by this process`);
}
