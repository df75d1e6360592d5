import type { ListKind } from '../../rules/known-lists.js';
import { TextTable, type TextTableData } from './text-table.js';

interface Header {
  readonly kind: ListKind;
  readonly size: number;
  readonly bucketBits: number;
  /** Bytes of each part of the table, in the order of `PARTS`. */
  readonly lengths: readonly number[];
}

const PARTS = ['starts', 'keys', 'keyEnds', 'values', 'valueEnds'] as const;
const WORDS: ReadonlySet<string> = new Set(['starts', 'keyEnds', 'valueEnds']);

/** A whole list as bytes: a line of JSON that says how long each part of the table is, and the parts. */
export function encodeTable(kind: ListKind, { data }: TextTable): Uint8Array {
  const parts = PARTS.map((part) => bytesOf(data[part]));
  const { size, bucketBits } = data;
  const header: Header = { kind, size, bucketBits, lengths: parts.map((part) => part.length) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...parts]);
}

/** `null`: bytes that are none of ours. */
export function decodeTable(given: Uint8Array): TextTable | null {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  const end = bytes.indexOf(0x0a);
  const header = end < 0 ? null : headerOf(bytes.toString('utf8', 0, end));
  if (header === null) return null;
  const { size, bucketBits, lengths } = header;
  let at = end + 1;
  if (lengths.reduce((sum, n) => sum + n, at) !== bytes.length) return null;
  const parts = PARTS.map((part, i) => {
    const copy = new Uint8Array(new SharedArrayBuffer(lengths[i]!));
    copy.set(bytes.subarray(at, at + lengths[i]!));
    at += lengths[i]!;
    return [part, WORDS.has(part) ? new Uint32Array(copy.buffer) : copy];
  });
  return new TextTable({ size, bucketBits, ...Object.fromEntries(parts) } as TextTableData);
}

function headerOf(line: string): Header | null {
  try {
    const header = JSON.parse(line) as Header;
    return Array.isArray(header.lengths) && header.lengths.length === PARTS.length ? header : null;
  } catch {
    return null;
  }
}

const bytesOf = (part: Uint8Array | Uint32Array): Buffer => Buffer.from(part.buffer, part.byteOffset, part.byteLength);
