import type { AvroSchema } from '../avro/schema.js';
import { filesBelow, isFolder, RecordFolder } from './folder.js';
import { AvroFile } from './formats/avro-file.js';
import { CsvFile } from './formats/csv-file.js';
import { NdjsonFile } from './formats/ndjson-file.js';
import type { FileFormat, RecordFile } from './record-file.js';

export interface OpenRecordsOptions {
  /** Absent: by the file's name; what has no ending of another format is Avro. */
  readonly format?: FileFormat;
  /** What records are read as. Absent: as they were written. Other formats than Avro are not changed by it, only described. */
  readonly reader?: AvroSchema;
}

const ENDINGS: readonly (readonly [FileFormat, RegExp])[] = [
  ['ndjson', /\.(ndjson|jsonl|json)$/i],
  ['csv', /\.(csv|tsv)$/i],
  ['parquet', /\.(parquet|pq)$/i],
  ['avro', /\.avro$/i],
];

/**
 * Opens a file of records: an Avro object container, newline-delimited JSON, CSV or Parquet; or a folder of such files, which are read
 * one after the other in order of their paths. Throws `RecordFileError` with a fixed code when it is not there or not what it should be.
 */
export async function openRecords(path: string, options: OpenRecordsOptions = {}): Promise<RecordFile> {
  if (!(await isFolder(path))) return openOne(path, options.format ?? formatOf(path) ?? 'avro', options.reader);
  const paths = await filesBelow(path, (name) => formatOf(name) !== null);
  const format = paths.some((file) => formatOf(file) === options.format) ? options.format! : formatOf(paths[0]!)!;
  const files: RecordFile[] = [];
  try {
    for (const file of paths) if (formatOf(file) === format) files.push(await openOne(file, format, options.reader));
    return new RecordFolder(path, files);
  } catch (error) {
    for (const file of files) await file.close();
    throw error;
  }
}

/** By the ending of a name; `null`: it is none that is known. */
export const formatOf = (name: string): FileFormat | null =>
  ENDINGS.find(([, ending]) => ending.test(name))?.[0] ?? null;

async function openOne(path: string, format: FileFormat, reader: AvroSchema | undefined): Promise<RecordFile> {
  switch (format) {
    case 'avro':
      return AvroFile.open(path, reader);
    case 'ndjson':
      return NdjsonFile.open(path, reader);
    case 'csv':
      return CsvFile.open(path, reader);
    case 'parquet':
      // Loaded where it is wanted alone.
      return (await import('./formats/parquet-file.js')).ParquetFile.open(path, reader);
  }
}
