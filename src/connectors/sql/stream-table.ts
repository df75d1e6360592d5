import { databaseOptions } from '../../runtime/settings/database.js';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import type { AvroObject, AvroSchema } from '../avro/schema.js';
import { openDatabase } from './open-database.js';
import { TableFile, type TableFileOptions } from './table-file.js';

/** A page, or the first look at the whole, may take so long. */
const TABLE_MS = 600_000;

/** Columns by which the rows of a stream's table are read. */
export const orderOf = ({ table, time, id }: StreamSettings): readonly string[] =>
  table.order ?? [time, id].filter((column) => column !== undefined);

/** Opens the table of a stream, with a connection of its own that is closed with it. Throws `SqlError`, `TableError`. */
export async function openStreamTable(
  { database: common }: Pick<Settings, 'database'>,
  stream: StreamSettings,
  more: Pick<TableFileOptions, 'schema' | 'last' | 'signal'> = {},
): Promise<TableFile> {
  const { name, query, page: pageRows, url } = stream.table;
  const database = await openDatabase(databaseOptions(common, url, TABLE_MS));
  try {
    return await TableFile.open(database, { ...{ name, query, order: orderOf(stream), pageRows }, ...more });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** What the rows of a table are, though more of them may be NULL one day: all columns but those that the stream cannot do without. */
export function schemaOfTable(table: TableFile, stream: StreamSettings): AvroObject {
  const { key, time, id } = stream;
  const needed = new Set([...orderOf(stream), key, time, id]);
  // One that was opened without a schema has made it of its columns: each a type, or that or null.
  const { fields = [], ...record } = table.schema as AvroObject;
  const typed = fields.map(({ name, type }) => {
    const bare = [type].flat().find((branch) => branch !== 'null') as AvroSchema;
    return { name, type: needed.has(name) ? bare : ['null', bare] };
  });
  return { ...record, fields: typed };
}
