import type { FileHandle } from 'node:fs/promises';
import { RecordFileError } from '../file-error.js';

const CHUNK_BYTES = 1 << 18;
/** A record may not be longer: what has no ends of lines, or a quote that is never closed, would take in the whole file. */
const RECORD_BYTES_MAX = 1 << 26;

/** What a format finds in the bytes at hand. */
export interface Records {
  /** Whole records in them. */
  readonly count: number;
  /** Where the last of these ends in the bytes. */
  readonly end: number;
}

/** Whole records of a file of text, and what the format has found of them. */
export interface Chunk<R extends Records> {
  readonly data: Buffer;
  readonly records: R;
  /** Number of its first record in the file, from 0. */
  readonly first: number;
  /** Where it begins and ends in the file. */
  readonly start: number;
  readonly end: number;
}

/**
 * A file in chunks that end where a record does. Throws `RecordFileError` for a record that does not end.
 *
 * @param find is told whether the bytes are the last of the file: then the last record needs no end of a line.
 * @param called what a record of the format is called, and what may be wrong with one that does not end.
 * @param from where a record begins, and its number.
 */
export async function* readChunks<R extends Records>(
  handle: FileHandle,
  path: string,
  size: number,
  find: (data: Buffer, isLast: boolean) => R,
  called: { readonly record: string; readonly hint: string },
  from = { start: 0, first: 0 },
): AsyncGenerator<Chunk<R>> {
  let rest = Buffer.alloc(0);
  let { first } = from;
  let loaded = from.start;
  while (loaded < size) {
    const wanted = Math.min(Math.max(CHUNK_BYTES, rest.length), size - loaded);
    const data = Buffer.allocUnsafeSlow(rest.length + wanted);
    rest.copy(data);
    const { bytesRead } = await handle.read(data, rest.length, wanted, loaded);
    if (bytesRead === 0) break;
    loaded += bytesRead;
    const filled = data.subarray(0, rest.length + bytesRead);
    const start = loaded - filled.length;
    const records = find(filled, loaded >= size);
    rest = filled.subarray(records.end);
    if (rest.length > RECORD_BYTES_MAX) {
      const place = first + records.count;
      const why = `${called.record} ${place + 1}: it has more than ${RECORD_BYTES_MAX} bytes${called.hint}`;
      throw new RecordFileError('FILE_FORMAT', path, place, `${path}, ${why}`);
    }
    if (records.end === 0) continue;
    yield { data: filled, records, first, start, end: loaded - rest.length };
    first += records.count;
  }
}
