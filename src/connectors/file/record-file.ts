import { type FileHandle, open } from 'node:fs/promises';
import { type DecodedRecord, DecodeFailure } from '../../runtime/ports/decoder.js';
import type { AvroSchema } from '../avro/schema.js';
import { RecordFileError } from './file-error.js';

export interface RowPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Where in a file a batch begins: numbers that only the file's own format reads. They can be kept, and used when the file is opened again. */
export type Mark = readonly number[];

/** Rows of a file, decoded. It holds the bytes that they were decoded from; the rows do not. */
export interface RowBatch {
  readonly rows: readonly DecodedRecord[];
  /** Number of the first row in the file, from 0. */
  readonly first: number;
  /** `RecordFile.batches` goes on from here with the first row of this batch, in batches that may be cut otherwise. */
  readonly mark: Mark;
  /** Bytes of the file that are done with when this batch is. */
  readonly bytesRead: number;
  /**
   * The bytes of a row of this batch, for `RecordFile.decodeWhole`: a view of the whole block. Whoever keeps a row longer than
   * the batch copies it (`slice`), or the block stays in memory with it.
   */
  raw(index: number): Buffer;
  /** How many bytes `raw` has; with `copyRaw`, for those who copy many rows: a view of each takes longer than its bytes. Absent: there is `raw` alone. */
  rawLength?(index: number): number;
  /** Copies the bytes of a row to `at` in `into`, where there is room. */
  copyRaw?(index: number, into: Uint8Array, at: number): void;
  /** The fields of a row are all that there is of it, so `raw` can be made of them at any time: `JSON.stringify`. */
  readonly isWhole?: boolean;
  /** Where a row stands in a topic, for rows that do not come from a file. */
  placeOf?(index: number): RowPlace;
}

export type FileFormat = 'avro' | 'ndjson' | 'csv' | 'parquet';

export interface RecordFile {
  readonly path: string;
  readonly format: FileFormat | 'table';
  /** How its rows are written: files with the same layout read each other's rows (`decodeWhole`). */
  readonly layout: string;
  /** Of the rows: the reader schema where one was given, else the file's own, or what was inferred from NDJSON. */
  readonly schema: AvroSchema;
  readonly bytesTotal: number;
  /** Of a table: where it ends for whoever is to read the same rows, though more come meanwhile. */
  readonly last?: readonly string[] | null;
  /**
   * All rows, in the order of the file; may be called again to begin anew. It throws `RecordFileError` at the place where the
   * file does not hold, after the batches before it.
   * @param fields to decode; `null`: all. A field that a record does not have reads as null.
   * @param from where to begin; absent: at the first row.
   */
  batches(fields: Iterable<string> | null, from?: Mark): AsyncIterable<RowBatch>;
  /** All fields of a row, JSON-ready, from its `raw` bytes. */
  decodeWhole(raw: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure;
  /** Gets ready what `decodeWhole` needs for rows that an earlier process has read. Absent: nothing is needed. */
  prepare?(raws: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file, and makes something of it. What cannot be made leaves no file open. */
export async function openAs<T>(path: string, make: (handle: FileHandle, size: number) => Promise<T>): Promise<T> {
  const { handle, size } = await openFile(path);
  try {
    return await make(handle, size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openFile(path: string): Promise<{ readonly handle: FileHandle; readonly size: number }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('it is not a file');
    return { handle, size: stats.size };
  } catch (cause) {
    await handle?.close();
    throw new RecordFileError('FILE_UNREADABLE', path, 0, `${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
