import type { FileHandle } from 'node:fs/promises';
import { RecordFileError } from './file-error.js';

const CHUNK_BYTES = 1 << 18;
/** A record may not be longer: a quote that is never closed would take in the whole file. */
const RECORD_BYTES_MAX = 1 << 26;
const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;
const COMMA = 44;
const SEMICOLON = 59;
const TAB = 9;

/** Whole records of a CSV file (RFC 4180): a quoted field may hold line ends. */
export interface CsvChunk {
  readonly data: Buffer;
  /** Where each record begins in `data`, and where the last one ends. */
  readonly starts: readonly number[];
  /** Number of its first record in the file, the header included, from 0. */
  readonly first: number;
  /** Where it ends in the file. */
  readonly end: number;
}

/** Throws `RecordFileError` for a record that does not end. */
export async function* readCsv(handle: FileHandle, path: string, size: number): AsyncGenerator<CsvChunk> {
  let rest = Buffer.alloc(0);
  let first = 0;
  let loaded = 0;
  while (loaded < size) {
    const wanted = Math.min(Math.max(CHUNK_BYTES, rest.length), size - loaded);
    const data = Buffer.allocUnsafeSlow(rest.length + wanted);
    rest.copy(data);
    const { bytesRead } = await handle.read(data, rest.length, wanted, loaded);
    if (bytesRead === 0) break;
    loaded += bytesRead;
    const filled = data.subarray(0, rest.length + bytesRead);
    const starts = recordsOf(filled, loaded >= size);
    const end = starts.at(-1)!;
    rest = filled.subarray(end);
    if (rest.length > RECORD_BYTES_MAX) {
      const why = `record ${first + starts.length}: it has more than ${RECORD_BYTES_MAX} bytes; is a quote not closed?`;
      throw new RecordFileError('FILE_FORMAT', path, first, `${path}, ${why}`);
    }
    if (end === 0) continue;
    yield { data: filled, starts, first, end: loaded - rest.length };
    first += starts.length - 1;
  }
}

/** Where records begin, and where the last whole one ends. At the end of the file the last one needs no line end. */
function recordsOf(data: Buffer, isLast: boolean): number[] {
  const starts = [0];
  let isQuoted = false;
  for (let at = 0; at < data.length; at++) {
    const byte = data[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted) starts.push(at + 1);
  }
  if (isLast && starts.at(-1)! < data.length) starts.push(data.length);
  return starts;
}

/** The character between fields: that of comma, semicolon and tab which the header has most often outside of quotes. */
export function separatorOf(header: Buffer): number {
  const counts = new Map([COMMA, SEMICOLON, TAB].map((byte) => [byte, 0]));
  let isQuoted = false;
  for (const byte of header) {
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (!isQuoted && counts.has(byte)) counts.set(byte, counts.get(byte)! + 1);
  }
  return [...counts].reduce((most, other) => (other[1] > most[1] ? other : most))[0];
}

/** The fields of one record as text. */
export function fieldsOf(data: Buffer, from: number, to: number, separator: number): string[] {
  let end = to;
  if (end > from && data[end - 1] === NEWLINE) end--;
  if (end > from && data[end - 1] === RETURN) end--;
  const fields: string[] = [];
  let start = from;
  while (start <= end) {
    if (data[start] === QUOTE && start < end) {
      let at = start + 1;
      while (at < end && !(data[at] === QUOTE && data[at + 1] !== QUOTE)) at += data[at] === QUOTE ? 2 : 1;
      fields.push(data.toString('utf8', start + 1, Math.min(at, end)).replaceAll('""', '"'));
      start = at + 2;
      continue;
    }
    let at = start;
    while (at < end && data[at] !== separator) at++;
    fields.push(data.toString('utf8', start, at));
    start = at + 1;
  }
  return fields;
}
