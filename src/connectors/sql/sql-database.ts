import type { SqlPlace } from './sql-error.js';

export type SqlDialect = 'postgres' | 'mysql';

export interface SqlTls {
  /** PEM text of the authorities to trust. Default: those of Node.js. */
  readonly ca?: string | undefined;
  /** PEM text of our own certificate and its key, for a server that asks for one. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Refuse a server whose certificate does not hold. Default true. */
  readonly verify?: boolean | undefined;
}

export interface SqlOptions {
  /** `postgres://` (or `postgresql://`), `mysql://` (or `mariadb://`), with user, password, database. */
  readonly url: string;
  /** Absent: no TLS, unless the parameters of a PostgreSQL URL ask for it (`?sslmode=verify-full`). */
  readonly tls?: SqlTls;
  /** Longest wait for a connection, and for the answer to one statement. Default 10,000. */
  readonly timeoutMs?: number;
  /** Connections at most; each is made when it is needed and let go of when it was idle for a while. Default 4. */
  readonly connectionsMax?: number;
  /** Shown by the server beside our connections. Default `stakeout`. */
  readonly applicationName?: string;
}

export type SqlRow = Readonly<Record<string, unknown>>;

/** What a statement did. */
export interface SqlResult {
  readonly rows: readonly SqlRow[];
  /** Rows that it changed, or gave back. */
  readonly count: number;
}

/** Runs statements. Values go beside the text, as `$1 …` (PostgreSQL) or `?` (MySQL): see `SqlDatabase.placeholder`. */
export interface SqlSession {
  /** Throws `SqlError`. */
  query(text: string, values?: readonly unknown[]): Promise<SqlResult>;
}

/** What the values of a column are, as far as rules care. */
export type SqlType = 'integer' | 'number' | 'boolean' | 'time' | 'text';

export interface SqlColumn {
  readonly name: string;
  readonly type: SqlType;
}

/** Rows as texts, exactly as the database has them: nothing is rounded, times are in UTC, flags are `true` and `false`. */
export interface SqlPage {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Rows of a page of `scan`, at most. */
export const PAGE_ROWS = 5_000;

/**
 * A pool of connections. Nothing is connected before the first statement, and a connection that broke is replaced by the next
 * one: a server that was away needs no restart here.
 */
export interface SqlDatabase extends SqlSession {
  readonly dialect: SqlDialect;
  readonly at: SqlPlace;
  /** How the nth value, from 1, stands in a statement. */
  placeholder(n: number): string;
  /** A name of a table or column, quoted. Dots part schema and table. */
  name(name: string): string;
  /** Runs `work` in one transaction, rolled back when it throws. Throws `SqlError`, and what `work` throws. */
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** Rows one by one, read in portions, for results that must not be in memory at once. Throws `SqlError`. */
  stream(text: string, values?: readonly unknown[]): AsyncIterable<SqlRow>;
  /**
   * The rows of a query as texts, in pages, all as of one moment, however many there are. There is one page at least, for the columns.
   * Throws `SqlError`, and what `signal` was aborted with.
   */
  scan(text: string, values: readonly unknown[], signal: AbortSignal): AsyncIterable<SqlPage>;
  /** Waits for nothing that is under way. */
  close(): Promise<void>;
}
