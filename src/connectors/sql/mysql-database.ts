import type { Readable } from 'node:stream';
import type { Connection, FieldPacket, Query } from 'mysql2';
import { createPool, type Pool, type PoolConnection, type QueryResult } from 'mysql2/promise';
import { columnOfMysql, exactText } from './mysql-texts.js';
import { placeOf } from './place.js';
import {
  PAGE_ROWS,
  type SqlColumn,
  type SqlDatabase,
  type SqlOptions,
  type SqlPage,
  type SqlResult,
  type SqlRow,
  type SqlSession,
} from './sql-database.js';
import { networkError, type SqlErrorCode, SqlErrors, type SqlPlace } from './sql-error.js';

const IDLE_MS = 30_000;

/** MySQL 8 and MariaDB 10.5 or newer. Times go and come in UTC; large whole numbers come as text. */
export class MySqlDatabase implements SqlDatabase {
  readonly dialect = 'mysql';
  readonly at: SqlPlace;
  private readonly pool: Pool;
  private readonly timeoutMs: number;
  private readonly errors: SqlErrors;

  constructor({ url, tls, timeoutMs = 10_000, connectionsMax = 4, applicationName = 'stakeout' }: SqlOptions) {
    this.at = placeOf(url, 'MySQL', { port: 3306 });
    this.errors = new SqlErrors(this.at, codeOf);
    this.timeoutMs = timeoutMs;
    const { hostname, port, password } = new URL(url);
    this.pool = createPool({
      host: hostname,
      port: Number(port || 3306),
      user: this.at.user,
      password: decodeURIComponent(password),
      database: this.at.database,
      connectTimeout: timeoutMs,
      connectionLimit: connectionsMax,
      maxIdle: connectionsMax,
      idleTimeout: IDLE_MS,
      timezone: 'Z',
      charset: 'utf8mb4',
      supportBigNumbers: true,
      connectAttributes: { program_name: applicationName },
      ...(tls === undefined
        ? {}
        : { ssl: { ca: tls.ca, cert: tls.certificate, key: tls.key, rejectUnauthorized: tls.verify ?? true } }),
    });
  }

  placeholder(): string {
    return '?';
  }

