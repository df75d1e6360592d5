import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AvroSchema } from '../avro/schema.js';
import { RecordFileError } from './file-error.js';
import type { Mark, RecordFile, RowBatch } from './record-file.js';

/** Files of one folder and below, as one file: in order of their paths, one after the other. */
export class RecordFolder implements RecordFile {
  readonly bytesTotal: number;

  /** Throws `RecordFileError` where the files are not all written alike. There must be one. */
  constructor(
    readonly path: string,
    private readonly files: readonly RecordFile[],
  ) {
    const other = files.find((file) => file.layout !== files[0]!.layout);
    if (other !== undefined) {
      const why = `it is not written as ${files[0]!.path} is; give the stream a schema (streams.<name>.schema), or a folder of its own`;
      throw new RecordFileError('FILE_SCHEMA', other.path, 0, `${other.path}: ${why}`);
    }
    this.bytesTotal = files.reduce((sum, file) => sum + file.bytesTotal, 0);
  }

  get format(): RecordFile['format'] {
    return this.files[0]!.format;
  }

  /** Of the first file; the others have the same. */
  get schema(): AvroSchema {
    return this.files[0]!.schema;
  }

  get layout(): string {
    return this.files[0]!.layout;
  }

  /** A mark is the place of a file, the rows of the files before it, and a mark of that file. */
  async *batches(
    fields: Iterable<string> | null,
    [begin = 0, rowsOfOthers = 0, ...from]: Mark = [],
  ): AsyncGenerator<RowBatch> {
    const names = fields === null ? null : [...fields];
    let rowsBefore = rowsOfOthers;
    let bytesBefore = 0;
    for (const [place, file] of this.files.entries()) {
      let rows = 0;
      if (place < begin) bytesBefore += file.bytesTotal;
      if (place < begin) continue;
      for await (const batch of file.batches(names, place === begin ? from : [])) {
        rows = batch.first + batch.rows.length;
        yield {
          rows: batch.rows,
          first: rowsBefore + batch.first,
          mark: [place, rowsBefore, ...batch.mark],
          bytesRead: bytesBefore + batch.bytesRead,
          ...(batch.isWhole === true && { isWhole: true }),
          raw: (index) => batch.raw(index),
        };
      }
      rowsBefore += rows;
      bytesBefore += file.bytesTotal;
    }
  }

  /** All files are written alike, so any can read a row of another. */
  decodeWhole(raw: Uint8Array): ReturnType<RecordFile['decodeWhole']> {
    return this.files[0]!.decodeWhole(raw);
  }

  async close(): Promise<void> {
    for (const file of this.files) await file.close();
  }
}

/** The files that `is` accepts, in order of their paths. Throws `RecordFileError` when there are none. */
export async function filesBelow(folder: string, is: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile() && is(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (found.length > 0) return found;
  throw new RecordFileError('FILE_UNREADABLE', folder, 0, `${folder}: there is no file of records in it`);
}

export const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isDirectory() === true;
