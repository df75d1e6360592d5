import type { AvroObject } from '../../../connectors/avro/schema.js';
import { openStreamTable, schemaOfTable } from '../../../connectors/sql/stream-table.js';
import { FeedError } from '../../../runtime/feeds/feed.js';
import type { Clock } from '../../../runtime/ports/clock.js';
import type { Log } from '../../../runtime/ports/log.js';
import type { Settings, StreamSettings } from '../../../runtime/settings/index.js';
import { TableFeeds } from '../../feeds/table-feeds.js';
import { openTableRows } from '../../feeds/table-rows.js';
import type { SourceControl } from '../../sources/source-control.js';
import type { StreamsNow } from '../../sources/streams-now.js';
import type { SwitchControl } from '../../switches/switch-control.js';
import { streamIngest } from './ingest.js';
import { makeRegistry, streamFacts } from './stream-parts.js';

export interface TableFeedsParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly streams: StreamsNow;
  readonly switches: SwitchControl;
  readonly sources: SourceControl;
  /** Has detection go over to what `TableFeeds.asFed` says now. */
  readonly onDone: () => Promise<void>;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** What feeds the tables among the streams of a process into their topics. */
export function tableFeeds({ streams, switches, sources, ...parts }: TableFeedsParts): TableFeeds {
  return new TableFeeds({
    ...parts,
    settings: () => streams.settings,
    isPaused: (name) => switches.isPaused('stream', name),
    isRead: (name) => sources.isRead(name),
    open: async (stream, last, signal) => {
      const { settings } = streams;
      // A column that the schema has not is none of the stream's.
      const ingest = streamIngest(stream, streamFacts(stream).avro, makeRegistry(settings), { unknownFields: 'drop' });
      if (ingest === null) throw new FeedError(`nothing can be written to the stream ${stream.name}: it has no schema`);
      return openTableRows(settings, stream, ingest, last, signal);
    },
  });
}

/** The schema of a table, made of its columns. Throws `SqlError`, `TableError`. */
export async function readTableSchema(settings: Settings, stream: StreamSettings): Promise<AvroObject> {
  const table = await openStreamTable(settings, stream);
  try {
    return schemaOfTable(table, stream);
  } finally {
    await table.close();
  }
}
