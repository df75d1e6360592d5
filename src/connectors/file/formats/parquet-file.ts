import type { FileHandle } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import type { DecodeFailure } from '../../../runtime/ports/decoder.js';
import type { AvroField, AvroSchema } from '../../avro/schema.js';
import { RecordFileError } from '../file-error.js';
import { type Mark, openAs, type RecordFile, type RowBatch } from '../record-file.js';
import { INFERRED_RECORD_NAME } from './infer-schema.js';
import { type Column, compactColumn, rowsOf } from './parquet-columns.js';

const BATCH_ROWS_MAX = 4_096;
const DAY_MS = 86_400_000;

const COMPRESSORS: Compressors = {
  GZIP: (input) => gunzipSync(input),
  ZSTD: (input) => zstdDecompressSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
};

/** Times as milliseconds since 1970, as they are everywhere else. */
const PARSERS = {
  timestampFromMilliseconds: (millis: bigint) => Number(millis),
  timestampFromMicroseconds: (micros: bigint) => Number(micros / 1000n),
  timestampFromNanoseconds: (nanos: bigint) => Number(nanos / 1_000_000n),
  dateFromDays: (days: number) => days * DAY_MS,
};

/**
 * Parquet as rows, row group by row group: the columns of one group are held decoded, so memory follows the size of the file's row
 * groups and not that of the file. All columns are read, because an alert shows the whole record.
 */
export class ParquetFile implements RecordFile {
  readonly format = 'parquet';
  readonly layout = '';

  private constructor(
    readonly path: string,
    readonly bytesTotal: number,
    readonly schema: AvroSchema,
    private readonly handle: FileHandle,
    private readonly metadata: FileMetaData,
  ) {}

  /** Throws `RecordFileError`. */
  static open(path: string, schema?: AvroSchema): Promise<ParquetFile> {
    return openAs(path, async (handle, size) => {
      try {
        const metadata = await parquetMetadataAsync(bufferOf(handle, size), { geoparquet: false });
        return new ParquetFile(path, size, schema ?? schemaOf(parquetSchema(metadata)), handle, metadata);
      } catch (error) {
        throw damaged(path, error as Error);
      }
    });
  }

  /** A mark is the number of a row. */
  async *batches(_fields: Iterable<string> | null, [begin = 0]: Mark = []): AsyncGenerator<RowBatch> {
    const { metadata, path, bytesTotal } = this;
    const file = bufferOf(this.handle, bytesTotal);
    const rowsTotal = Math.max(1, Number(metadata.num_rows));
    try {
      const options = { file, metadata, compressors: COMPRESSORS, parsers: PARSERS, geoparquet: false };
      const names = parquetSchema(metadata).children.map(({ element }) => element.name);
      const { ranges } = await parquetScan(options);
      for (const range of ranges) {
        if (range.rowEnd <= begin) continue;
        const columns: Column[] = [];
        // A scan keeps what it has read as it was read, so each column has one of its own.
        for (const column of names) {
          const scan = await parquetScan({ ...options, ...range, columns: [column] });
          columns.push(compactColumn(await scan.readColumn({ column, ...range })));
        }
        const rowCount = range.rowEnd - range.rowStart;
        for (let from = Math.max(0, begin - range.rowStart); from < rowCount; from += BATCH_ROWS_MAX) {
          const rows = rowsOf(names, columns, from, Math.min(rowCount, from + BATCH_ROWS_MAX));
          const first = range.rowStart + from;
          const bytesRead = Math.round((bytesTotal * (first + rows.length)) / rowsTotal);
          yield {
            rows,
            first,
            mark: [first],
            bytesRead,
            isWhole: true,
            raw: (index) => Buffer.from(JSON.stringify(rows[index]!.fields)),
          };
        }
      }
    } catch (error) {
      throw damaged(path, error as Error);
    }
  }

  decodeWhole(raw: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    return JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString()) as Record<string, unknown>;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

const bufferOf = (handle: FileHandle, byteLength: number): AsyncBuffer => ({
  byteLength,
  slice: async (start, end = byteLength) => {
    const bytes = new Uint8Array(end - start);
    await handle.read(bytes, 0, bytes.length, start);
    return bytes.buffer;
  },
});

function schemaOf({ children }: SchemaTree): AvroSchema {
  const fields = children.map(({ element, children: inner }): AvroField => {
    const type = inner.length > 0 ? { type: 'map' as const, values: 'string' as const } : typeOf(element);
    return { name: element.name, type: element.repetition_type === 'REQUIRED' ? type : ['null', type] };
  });
  return { type: 'record', name: INFERRED_RECORD_NAME, fields };
}

function typeOf({ type, converted_type, logical_type }: SchemaTree['element']): AvroSchema {
  const isDecimal = converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL';
  if (type === 'BOOLEAN') return 'boolean';
  if (type === 'FLOAT' || type === 'DOUBLE' || isDecimal) return 'double';
  return type === 'INT32' || type === 'INT64' || type === 'INT96' ? 'long' : 'string';
}

function damaged(path: string, cause: Error): RecordFileError {
  if (cause instanceof RecordFileError) return cause;
  return new RecordFileError('FILE_CORRUPT', path, 0, `${path}: it cannot be read as Parquet: ${cause.message}`, {
    cause,
  });
}
