import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SqliteInThread } from './sqlite-in-thread.js';
import { SqliteConnection } from './sqlite-thread.js';
import type { StoreClient, StoreSession, StoreValue } from './store-client.js';

interface Connection {
  run(sql: string, values: readonly StoreValue[]): readonly object[] | Promise<readonly object[]>;
  close(): void | Promise<void>;
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
    private readonly writer: Connection,
    private readonly reader: Connection | null,
  ) {}

  /** Gone with the client. */
  static inMemory(): SqliteClient {
    return new SqliteClient(new SqliteConnection(':memory:'), null);
  }

  /** Rejects where the file cannot be made. */
  static async ofFile(path: string): Promise<SqliteClient> {
    mkdirSync(dirname(path), { recursive: true });
    const writer = await SqliteInThread.open(path);
    return new SqliteClient(writer, await SqliteInThread.open(path));
  }

  async all<T extends object>(sql: string, values: readonly StoreValue[] = []): Promise<readonly T[]> {
    const { reader, writer } = this;
    const isRead = reader !== null && /^\s*select\b/i.test(sql);
    const rows = isRead ? await reader.run(sql, values) : await this.inTurn(async () => writer.run(sql, values));
    return rows as readonly T[];
  }

  transaction<T>(work: (tx: StoreSession) => Promise<T>): Promise<T> {
    const { writer } = this;
    return this.inTurn(async () => {
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
