import type { SqlDatabase } from './sql-database.js';

export interface TableOrQuery {
  readonly name?: string | undefined;
  readonly query?: string | undefined;
}

/** What stands after FROM. */
export const tableOrQuery = (database: SqlDatabase, { name, query }: TableOrQuery): string =>
  name === undefined ? `(${(query ?? '').trim().replace(/;$/, '')}) AS entries` : database.name(name);

const TIME = /^(\d{4,}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?))?(?:\+00(?::?00)?|Z)?$/;

/** Milliseconds since 1970 of a time as a database writes it in UTC; `null`: it is none. */
export function timeOfText(text: string): number | null {
  const match = TIME.exec(text);
  if (match === null) return null;
  const ms = Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** A time as any database reads it. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
