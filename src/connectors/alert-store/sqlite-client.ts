import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SqliteInThread } from './sqlite-in-thread.js';
import { SqliteConnection } from './sqlite-thread.js';
import type { StoreClient, StoreSession, StoreValue } from './store-client.js';

interface Connection {
  run(sql: string, values: readonly StoreValue[]): readonly object[] | Promise<readonly object[]>;
  close(): void | Promise<void>;
}

/** Where a connection is got for what is asked next, all of which is asked of that one. */
interface Connections {
  get(): Promise<Connection>;
  close(): void | Promise<void>;
}

/** A connection in a thread, and another one once that has died. What was asked of it then has failed, and the database took none of its transaction. */
class InThread implements Connections {
  private now: Promise<SqliteInThread>;

  constructor(private readonly path: string) {
    this.now = this.open();
  }

  async get(): Promise<SqliteInThread> {
    const { now } = this;
    const thread = await now.catch(() => null);
    if (thread?.isOver === false) return thread;
    // Someone else may have opened it meanwhile.
    if (this.now === now) this.now = this.open();
    return this.now;
  }

  private open(): Promise<SqliteInThread> {
    const opened = SqliteInThread.open(this.path);
    // Told to who asks next.
    opened.catch(() => undefined);
    return opened;
  }

  async close(): Promise<void> {
    await (await this.now.catch(() => null))?.close();
  }
}

/**
 * SQLite. Who writes waits for those before, and for the disk. Of a file, both is in threads of their own: what takes long there (a search in the
 * texts of all alerts) holds up neither the main thread nor what is written meanwhile.
 */
export class SqliteClient implements StoreClient {
  readonly dialect = 'sqlite';
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  /** `reader`: for what only reads, beside what is written; `null`: there is none. */
  private constructor(
    private readonly writer: Connections,
    private readonly reader: Connections | null,
  ) {}

  /** Gone with the client. */
  static inMemory(): SqliteClient {
    const connection = new SqliteConnection(':memory:');
    return new SqliteClient({ get: async () => connection, close: () => connection.close() }, null);
  }

  /** Rejects where the file cannot be made. */
  static async ofFile(path: string): Promise<SqliteClient> {
    mkdirSync(dirname(path), { recursive: true });
    const writer = new InThread(path);
    await writer.get();
    const reader = new InThread(path);
    await reader.get();
    return new SqliteClient(writer, reader);
  }

  async all<T extends object>(sql: string, values: readonly StoreValue[] = []): Promise<readonly T[]> {
    const { reader, writer } = this;
    const isRead = reader !== null && /^\s*select\b/i.test(sql);
    const run = async (from: Connections) => (await from.get()).run(sql, values);
    return (isRead ? await run(reader) : await this.inTurn(() => run(writer))) as readonly T[];
  }

  transaction<T>(work: (tx: StoreSession) => Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      const writer = await this.writer.get();
      await writer.run('begin immediate', []);
      try {
        const result = await work({ all: async (sql, values = []) => (await writer.run(sql, values)) as never });
        await writer.run('commit', []);
        return result;
      } catch (error) {
        await writer.run('rollback', []);
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.inTurn(async () => {
      if (this.closed) return;
      this.closed = true;
      await this.reader?.close();
      await this.writer.close();
    });
  }

  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.last.then(act, act);
    this.last = done.catch(() => undefined);
    return done;
  }
}
