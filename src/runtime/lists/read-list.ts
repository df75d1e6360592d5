import type { ListKind } from '../../rules/known-lists.js';
import { TableBuilder } from './table-builder.js';
import type { TextTable } from './text-table.js';

/** `lines`: one entry a line. `csv`: key, then value. `json`: an array, or an object. */
export type ListFormat = 'lines' | 'csv' | 'json';

/** What is wrong with the text of a list. */
export class ListFormatError extends Error {
  readonly code = 'LIST_FORMAT';
  constructor(
    message: string,
    /** From 1; absent: the whole. */
    readonly line?: number,
  ) {
    super(message);
  }
}

/** By the ending of the file's name. */
export function formatOf(file: string): ListFormat {
  if (/\.json$/i.test(file)) return 'json';
  return /\.(csv|tsv)$/i.test(file) ? 'csv' : 'lines';
}

/**
 * Reads a list from UTF-8. White space around entries is no part of them, empty lines and lines that begin with `#` are none, and
 * of an entry that is there twice the last one counts. Throws `ListFormatError`.
 */
export function readList(bytes: Uint8Array, format: ListFormat, kind: ListKind): TextTable {
  if (format === 'json') return fromJson(bytes, kind);
  const builder = new TableBuilder(bytes, kind === 'map');
  let line = 0;
  // A byte order mark is no part of the first entry.
  let from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (from < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, from);
    const to = newline < 0 ? bytes.length : newline;
    line++;
    addLine(builder, bytes, trimmed(bytes, from, to), { format, kind, line });
    from = to + 1;
  }
  return builder.build();
}

const NEWLINE = 0x0a;
const HASH = 0x23;
const COMMA = 0x2c;
const TAB = 0x09;
const QUOTE = 0x22;
const SPACE = 0x20;

interface Slice {
  readonly from: number;
  readonly to: number;
}

interface LineContext {
  readonly format: ListFormat;
  readonly kind: ListKind;
  readonly line: number;
}

function addLine(builder: TableBuilder, bytes: Uint8Array, at: Slice, context: LineContext): void {
  const { format, kind, line } = context;
  if (at.from === at.to || bytes[at.from] === HASH) return;
  if (kind === 'set' && format === 'lines') {
    builder.add(at.from, at.to);
    return;
  }
  const key = cell(bytes, at, line);
  if (kind === 'set') {
    builder.add(key.from, key.to);
    return;
  }
  if (key.next > at.to) throw new ListFormatError('There is no value: write key,value.', line);
  const value = cell(bytes, { from: key.next, to: at.to }, line);
  builder.add(key.from, key.to, value.from, value.to);
}

/** The cell that begins here, without its quotes, and where the next one begins. */
function cell(bytes: Uint8Array, { from, to }: Slice, line: number): Slice & { readonly next: number } {
  if (bytes[from] !== QUOTE) {
    let end = from;
    while (end < to && bytes[end] !== COMMA && bytes[end] !== TAB) end++;
    return { ...trimmed(bytes, from, end), next: end + 1 };
  }
  const close = bytes.indexOf(QUOTE, from + 1);
  if (close < 0 || close >= to) throw new ListFormatError('The quote is not closed in its line.', line);
  if (bytes[close + 1] === QUOTE) throw new ListFormatError('Quotes inside of quotes cannot be read.', line);
  let separator = close + 1;
  while (bytes[separator] === SPACE) separator++;
  return { from: from + 1, to: close, next: separator + 1 };
}

const isSpace = (byte: number | undefined): boolean => byte === SPACE || byte === TAB || byte === 0x0d;

function trimmed(bytes: Uint8Array, from: number, to: number): Slice {
  let [start, end] = [from, to];
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return { from: start, to: end };
}

function fromJson(bytes: Uint8Array, kind: ListKind): TextTable {
  const entries = jsonEntries(parsed(bytes), kind);
  const encoder = new TextEncoder();
  const parts = entries.map((entry) => entry.map((text) => encoder.encode(text)));
  const all = new Uint8Array(parts.reduce((sum, entry) => sum + entry.reduce((s, part) => s + part.length, 0), 0));
  const builder = new TableBuilder(all, kind === 'map');
  let at = 0;
  for (const [key, value] of parts) {
    const keyEnd = at + key!.length;
    all.set(key!, at);
    const end = keyEnd + (value?.length ?? 0);
    if (value !== undefined) all.set(value, keyEnd);
    builder.add(at, keyEnd, keyEnd, end);
    at = end;
  }
  return builder.build();
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new ListFormatError(`It is not JSON: ${(error as Error).message}.`);
  }
}

/** Of a set `[key]`, of a map `[key, value]`. */
function jsonEntries(value: unknown, kind: ListKind): readonly (readonly string[])[] {
  if (kind === 'set' && Array.isArray(value)) return value.map((item, i) => [scalar(item, `entry ${i + 1}`)]);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value);
    return kind === 'set' ? entries.map(([key]) => [key]) : entries.map(([key, of]) => [key, scalar(of, key)]);
  }
  const expected = kind === 'set' ? 'an array of texts or numbers' : 'an object of texts or numbers';
  throw new ListFormatError(`Expected ${expected}.`);
}

function scalar(value: unknown, what: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new ListFormatError(`The value of ${what} is neither a text nor a number.`);
}

/** A list of a test, or of a program: entries, or keys with their values. */
export function listOf(content: unknown): TextTable {
  return fromJson(new TextEncoder().encode(JSON.stringify(content)), Array.isArray(content) ? 'set' : 'map');
}
