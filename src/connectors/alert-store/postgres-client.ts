import type { SqlDatabase, SqlSession } from '../sql/sql-database.js';
import type { StoreClient, StoreSession, StoreValue } from './store-client.js';

/** A PostgreSQL database, which other instances use as well. */
export class PostgresClient implements StoreClient {
  readonly dialect = 'postgres';

  constructor(private readonly database: SqlDatabase) {}

  all<T extends object>(text: string, values: readonly StoreValue[] = []): Promise<readonly T[]> {
    return sessionOn(this.database).all<T>(text, values);
  }

  transaction<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    return this.database.transaction((session) => work(sessionOn(session)));
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

const sessionOn = (session: SqlSession): StoreSession => ({
  all: async <T extends object>(text: string, values: readonly StoreValue[] = []) =>
    (await session.query(numbered(text), values)).rows as readonly T[],
});

/** None of the store's texts has a question mark of another meaning. */
function numbered(text: string): string {
  let n = 0;
  return text.replace(/\?/g, () => `$${++n}`);
}
