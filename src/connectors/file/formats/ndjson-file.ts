import type { FileHandle } from 'node:fs/promises';
import { type DecodedRecord, DecodeFailure } from '../../../runtime/ports/decoder.js';
import type { AvroSchema } from '../../avro/schema.js';
import { RecordFileError } from '../file-error.js';
import { type Mark, openAs, type RecordFile, type RowBatch } from '../record-file.js';
import { type Chunk, type Records, readChunks } from './chunks.js';
import { INFERRED_RECORD_NAME, inferSchema } from './infer-schema.js';

const ROWS_TO_INFER_FROM = 1_000;
const NEWLINE = 10;

type Row = Readonly<Record<string, unknown>>;

/** Newline-delimited JSON as rows: one object a line, blank lines skipped, the last line with or without its end. */
export class NdjsonFile implements RecordFile {
  readonly format = 'ndjson';
  readonly layout = '';

  private constructor(
    readonly path: string,
    readonly bytesTotal: number,
    readonly schema: AvroSchema,
    private readonly handle: FileHandle,
  ) {}

  /** Infers the schema from the first 1,000 rows unless one is given. Throws `RecordFileError`. */
  static open(path: string, schema?: AvroSchema): Promise<NdjsonFile> {
    return openAs(path, async (handle, size) => {
      return new NdjsonFile(path, size, schema ?? inferSchema(await firstRows(handle, path, size)), handle);
    });
  }

  /** A mark is where a line begins, its number, and that of its row. */
  async *batches(fields: Iterable<string> | null, from: Mark = []): AsyncGenerator<RowBatch> {
    const names = fields && [...new Set(fields)];
    const [start = 0, line = 0, row = 0] = from;
    let first = row;
    for await (const chunk of readLines(this.handle, this.path, this.bytesTotal, { start, first: line })) {
      const { rows, starts, ends } = parseChunk(chunk, this.path, names);
      if (rows.length === 0) continue;
      const raw = (index: number) => chunk.data.subarray(starts[index], ends[index]);
      yield { rows, first, mark: [chunk.start, chunk.first, first], bytesRead: chunk.end, raw };
      first += rows.length;
    }
  }

  decodeWhole(raw: Uint8Array): Row | DecodeFailure {
    try {
      const value: unknown = JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString().trim());
      return isRow(value) ? value : new DecodeFailure('malformed', 'it is no JSON object');
    } catch (error) {
      return new DecodeFailure('malformed', (error as Error).message);
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

async function firstRows(handle: FileHandle, path: string, size: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const chunk of readLines(handle, path, size)) {
    for (const row of parseChunk(chunk, path, null, ROWS_TO_INFER_FROM - rows.length).rows) rows.push(row.fields);
    if (rows.length >= ROWS_TO_INFER_FROM) break;
  }
  return rows;
}

/** Records are lines. */
type Lines = Chunk<Records>;

const readLines = (
  handle: FileHandle,
  path: string,
  size: number,
  from?: { readonly start: number; readonly first: number },
): AsyncGenerator<Lines> => readChunks(handle, path, size, linesOf, { record: 'line', hint: '' }, from);

function linesOf(data: Buffer, isLast: boolean): Records {
  const end = isLast ? data.length : data.lastIndexOf(NEWLINE) + 1;
  return { count: countLines(data, end), end };
}

function countLines(data: Buffer, end: number): number {
  let lines = 0;
  for (let at = data.indexOf(NEWLINE); at >= 0 && at < end; at = data.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

function parseChunk(chunk: Lines, path: string, names: readonly string[] | null, rowsMax = Number.POSITIVE_INFINITY) {
  const rows: DecodedRecord[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const data = chunk.data.subarray(0, chunk.records.end);
  let line = chunk.first + 1;
  for (let start = 0; start < data.length && rows.length < rowsMax; line += 1) {
    const newline = data.indexOf(NEWLINE, start);
    const end = newline < 0 ? data.length : newline;
    // `trim` also takes away a byte order mark.
    const text = data.toString('utf8', start, end).trim();
    if (text !== '') {
      const row = parseRow(text, path, line);
      rows.push({ fields: names === null ? row : pick(row, names), recordName: INFERRED_RECORD_NAME });
      starts.push(start);
      ends.push(end);
    }
    start = end + 1;
  }
  return { rows, starts, ends };
}

function parseRow(text: string, path: string, line: number): Row {
  const error = (why: string, cause?: unknown) =>
    new RecordFileError('FILE_CORRUPT', path, line, `${path}, line ${line}: ${why}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw error(`it is not JSON: ${(cause as Error).message}`, cause);
  }
  if (!isRow(value)) throw error('it is no JSON object');
  return value;
}

/** One shape for all rows, whatever order their fields are in. */
function pick(row: Row, names: readonly string[]): Row {
  const picked: Record<string, unknown> = {};
  for (const name of names) picked[name] = Object.hasOwn(row, name) ? row[name] : null;
  return picked;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
