import type { WriteBatch } from 'rocksdb-native';
import { partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import {
  type PartitionState,
  type StateBatch,
  type StateEntry,
  type StateStore,
  StateStoreError,
} from '../../runtime/ports/state-store.js';
import { Database } from './database.js';
import { stateError } from './state-errors.js';
import { StateFolder } from './state-folder.js';
import { StateKeys } from './state-keys.js';

export interface RocksStateStoreOptions {
  /** Made if it is not there. */
  readonly directory: string;
  /** Size of one of the two buffers that collect writes in memory. Default 16 MiB. */
  readonly writeBufferBytes?: number;
  /**
   * What to do with a database that is damaged. `refuse` (the default): throw `STATE_CORRUPT`. `rebuild`: put it aside, as `db-damaged`
   * in the folder, and begin empty, so that the state is taken from a checkpoint or the log.
   */
  readonly whenDamaged?: 'refuse' | 'rebuild';
  /** What was done, for people. */
  readonly report?: (text: string) => void;
}

const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const ITERATOR_CAPACITY = 256;
/** Keys put into a batch between two turns of other work. */
const SLICE = 512;

/**
 * The state port on RocksDB: one database for all partitions of a process.
 *
 * 1. A `write` is one atomic batch with its cut, in the write-ahead log before it resolves: it survives the end of the process.
 *    (The log is handed to the operating system, not forced to the disk: after a power failure the last batches may be missing,
 *    whole ones, the last first. The cut then says so, and the records from there on are replayed.)
 * 2. Writes of one partition are applied in the order of the calls.
 * 3. When a write fails, those of its partition that were asked for before that was known fail too: without the failed one they
 *    would be no consistent cut. A later one must hold what the failed one held.
 * 4. Memory is bounded: two write buffers (32 MiB), RocksDB's block cache (32 MiB, indexes and filters included), and one
 *    chunk of 256 entries for each listing.
 */
export class RocksStateStore implements StateStore {
  private readonly partitions = new Map<string, RocksPartitionState>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly database: Database,
    private readonly folder: StateFolder,
  ) {}

  /**
   * Opens the folder, or makes it.
   *
   * @throws StateStoreError `STATE_LOCKED`, `STATE_FOREIGN`, `STATE_CORRUPT`, `STATE_DISK_FULL` or `STATE_IO`.
   */
  static async open(options: RocksStateStoreOptions): Promise<RocksStateStore> {
    const { directory, writeBufferBytes = WRITE_BUFFER_BYTES, whenDamaged = 'refuse', report } = options;
    const folder = await StateFolder.prepare(directory);
    const database = await openOrRebuild(folder, writeBufferBytes, whenDamaged === 'rebuild', report);
    try {
      await folder.claim();
    } catch (error) {
      await database.close();
      throw stateError(error, directory);
    }
    return new RocksStateStore(database, folder);
  }

  async partition(partition: TopicPartition): Promise<PartitionState> {
    if (this.closing !== undefined) {
      throw new StateStoreError('STATE_IO', `the state folder ${this.folder.directory} was closed by this process`);
    }
    const name = partitionName(partition);
    const known = this.partitions.get(name);
    const state = known === undefined || known.isReleased ? new RocksPartitionState(this.database, partition) : known;
    this.partitions.set(name, state);
    return state;
  }

  /** Waits for the writes under way, ends the listings under way. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.partitions.values()].map((p) => p.settled()));
    await this.database.close();
    try {
      await this.folder.release();
    } catch (error) {
      throw stateError(error, this.folder.directory);
    }
  }
}

async function openOrRebuild(
  folder: StateFolder,
  writeBufferBytes: number,
  rebuild: boolean,
  report: RocksStateStoreOptions['report'],
): Promise<Database> {
  try {
    await folder.assertNotDamaged();
    return await Database.open(folder, writeBufferBytes);
  } catch (error) {
    if (!rebuild || !(error instanceof StateStoreError) || error.code !== 'STATE_CORRUPT') throw error;
    const aside = await folder.putAside();
    report?.(
      `the state folder ${folder.directory} is damaged: its database was put aside as ${aside} and is begun anew`,
    );
    return Database.open(folder, writeBufferBytes);
  }
}

class RocksPartitionState implements PartitionState {
  private readonly keys: StateKeys;
  private writes: Promise<void> = Promise.resolve();
  private failures = 0;
  private released: Promise<void> | null = null;

  constructor(
    private readonly database: Database,
    partition: TopicPartition,
  ) {
    this.keys = new StateKeys(partition);
  }

  get isReleased(): boolean {
    return this.released !== null;
  }

  cut(): Promise<Uint8Array | null> {
    return this.database.read((db) => db.get(this.keys.cut));
  }

  entries(): AsyncIterable<StateEntry> {
    const { entriesBegin, end } = this.keys;
    const range = { gte: entriesBegin, lt: end, capacity: ITERATOR_CAPACITY };
    return this.database.list(range, (stored) => this.keys.keyOf(stored));
  }

  write({ cut, puts, deletes }: StateBatch): Promise<void> {
    return this.inOrder(
      async (batch) => {
        let count = 0;
        for (const key of deletes) {
          batch.tryDelete(this.keys.entry(key));
          if (++count % SLICE === 0) await turn();
        }
        for (const { key, value } of puts) {
          batch.tryPut(this.keys.entry(key), value);
          if (++count % SLICE === 0) await turn();
        }
        batch.tryPut(this.keys.cut, cut);
      },
      puts.length + deletes.length + 1,
    );
  }

  clear(): Promise<void> {
    return this.inOrder(async (batch) => batch.tryDeleteRange(this.keys.cut, this.keys.end), 1);
  }

  /** Waits for the writes under way; no more are taken. */
  release(): Promise<void> {
    this.released ??= this.settled();
    return this.released;
  }

  async settled(): Promise<void> {
    await this.writes;
  }

  private async inOrder(fill: (batch: WriteBatch) => Promise<void>, operations: number): Promise<void> {
    if (this.released !== null) throw new StateStoreError('STATE_IO', 'the partition was given up');
    const { failures } = this;
    const written = this.writes.then(() => this.apply(fill, operations, failures));
    this.writes = written.catch(() => {
      this.failures++;
    });
    await written;
  }

  private async apply(fill: (batch: WriteBatch) => Promise<void>, operations: number, failures: number): Promise<void> {
    if (failures !== this.failures) {
      throw new StateStoreError('STATE_IO', 'a batch before this one failed');
    }
    await this.database.write(async (db) => {
      const batch = db.write({ autoDestroy: true, capacity: operations });
      await fill(batch);
      await batch.flush();
    });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
