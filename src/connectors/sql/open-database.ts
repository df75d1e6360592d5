import type { SqlDatabase, SqlDialect, SqlOptions } from './sql-database.js';

const dialects: Readonly<Record<string, SqlDialect>> = {
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
};

/** What kind of database a URL names; `null`: none that is known here. */
export function sqlDialect(url: string): SqlDialect | null {
  return URL.canParse(url) ? (dialects[new URL(url).protocol] ?? null) : null;
}

/** Connects nothing yet. Throws `TypeError` for a URL that `sqlDialect` does not know. */
export async function openDatabase(options: SqlOptions): Promise<SqlDatabase> {
  const dialect = sqlDialect(options.url);
  if (dialect === null) throw new TypeError('the URL of a database begins with postgres:// or mysql://');
  // Loaded only where it is needed.
  if (dialect === 'postgres') return new (await import('./postgres-database.js')).PostgresDatabase(options);
  return new (await import('./mysql-database.js')).MySqlDatabase(options);
}
