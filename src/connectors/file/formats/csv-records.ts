import type { FileHandle } from 'node:fs/promises';
import { type Chunk, type Records, readChunks } from './chunks.js';

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;
const COMMA = 44;
const SEMICOLON = 59;
const TAB = 9;

/** Records of CSV (RFC 4180): a quoted field may hold line ends. */
export interface CsvRecords extends Records {
  /** Where each record begins in the bytes, and where the last one ends. */
  readonly starts: readonly number[];
}

/** The header counts as a record. */
export type CsvChunk = Chunk<CsvRecords>;

/** Throws `RecordFileError` for a record that does not end. `from`: where one begins, and its number. */
export const readCsv = (
  handle: FileHandle,
  path: string,
  size: number,
  from?: { readonly start: number; readonly first: number },
): AsyncGenerator<CsvChunk> =>
  readChunks(handle, path, size, recordsOf, { record: 'record', hint: '; is a quote not closed?' }, from);

/** Where records begin, and where the last whole one ends. At the end of the file the last one needs no line end. */
function recordsOf(data: Buffer, isLast: boolean): CsvRecords {
  const starts = [0];
  let isQuoted = false;
  for (let at = 0; at < data.length; at++) {
    const byte = data[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted) starts.push(at + 1);
  }
  if (isLast && starts.at(-1)! < data.length) starts.push(data.length);
  return { starts, count: starts.length - 1, end: starts.at(-1)! };
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
