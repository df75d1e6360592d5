import { isAbsolute, join } from 'node:path';
import { type AvroSchema, readAvroSchema } from '../../connectors/avro/schema.js';
import { eventSchemaFor } from '../../connectors/avro/stream-schema.js';
import { openRecords } from '../../connectors/file/open-records.js';
import type { RecordFile } from '../../connectors/file/record-file.js';
import { openStreamTable } from '../../connectors/sql/stream-table.js';
import type { EventSchema } from '../../rules/schema.js';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import { isTable } from '../../runtime/settings/table.js';

/** A stream of the settings with its file open; a topic has one for each of its partitions. */
export interface FileStream {
  readonly settings: StreamSettings;
  readonly file: RecordFile;
  /** What rules are checked against. */
  readonly schema: EventSchema;
  /** A service that reads the stream knows no schema of it: this one was found in its rows, and rules are not checked against it. */
  readonly isInferred?: boolean;
}

/** Nothing to run: no stream with a file, or a rule that fits none of them. */
export class RunError extends Error {
  readonly code = 'RUN';
}

export interface OpenStreamsOptions {
  /** Folder that relative names are in, instead of the config's. */
  readonly data?: string | undefined;
  /** A path of the settings as the config has it. */
  readonly relative: (path: string) => string;
  /** Where tables end, by stream: for one of several readers of the same rows. */
  readonly tableEnds?: TableEnds | undefined;
}

export type TableEnds = Readonly<Record<string, readonly string[] | null>>;

/** Opens the files and tables of all streams that name one. */
export async function openStreams(settings: Settings, options: OpenStreamsOptions): Promise<FileStream[]> {
  const streams = Object.values(settings.streams).filter(isBounded);
  if (streams.length === 0)
    throw new RunError(
      'No stream of the config names a file or a table: set streams.<name>.file or streams.<name>.table.',
    );
  return Promise.all(
    streams.map(async (stream) => {
      const file = await (stream.file === undefined
        ? openTable(settings, stream, options.tableEnds)
        : openFileOf(stream, stream.file, options));
      return { settings: stream, file, schema: eventSchemaFor(stream, file.schema) };
    }),
  );
}

/** Whether a stream comes from a file or a table, and so has an end. */
export const isBounded = ({ file, table }: StreamSettings): boolean => file !== undefined || isTable(table);

/** Where the tables among the streams end. */
export const tableEndsOf = (streams: readonly FileStream[]): TableEnds =>
  Object.fromEntries(
    streams.flatMap(({ settings, file }) => (file.last === undefined ? [] : [[settings.name, file.last]])),
  );

const readerOf = ({ schema }: StreamSettings) => (schema === undefined ? {} : { reader: readAvroSchema(schema) });

function openFileOf(stream: StreamSettings, file: string, { data, relative }: OpenStreamsOptions): Promise<RecordFile> {
  const name = relative(file);
  const path = data === undefined || isAbsolute(name) ? file : join(data, name);
  const format = stream.format === 'avro-confluent' ? 'avro' : stream.format;
  return openRecords(path, { format, ...readerOf(stream) });
}

function openTable(settings: Settings, stream: StreamSettings, ends: TableEnds = {}): Promise<RecordFile> {
  const { reader: schema } = readerOf(stream) as { readonly reader?: AvroSchema };
  return openStreamTable(settings, stream, {
    ...(schema === undefined ? {} : { schema }),
    ...(Object.hasOwn(ends, stream.name) ? { last: ends[stream.name]! } : {}),
  });
}
