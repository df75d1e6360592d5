import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { StoreValue } from './store-client.js';

/** Statements that are kept prepared: more than the texts that one store has. */
const PREPARED_MAX = 200;

/** A connection to a database in one file, or in memory (`:memory:`), in the thread that calls. */
export class SqliteConnection {
  private readonly database: DatabaseSync;
  private readonly prepared = new Map<string, StatementSync>();

  /** Throws where the file cannot be made or opened. */
  constructor(path: string) {
    this.database = new DatabaseSync(path, { timeout: 5000 });
    this.database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on');
  }

  run(sql: string, values: readonly StoreValue[]): readonly object[] {
    let statement = this.prepared.get(sql);
    if (statement === undefined) {
      if (this.prepared.size >= PREPARED_MAX) this.prepared.clear();
      statement = this.database.prepare(sql);
      this.prepared.set(sql, statement);
    }
    return statement.all(...values) as readonly object[];
  }

  close(): void {
    this.database.close();
  }
}

/** What a thread with a connection is started with. */
export interface SqliteThreadData {
  readonly sqlitePath: string;
}

/** `null`: close it, and end. */
export type ToSqlite = { readonly id: number; readonly sql: string; readonly values: readonly StoreValue[] } | null;

/** Of id -1: it is open, or cannot be opened. */
export type FromSqlite =
  | { readonly id: number; readonly rows: readonly object[] }
  | { readonly id: number; readonly error: string };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function serve(path: string, port: MessagePort): void {
  const answer = (id: number, act: () => readonly object[]): void => {
    let message: FromSqlite;
    try {
      message = { id, rows: act() };
    } catch (error) {
      message = { id, error: messageOf(error) };
    }
    port.postMessage(message);
  };
  let connection: SqliteConnection | null = null;
  port.on('message', (asked: ToSqlite) => {
    if (asked !== null) return answer(asked.id, () => connection!.run(asked.sql, asked.values));
    connection?.close();
    port.close();
  });
  answer(-1, () => {
    connection = new SqliteConnection(path);
    return [];
  });
}

// This file is loaded by others as well, also in threads that are none of these.
const given = workerData as SqliteThreadData | null | undefined;
if (parentPort !== null && typeof given?.sqlitePath === 'string') serve(given.sqlitePath, parentPort);
