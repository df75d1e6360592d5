import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { StoreClient, StoreSession, StoreValue } from './store-client.js';

/** Statements that are kept prepared: more than the texts that one store has. */
const PREPARED_MAX = 200;

/** A database in one file, or in memory (`:memory:`). One thing is done at a time; who writes waits for the disk. */
export class SqliteClient implements StoreClient {
  readonly dialect = 'sqlite';
  private readonly database: DatabaseSync;
  private readonly prepared = new Map<string, StatementSync>();
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  /** Throws where the file cannot be made. */
  constructor(path: string) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    this.database = new DatabaseSync(path, { timeout: 5000 });
    this.database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on');
  }

  all<T extends object>(sql: string, values: readonly StoreValue[] = []): Promise<readonly T[]> {
    return this.inTurn(async () => this.run<T>(sql, values));
  }

  transaction<T>(work: (tx: StoreSession) => Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      this.database.exec('begin immediate');
      try {
        const result = await work({ all: async (sql, values = []) => this.run(sql, values) });
        this.database.exec('commit');
        return result;
      } catch (error) {
        this.database.exec('rollback');
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.inTurn(async () => {
      if (!this.closed) this.database.close();
      this.closed = true;
    });
  }

  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.last.then(act, act);
    this.last = done.catch(() => undefined);
    return done;
  }

  private run<T extends object>(sql: string, values: readonly StoreValue[]): readonly T[] {
    let statement = this.prepared.get(sql);
    if (statement === undefined) {
      if (this.prepared.size >= PREPARED_MAX) this.prepared.clear();
      statement = this.database.prepare(sql);
      this.prepared.set(sql, statement);
    }
    return statement.all(...values) as unknown as readonly T[];
  }
}
