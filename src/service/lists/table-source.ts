import { openDatabase } from '../../connectors/sql/open-database.js';
import type { SqlDatabase, SqlOptions, SqlPage } from '../../connectors/sql/sql-database.js';
import { tableOrQuery, timeOfText, timeText } from '../../connectors/sql/table.js';
import type { ListKind } from '../../rules/index.js';
import { tableOf } from '../../runtime/lists/layered-table.js';
import { ListError } from '../../runtime/lists/load-lists.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { ListTableSettings } from '../../runtime/settings/lists.js';
import type { ListSource } from './list-source.js';

export interface TableSourceOptions {
  readonly database: SqlOptions;
  readonly table: ListTableSettings;
  readonly kind: ListKind;
  readonly refreshMs: number;
  readonly clock: Clock;
}

/** What a row of the query says. */
interface Entry {
  readonly key: string;
  /** `null`: it is gone. */
  readonly value: string | null;
}

/**
 * A table or query of PostgreSQL or MySQL. With a column that says when a row was changed, only what was changed is read, and now
 * and then all: rows that were deleted say nothing.
 */
export function tableSource({ database: options, table, kind, refreshMs, clock }: TableSourceOptions): ListSource {
  const { changed, whole, overlap } = table;
  let opened: Promise<SqlDatabase> | null = null;
  let readAllAt = Number.NEGATIVE_INFINITY;
  const open = (): Promise<SqlDatabase> => {
    const database = opened ?? openDatabase(options);
    opened = database;
    return database;
  };
  const entries = async (since: string | null, signal: AbortSignal): Promise<Map<string, string | null>> => {
    const database = await open();
    const query = new EntryQuery(database, table, kind);
    const found = new Map<string, string | null>();
    const values = since === null ? [] : [since];
    for await (const { columns, rows } of database.scan(query.text(since !== null), values, signal)) {
      query.check(columns.length);
      for (const row of rows) take(query.entryOf(row), found);
    }
    return found;
  };
  /** Asked before the rows are read: what comes meanwhile is read once more. */
  const newest = async (signal: AbortSignal): Promise<string | undefined> => {
    if (changed === undefined) return undefined;
    const database = await open();
    const query = `SELECT max(${database.name(changed)}) FROM ${tableOrQuery(database, table)}`;
    for await (const { rows } of database.scan(query, [], signal)) return rows[0]?.[0] ?? undefined;
    return undefined;
  };
  const name = `table ${table.name ?? 'of a query'}`;
  return {
    name,
    refreshMs,
    async read(signal) {
      const since = await newest(signal);
      const found = await entries(null, signal);
      readAllAt = clock.now();
      const there = [...found].filter((entry): entry is [string, string] => entry[1] !== null);
      return { table: tableOf(there, kind), mark: since === undefined ? {} : { since } };
    },
    ...(changed === undefined
      ? {}
      : {
          wantsAll: () => clock.now() - readAllAt >= whole,
          async news({ since }, signal) {
            const next = await newest(signal);
            if (next === undefined) return null;
            const found = [...(await entries(since === undefined ? null : earlier(since, overlap), signal))];
            const put = found.filter((entry): entry is [string, string] => entry[1] !== null);
            const remove = found.filter(([, value]) => value === null).map(([key]) => key);
            return found.length === 0 ? null : { change: { put, remove }, mark: { name, since: next } };
          },
        }),
    async close() {
      await (await opened?.catch(() => null))?.close();
    },
  } satisfies ListSource;
}

function take({ key, value }: Entry, found: Map<string, string | null>): void {
  // Of a set it is there if any row says so; of a map the last row has the word.
  if (value === null && found.get(key) !== undefined && found.get(key) !== null) return;
  found.set(key, value);
}

/** Rows may be seen later than they say they were changed: their transaction was open until then. Numbers are taken as they are. */
function earlier(since: string, overlapMs: number): string {
  const time = timeOfText(since);
  return time === null ? since : timeText(time - overlapMs);
}

const GONE: ReadonlySet<string | null> = new Set([null, '', 'false', '0']);

/** The query of a list's entries: the columns asked for by name, or the first one (two, of a map) of what there is. */
class EntryQuery {
  constructor(
    private readonly database: SqlDatabase,
    private readonly table: ListTableSettings,
    private readonly kind: ListKind,
  ) {}

  text(isSince: boolean): string {
    const { database, table } = this;
    const { column, value, changed, deleted } = table;
    const wanted = [column, this.kind === 'map' ? value : undefined, deleted].filter((name) => name !== undefined);
    const columns = column === undefined ? '*' : wanted.map((name) => database.name(name)).join(', ');
    const from = `SELECT ${columns} FROM ${tableOrQuery(database, table)}`;
    return isSince
      ? `${from} WHERE ${database.name(changed!)} >= ${database.placeholder(1)} ORDER BY ${database.name(changed!)}`
      : from;
  }

  check(columns: number): void {
    const needed = this.kind === 'map' ? 2 : 1;
    if (columns >= needed) return;
    throw new ListError('A map needs two columns: set table.column and table.value, or name both in the query.');
  }

  entryOf(row: SqlPage['rows'][number]): Entry {
    const { kind, table } = this;
    const key = row[0];
    if (key === null || key === undefined) throw new ListError('An entry is NULL: leave such rows out in a query.');
    const isGone = table.deleted !== undefined && !GONE.has(row.at(-1) ?? null);
    return { key, value: isGone ? null : kind === 'map' ? (row[1] ?? '') : '' };
  }
}
