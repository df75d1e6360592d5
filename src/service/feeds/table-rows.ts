import { openStreamTable, orderOf } from '../../connectors/sql/stream-table.js';
import { type FedRow, FeedError, type RowSource } from '../../runtime/feeds/feed.js';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import type { TransactionIngest } from '../transactions/transaction-ingest.js';

/** What a stream's table is called in words: the same for as long as the same rows are meant. */
export function tableOf(stream: StreamSettings): string {
  const { name, query } = stream.table;
  return `${name === undefined ? `the query ${query}` : `the table ${name}`} by ${orderOf(stream).join(', ')}`;
}

/** The rows of a stream's table as records of its topic. */
export async function openTableRows(
  settings: Pick<Settings, 'database'>,
  stream: StreamSettings,
  ingest: TransactionIngest,
  last: readonly string[] | null | undefined,
  signal: AbortSignal,
): Promise<RowSource> {
  await ingest.prepare();
  const table = await openStreamTable(settings, stream, { ...(last === undefined ? {} : { last }), signal });
  const recordOf = ({ fields, place }: { readonly fields: object; readonly place: readonly string[] }): FedRow => {
    const encoded = ingest.encode(fields);
    if (encoded.ok) return { key: encoded.transaction.key, value: encoded.transaction.value, place };
    // What a row has in it is not for a log.
    const why = encoded.problems.map(({ path, expected }) => `${path} should be ${expected}`).join('; ');
    throw new FeedError(
      `a row of ${tableOf(stream)} does not fit the stream ${stream.name} (${why}): leave such rows out with a query (table.query), or change them or the schema; rows behind it wait for that`,
    );
  };
  return {
    last: table.last ?? null,
    async *rowsAfter(after) {
      for await (const rows of table.rowsAfter(after)) yield rows.map(recordOf);
    },
    close: () => table.close(),
  };
}
