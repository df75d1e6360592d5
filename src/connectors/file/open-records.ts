import type { AvroSchema } from '../avro/schema.js';
import { AvroFile } from './avro-file.js';
import { NdjsonFile } from './ndjson-file.js';
import type { RecordFile } from './record-file.js';

export interface OpenRecordsOptions {
  /** Absent: by the file's name, `.ndjson`, `.jsonl` and `.json` or else Avro. */
  readonly format?: 'avro' | 'ndjson';
  /** What records are read as. Absent: as they were written. NDJSON is not changed by it, only described. */
  readonly reader?: AvroSchema;
}

/**
 * Opens a file of records: an Avro object container, or newline-delimited JSON. Throws `RecordFileError` with a fixed code
 * when there is no such file or it is not what it should be.
 */
export function openRecords(path: string, options: OpenRecordsOptions = {}): Promise<RecordFile> {
  const format = options.format ?? (/\.(ndjson|jsonl|json)$/i.test(path) ? 'ndjson' : 'avro');
  return format === 'avro' ? AvroFile.open(path, options.reader) : NdjsonFile.open(path, options.reader);
}