  name(name: string): string {
    return name
      .split('.')
      .map((part) => `\`${part.replaceAll('`', '``')}\``)
      .join('.');
  }

  query(text: string, values: readonly unknown[] = []): Promise<SqlResult> {
    return this.withConnection((connection) => this.run(connection, text, values));
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.withConnection(async (connection) => {
      await connection.query('START TRANSACTION');
      const result = await work({
        query: (text, values = []) => this.errors.during(() => this.run(connection, text, values)),
      });
      await connection.query('COMMIT');
      return result;
    });
  }

  async *stream(text: string, values: readonly unknown[] = []): AsyncIterable<SqlRow> {
    const connection = await this.errors.during(() => this.pool.getConnection());
    let isWhole = false;
    try {
      // The promised form of the connection has no streams; that which it wraps does.
      const wrapped = connection.connection as unknown as Connection;
      yield* streamOf(wrapped, wrapped.query(text, [...values] as never), {}) as AsyncIterable<SqlRow>;
      isWhole = true;
    } catch (error) {
      throw this.errors.explain(error);
    } finally {
      // Rows that nobody took are still on their way.
      if (isWhole) connection.release();
      else discard(connection);
    }
  }

  async *scan(text: string, values: readonly unknown[], signal: AbortSignal): AsyncIterable<SqlPage> {
    signal.throwIfAborted();
    const connection = await this.errors.during(() => this.pool.getConnection());
    let isWhole = false;
    // What was asked is not waited for. A connection that is only closed would never say so to a query that waits.
    const abandon = (): void => socketOf(connection).destroy();
    signal.addEventListener('abort', abandon);
    try {
      signal.throwIfAborted();
      // TIMESTAMP is told in UTC then; DATETIME has no zone, and is taken for UTC.
      await connection.query("SET time_zone = '+00:00'");
      yield* this.pages(connection.connection as unknown as Connection, text, values, signal);
      isWhole = true;
    } catch (error) {
      signal.throwIfAborted();
      throw this.errors.explain(error);
    } finally {
      signal.removeEventListener('abort', abandon);
      if (isWhole) connection.release();
      else discard(connection);
    }
  }

  /** One statement sees one moment. Rows that are not taken yet wait in the server. */
  private async *pages(
    connection: Connection,
    sql: string,
    values: readonly unknown[],
    signal: AbortSignal,
  ): AsyncIterable<SqlPage> {
    let columns: readonly SqlColumn[] = [];
    const query = connection.query({ sql, values: [...values] as never, rowsAsArray: true, typeCast: exactText });
    query.on('fields', (fields: unknown) => {
      columns = (fields as readonly FieldPacket[]).map(columnOfMysql);
    });
    let rows: (string | null)[][] = [];
    let isFirst = true;
    for await (const row of streamOf(connection, query, { highWaterMark: PAGE_ROWS })) {
      rows.push(row as (string | null)[]);
      if (rows.length < PAGE_ROWS) continue;
      yield { columns, rows };
      signal.throwIfAborted();
      isFirst = false;
      rows = [];
    }
    if (rows.length > 0 || isFirst) yield { columns, rows };
    signal.throwIfAborted();
  }

  async close(): Promise<void> {
    if (this.errors.isClosed) return;
    this.errors.isClosed = true;
    await this.pool.end();
  }

  private async run(connection: PoolConnection, sql: string, values: readonly unknown[]): Promise<SqlResult> {
    const [result] = await connection.query<QueryResult>({ sql, values: [...values], timeout: this.timeoutMs });
    if (Array.isArray(result)) return { rows: result as SqlRow[], count: result.length };
    return { rows: [], count: result.affectedRows };
  }

  /** A connection whose work failed is not used again: what state it is in, nobody knows. The server rolls it back. */
  private async withConnection<T>(work: (connection: PoolConnection) => Promise<T>): Promise<T> {
    const connection = await this.errors.during(() => this.pool.getConnection());
    try {
      const result = await work(connection);
      connection.release();
      return result;
    } catch (error) {
      connection.destroy();
      throw this.errors.explain(error);
    }
  }
}

type StreamOptions = NonNullable<Parameters<Query['stream']>[0]>;

/** Rows of a query. By itself its stream would wait for ever where the connection is lost: that is told to the connection alone. */
function streamOf(connection: Connection, query: Query, options: StreamOptions): Readable {
  const rows = query.stream(options);
  const fail = (error: Error): unknown => rows.destroy(error);
  connection.on('error', fail);
  rows.once('close', () => connection.off('error', fail));
  return rows;
}

const socketOf = (connection: PoolConnection): { destroy(): void } =>
  (connection.connection as unknown as { stream: { destroy(): void } }).stream;

/** Of a connection that no query waits for. `destroy` of the library only says that nothing more will be asked. */
function discard(connection: PoolConnection): void {
  connection.destroy();
  socketOf(connection).destroy();
}

/** By number, of MySQL's server error reference; MariaDB has the same ones. */
const codes: Readonly<Record<number, SqlErrorCode>> = {
  1040: 'SQL_UNAVAILABLE', // too many connections
  1053: 'SQL_UNAVAILABLE', // shutdown in progress
  1203: 'SQL_UNAVAILABLE', // too many connections of the user
  1205: 'SQL_CONFLICT', // lock wait timeout
  1213: 'SQL_CONFLICT', // deadlock
  1290: 'SQL_UNAVAILABLE', // read-only, as a replica is until it is promoted
  1836: 'SQL_UNAVAILABLE', // read-only mode
  1021: 'SQL_UNAVAILABLE', // disk full
  1114: 'SQL_UNAVAILABLE', // table full
  1044: 'SQL_LOGIN',
  1045: 'SQL_LOGIN',
  1049: 'SQL_LOGIN',
  1698: 'SQL_LOGIN',
  3159: 'SQL_TLS', // the server wants TLS
  1969: 'SQL_TIMEOUT',
  3024: 'SQL_TIMEOUT',
  1048: 'SQL_VALUE',
  1062: 'SQL_VALUE',
  1153: 'SQL_VALUE', // larger than max_allowed_packet
  1264: 'SQL_VALUE',
  1292: 'SQL_VALUE',
  1366: 'SQL_VALUE',
  1406: 'SQL_VALUE',
  1452: 'SQL_VALUE',
  3140: 'SQL_VALUE', // not JSON
  4025: 'SQL_VALUE', // a check of the table
};

function codeOf(error: unknown): SqlErrorCode | null {
  const {
    errno,
    sqlState,
    code = '',
    message = '',
  } = (error ?? {}) as Partial<Error & { errno: number; sqlState: string; code: string }>;
  if (sqlState !== undefined && errno !== undefined) return codes[errno] ?? 'SQL_REFUSED';
  if (code === 'PROTOCOL_SEQUENCE_TIMEOUT') return 'SQL_TIMEOUT';
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'SQL_TLS';
  const network = networkError(error);
  if (network !== null) return network;
  if (code.startsWith('PROTOCOL_') || /closed state|Connection lost/i.test(message)) return 'SQL_UNAVAILABLE';
  return null;
}
