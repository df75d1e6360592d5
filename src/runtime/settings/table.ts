import { z } from 'zod';
import { databaseUrl, integer, names, text } from './setting.js';
import { getAt, isTree, type Path, type Tree } from './tree.js';

/** A table, or query, that a stream is read from. */
export const streamTable = z.strictObject({
  url: databaseUrl.optional('PostgreSQL or MySQL that has it.', { secret: true, defaultText: '`database.url`' }),
  name: text.optional(
    'Table or view to read instead of a topic; `schema.table` too. The service feeds its rows into `topic`, once; `stakeout run` and `stakeout backtest` read them directly.',
  ),
  query: text.optional('Query to read it from, instead of a table.'),
  order: names.optional(
    'Columns by which its rows are read. Together they must tell every row from the others, and want an index.',
    { defaultText: "the stream's `time` and `id`" },
  ),
  page: integer(1, 100_000).default(5000, 'Rows that are read at once.'),
});

export type StreamTable = z.output<typeof streamTable>;

export const TABLE_SOURCES = ['table.name', 'table.query'];

/** Whether rows come from a table or a query. */
export const isTable = ({ name, query }: Pick<StreamTable, 'name' | 'query'>): boolean =>
  name !== undefined || query !== undefined;

/** Whether the service feeds the rows of a table into the stream's topic. */
export const isFed = ({
  topic,
  table,
}: {
  readonly topic?: string | undefined;
  readonly table: StreamTable;
}): boolean => topic !== undefined && isTable(table);

export type AddConflict = (path: Path, expected: string, got: string) => void;

/** What is missing to reach the database of a table. */
export function databaseConflict(table: Tree, tree: Tree): readonly [string, string][] {
  const hasUrl = table.url !== undefined || getAt(tree, ['database', 'url']) !== undefined;
  return hasUrl ? [] : [['url', 'a URL, because there is no database.url']];
}

/** What the table of a stream needs. Reads the raw tree. */
export function streamTableConflicts(stream: Tree, tree: Tree, add: (path: Path, expected: string) => void): void {
  const table = isTree(stream.table) ? stream.table : {};
  if (table.name === undefined && table.query === undefined) {
    add(['table', 'name'], 'a table or a query');
    return;
  }
  for (const [key, expected] of databaseConflict(table, tree)) add(['table', key], expected);
  if (table.order !== undefined) return;
  const why = 'columns, because the stream names no time and id to read its rows by';
  if (stream.time === undefined || stream.id === undefined) add(['table', 'order'], why);
}
