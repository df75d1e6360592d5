import { createHash } from 'node:crypto';

/**
 * An object in a compacted topic:
 *
 *     key `name#id#0`, `name#id#1` …   its chunks; `id` is one attempt to put it
 *     key `name`                       its head: u32 LE bytes of a description, the description (JSON), content that fits (`chunks` is 0)
 *
 * A head or chunk without a value is deleted. No name has a `#`, so the keys of names and chunks cannot be mixed up.
 */
export interface Head {
  readonly version: 1;
  readonly id: string;
  readonly bytes: number;
  readonly chunks: number;
  /** SHA-256 of the content, in hexadecimal. */
  readonly sha256: string;
}

/** Most brokers take records up to 1 MB. */
export const CHUNK_BYTES = 900 * 1000;

export type ObjectKey = { readonly name: string; readonly chunk?: { readonly id: string; readonly index: number } };

const encoder = new TextEncoder();

export function headKey(name: string): Uint8Array {
  return encoder.encode(name);
}

export function chunkKey(name: string, id: string, index: number): Uint8Array {
  return encoder.encode(`${name}#${id}#${index}`);
}

/** `undefined`: a key that is none of ours. */
export function parseKey(key: Uint8Array | null): ObjectKey | undefined {
  if (key === null) return undefined;
  const [name = '', id, index, ...more] = Buffer.from(key).toString().split('#');
  if (id === undefined) return { name };
  if (!/^\d+$/.test(index ?? '') || more.length > 0) return undefined;
  return { name, chunk: { id, index: Number(index) } };
}

/** The content in chunks, views of it; none where it fits into the head. */
export function chunksOf(content: Uint8Array): Uint8Array[] {
  if (content.length <= CHUNK_BYTES) return [];
  const count = Math.ceil(content.length / CHUNK_BYTES);
  return Array.from({ length: count }, (_, i) => content.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
}

export function encodeHead(id: string, content: Uint8Array): Uint8Array {
  const chunks = chunksOf(content).length;
  const head: Head = { version: 1, id, bytes: content.length, chunks, sha256: digest(content) };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...(chunks === 0 ? [content] : [])]);
}

/** `undefined`: bytes that are none of ours, or of a later version. */
export function decodeHead(value: Uint8Array): { readonly head: Head; readonly content: Uint8Array } | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length < 4 || 4 + bytes.readUInt32LE(0) > bytes.length) return undefined;
  const contentAt = 4 + bytes.readUInt32LE(0);
  try {
    const head = JSON.parse(bytes.toString('utf8', 4, contentAt)) as Partial<Head>;
    return isHead(head) ? { head, content: bytes.subarray(contentAt) } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it is the content that was put. */
export function isContent(head: Head, content: Uint8Array): boolean {
  return content.length === head.bytes && digest(content) === head.sha256;
}

function isHead(head: Partial<Head>): head is Head {
  const numbers = [head.bytes, head.chunks].every((n) => Number.isSafeInteger(n));
  return head.version === 1 && numbers && typeof head.id === 'string' && typeof head.sha256 === 'string';
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
