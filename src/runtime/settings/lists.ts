import { z } from 'zod';
import { choice, databaseUrl, duration, path, redisUrl, text, topicName } from './setting.js';
import { type AddConflict, databaseConflict, TABLE_SOURCES } from './table.js';
import { getAt, isTree, type Tree } from './tree.js';

/** A table, or query, that a list is read from. */
const listTable = z.strictObject({
  url: databaseUrl.optional('PostgreSQL or MySQL that has it.', { secret: true, defaultText: '`database.url`' }),
  name: text.optional('Table or view to read it from; `schema.table` too.'),
  query: text.optional('Query to read it from, instead of a table: `SELECT account FROM cases WHERE open`.'),
  column: text.optional('Column of the entry, or of the key in a map.', { defaultText: "the query's first one" }),
  value: text.optional('Column of the value in a map.', { defaultText: "the query's second one" }),
  changed: text.optional(
    'Column that says when a row was changed last (a time, or a number that grows): then only rows that were changed are read at each look. It wants an index.',
    { defaultText: 'all is read at each look' },
  ),
  deleted: text.optional(
    'Column that says that the entry is gone: true, a number other than 0, or a time. Without it a row that is deleted, or falls out of the query, is noticed when all is read again.',
  ),
  overlap: duration.default(
    '1m',
    'With `changed`, rows are read again that were changed up to so long before the newest: a transaction may end that long after the time that it writes.',
  ),
  whole: duration.default('1h', 'With `changed`, all is read again this often.'),
});

/** One reference list, and where it is read. */
const listSchema = z.strictObject({
  file: path.optional(
    'File to read it from, again whenever it changes: one entry a line, CSV (.csv) or JSON (.json). Without a file, `redis.key`, `topic` or `table` it is filled over HTTP (`PUT /v1/lists/<name>`, `stakeout lists put`).',
  ),
  kind: choice(['set', 'map']).default('set', 'set: entries. map: keys with values.'),
  topic: topicName.optional(
    'Compacted topic to read it from, and to follow: the key of a record is an entry, its value the value in a map; a record without a value takes the entry away.',
  ),
  redis: z
    .strictObject({
      key: text.optional('Key of a Redis set, or of a hash for a map, to read it from.'),
      url: redisUrl.optional('Redis that has it.', { secret: true, defaultText: '`redis.url`' }),
    })
    .prefault({}),
  table: listTable.prefault({}),
  refresh: duration.default(
    '10s',
    'Its source is looked at this often. Redis tells of a change sooner where it gives notice of events (`notify-keyspace-events` with K and A).',
  ),
});

export const listsSchema = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/), listSchema);

export const listStoreSchema = z.strictObject({
  topic: topicName.default(
    'stakeout-lists',
    'Topic of the changes of reference lists, which all instances read; whole lists are beside it, in `<topic>-content`.',
  ),
});

export type ListTableSettings = z.output<typeof listTable>;
export type ListSettings = z.output<typeof listSchema>;

/** What single settings of lists cannot show. */
export function listConflicts(tree: Tree, add: AddConflict): void {
  for (const [name, list] of isTree(tree.lists) ? Object.entries(tree.lists) : []) {
    if (!isTree(list)) continue;
    const sources = ['file', 'topic', 'redis.key', ...TABLE_SOURCES].filter(
      (key) => getAt(list, key.split('.')) !== undefined,
    );
    const choices = ['file, topic, redis.key', ...TABLE_SOURCES].join(', ');
    if (sources.length > 1) add(['lists', name], `one of ${choices}`, sources.join(' and '));
    const hasRedis = [getAt(list, ['redis', 'url']), getAt(tree, ['redis', 'url'])].some((url) => url !== undefined);
    if (sources.includes('redis.key') && !hasRedis)
      add(['lists', name, 'redis', 'url'], 'a URL, because redis.key is set and there is no redis.url', 'nothing');
    if (!isTree(list.table)) continue;
    for (const [key, expected] of missingOf(list.table, list.kind === 'map', tree))
      add(['lists', name, 'table', key], expected, 'nothing');
  }
}

/** What the table of a list needs, by the key that is missing. */
function missingOf(table: Tree, isMap: boolean, tree: Tree): readonly (readonly [string, string])[] {
  if (table.name === undefined && table.query === undefined) return [['name', 'a table or a query']];
  const missing = [...databaseConflict(table, tree)];
  const needs = (key: string, why: string): void => {
    if (table[key] === undefined) missing.push([key, `a column, because ${why}`]);
  };
  if (table.name !== undefined) needs('column', 'table.name is set');
  else if (table.deleted !== undefined || table.value !== undefined) needs('column', 'other columns are named');
  if (isMap && table.column !== undefined) needs('value', 'kind is map');
  return missing;
}
