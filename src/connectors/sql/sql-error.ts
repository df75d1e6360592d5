export type SqlErrorCode =
  /** No connection, it broke, or the server is starting, stopping or full. Worth another try. */
  | 'SQL_UNAVAILABLE'
  /** No answer in time. Worth another try. */
  | 'SQL_TIMEOUT'
  /** Two transactions were in each other's way. Worth another try. */
  | 'SQL_CONFLICT'
  /** The certificate does not hold, or one side wants TLS and the other does not. */
  | 'SQL_TLS'
  /** User, password or database is wrong. */
  | 'SQL_LOGIN'
  /** The statement cannot be carried out: a table or column that is not there, no rights, no syntax. */
  | 'SQL_REFUSED'
  /** The statement is right, but a value in it does not fit: too long, not a number, a key that is there already. */
  | 'SQL_VALUE'
  | 'SQL_CLOSED';

/** What a database, or the way to it, says; the message tells what to do, and never holds a password. */
export class SqlError extends Error {
  constructor(
    readonly code: SqlErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The same statement may work later, without anybody's doing. */
  get isPassing(): boolean {
    return this.code === 'SQL_UNAVAILABLE' || this.code === 'SQL_TIMEOUT' || this.code === 'SQL_CONFLICT';
  }
}

export interface SqlPlace {
  /** `PostgreSQL`, `MySQL`. */
  readonly product: string;
  /** Host and port. */
  readonly address: string;
  readonly user: string;
  readonly database: string;
}

/** An error of a kind, in words that say what to do. */
export function sqlError(code: SqlErrorCode, at: SqlPlace, cause: unknown): SqlError {
  const said = reasonOf(cause);
  const server = `${at.product} at ${at.address}`;
  const words: Readonly<Record<SqlErrorCode, string>> = {
    SQL_UNAVAILABLE: `${server} does not answer (${said}): see that it runs there, and that this machine may reach it`,
    SQL_TIMEOUT: `${server} did not answer in time (${said}): it may be overloaded, or wait for a lock`,
    SQL_CONFLICT: `${server} gave up for another transaction (${said})`,
    SQL_TLS: `No TLS with ${server} (${said}): give the authority's certificate (tls.ca), or the mode that the server wants`,
    SQL_LOGIN: `${server} does not let user ${at.user} into database ${at.database} (${said}): check user, password and database in the URL`,
    SQL_REFUSED: `${server} refuses a statement (${said}): check that the tables are as they should be, and the rights of user ${at.user}`,
    SQL_VALUE: `${server} refuses a value (${said})`,
    SQL_CLOSED: `The connection to ${server} is closed`,
  };
  return new SqlError(code, words[code], { cause });
}

function reasonOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause);
  // A refused connection to several addresses has no message of its own.
  const { message, code, name } = cause as Partial<Error & { readonly code: string }>;
  return message || code || name || 'no reason given';
}

const TLS = /certificate|self[- ]signed|\bSSL\b|\bTLS\b|ERR_TLS|ERR_SSL|HANDSHAKE_NO_SSL/i;

/** Node's own errors of sockets and certificates; `null`: none of them. */
export function networkError(cause: unknown): SqlErrorCode | null {
  const { code = '', message = '' } = (cause ?? {}) as { readonly code?: string; readonly message?: string };
  if (TLS.test(code) || TLS.test(message) || code === 'DEPTH_ZERO_SELF_SIGNED_CERT') return 'SQL_TLS';
  if (/^(ECONN|ENOTFOUND|EHOST|ENET|EPIPE|EAI_|EADDR)/.test(code)) return 'SQL_UNAVAILABLE';
  if (code === 'ETIMEDOUT') return 'SQL_UNAVAILABLE';
  return null;
}

/** What a database's client throws, as our own errors. */
export class SqlErrors {
  isClosed = false;

  /** `codeOf`: of what the client throws; `null`: it is none of its errors, and is passed on as it is. */
  constructor(
    private readonly at: SqlPlace,
    private readonly codeOf: (error: unknown) => SqlErrorCode | null,
  ) {}

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw sqlError('SQL_CLOSED', this.at, null);
    try {
      return await work();
    } catch (error) {
      throw this.explain(error);
    }
  }

  explain(error: unknown): unknown {
    if (error instanceof SqlError) return error;
    const code = this.codeOf(error);
    return code === null ? error : sqlError(code, this.at, error);
  }
}
