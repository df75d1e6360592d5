import pg from 'pg';
import { placeOf } from './place.js';
import { exactTexts, typeOfPostgres } from './postgres-texts.js';
import {
  PAGE_ROWS,
  type SqlDatabase,
  type SqlOptions,
  type SqlPage,
  type SqlResult,
  type SqlRow,
  type SqlSession,
} from './sql-database.js';
import { networkError, type SqlErrorCode, SqlErrors, type SqlPlace } from './sql-error.js';

const ROWS_AT_ONCE = 1_000;
const IDLE_MS = 30_000;

export class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres';
  readonly at: SqlPlace;
  private readonly pool: pg.Pool;
  private readonly errors: SqlErrors;

  constructor({ url, tls, timeoutMs = 10_000, connectionsMax = 4, applicationName = 'stakeout' }: SqlOptions) {
    this.at = placeOf(url, 'PostgreSQL', { port: 5432 });
    this.errors = new SqlErrors(this.at, codeOf);
    this.pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: timeoutMs,
      // The server's own limit comes first, so that it does not go on with what nobody waits for.
      statement_timeout: timeoutMs,
      query_timeout: timeoutMs + 1_000,
      application_name: applicationName,
      keepAlive: true,
      ...(tls === undefined
        ? {}
        : { ssl: { ca: tls.ca, cert: tls.certificate, key: tls.key, rejectUnauthorized: tls.verify ?? true } }),
    });
    // A connection that breaks while idle: the next statement makes another one.
    this.pool.on('error', () => undefined);
  }

  placeholder(n: number): string {
    return `$${n}`;
  }

  name(name: string): string {
    return name
      .split('.')
      .map((part) => `"${part.replaceAll('"', '""')}"`)
      .join('.');
  }

  query(text: string, values: readonly unknown[] = []): Promise<SqlResult> {
    return this.errors.during(async () => resultOf(await this.pool.query(text, [...values])));
  }

  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.withClient(async (client) => {
      await client.query('BEGIN');
      const result = await work(this.sessionOf(client));
      await client.query('COMMIT');
      return result;
    });
  }

  async *stream(text: string, values: readonly unknown[] = []): AsyncIterable<SqlRow> {
    const client = await this.errors.during(() => this.pool.connect());
    let failure: Error | undefined;
    try {
      yield* this.portions(client, text, values);
    } catch (error) {
      failure = error as Error;
      throw this.errors.explain(error);
    } finally {
      if (failure === undefined) await client.query('COMMIT').catch((error: Error) => (failure = error));
      client.release(failure);
    }
  }

  private async *portions(client: pg.PoolClient, text: string, values: readonly unknown[]): AsyncIterable<SqlRow> {
    await client.query('BEGIN READ ONLY');
    await client.query(`DECLARE stakeout_rows NO SCROLL CURSOR FOR ${text}`, [...values]);
    for (;;) {
      const { rows } = await client.query<SqlRow>(`FETCH ${ROWS_AT_ONCE} FROM stakeout_rows`);
      if (rows.length === 0) return;
      yield* rows;
    }
  }

  async *scan(text: string, values: readonly unknown[], signal: AbortSignal): AsyncIterable<SqlPage> {
    signal.throwIfAborted();
    const client = await this.errors.during(() => this.pool.connect());
    let failure: Error | undefined = new Error('not read to its end');
    // What was asked is not waited for.
    const abandon = (): void => {
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    };
    client.on('error', ignore);
    signal.addEventListener('abort', abandon);
    try {
      signal.throwIfAborted();
      yield* this.pages(client, text, values, signal);
      failure = undefined;
    } catch (error) {
      signal.throwIfAborted();
      throw this.errors.explain(error);
    } finally {
      signal.removeEventListener('abort', abandon);
      client.off('error', ignore);
      client.release(failure);
    }
  }

  private async *pages(
    client: pg.PoolClient,
    text: string,
    values: readonly unknown[],
    signal: AbortSignal,
  ): AsyncIterable<SqlPage> {
    await client.query("BEGIN READ ONLY; SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO, YMD'");
    await client.query(`DECLARE stakeout_pages NO SCROLL CURSOR FOR ${text}`, [...values]);
    const fetch = { text: `FETCH ${PAGE_ROWS} FROM stakeout_pages`, rowMode: 'array', types: exactTexts } as const;
    for (let isFirst = true, count = PAGE_ROWS; count === PAGE_ROWS; isFirst = false) {
      const { fields, rows } = await client.query<(string | null)[]>(fetch);
      count = rows.length;
      const columns = fields.map(({ name, dataTypeID }) => ({ name, type: typeOfPostgres(dataTypeID) }));
      if (count > 0 || isFirst) yield { columns, rows };
      signal.throwIfAborted();
    }
    await client.query('COMMIT');
  }

  async close(): Promise<void> {
    if (this.errors.isClosed) return;
    this.errors.isClosed = true;
    await this.pool.end();
  }

  private sessionOf(client: pg.PoolClient): SqlSession {
    return {
      query: (text, values = []) =>
        this.errors.during(async () => resultOf(await client.query<SqlRow>(text, [...values]))),
    };
  }

  /** A connection whose work failed is not used again: what state it is in, nobody knows. The server rolls it back. */
  private async withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.errors.during(() => this.pool.connect());
    client.on('error', ignore);
    let failure: Error | undefined;
    try {
      return await work(client);
    } catch (error) {
      failure = error as Error;
      throw this.errors.explain(error);
    } finally {
      client.off('error', ignore);
      client.release(failure);
    }
  }
}

/** A failure is told of twice otherwise: by the statement, and by an event that nobody listens to. */
const ignore = (): void => undefined;

function resultOf({ rows, rowCount }: pg.QueryResult): SqlResult {
  return { rows: rows as SqlRow[], count: rowCount ?? 0 };
}

/** By PostgreSQL's table of error codes (Appendix A): the class is the first two characters. */
const classes: Readonly<Record<string, SqlErrorCode>> = {
  '08': 'SQL_UNAVAILABLE',
  '21': 'SQL_REFUSED',
  '22': 'SQL_VALUE',
  '23': 'SQL_VALUE',
  '28': 'SQL_LOGIN',
  '3D': 'SQL_LOGIN',
  '40': 'SQL_CONFLICT',
  '53': 'SQL_UNAVAILABLE',
  '55': 'SQL_CONFLICT',
  '57': 'SQL_UNAVAILABLE',
  '58': 'SQL_UNAVAILABLE',
  XX: 'SQL_UNAVAILABLE',
};

function codeOf(error: unknown): SqlErrorCode | null {
  if (error instanceof pg.DatabaseError) {
    if (error.code === '57014') return 'SQL_TIMEOUT';
    // Row size and number of columns are of the value; the rest of their class is not.
    if (error.code === '54000') return 'SQL_VALUE';
    // A server that runs no TLS, or wants it, says so as a refused login.
    if (error.code === '28000' && /no encryption|SSL/i.test(error.message)) return 'SQL_TLS';
    return classes[error.code?.slice(0, 2) ?? ''] ?? 'SQL_REFUSED';
  }
  const network = networkError(error);
  if (network !== null) return network;
  const { message = '' } = (error ?? {}) as Error;
  if (/query read timeout/i.test(message)) return 'SQL_TIMEOUT';
  if (/timeout|terminated|not queryable|connection error|end(ed)? unexpectedly|client was closed/i.test(message))
    return 'SQL_UNAVAILABLE';
  if (/password must be a string|SASL/i.test(message)) return 'SQL_LOGIN';
  return null;
}
