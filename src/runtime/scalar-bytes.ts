import type { ByteReader, ByteWriter, Scalar } from '../engine/index.js';

const [MISSING, NUMBER, TEXT, FALSE, TRUE] = [0, 1, 2, 3, 4];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes a value with what it is. `null`: missing. */
export function writeScalar(out: ByteWriter, value: Scalar | null): void {
  out.varint(tagOf(value));
  if (typeof value === 'number') out.double(value);
  else if (typeof value === 'string') out.byteString(encoder.encode(value));
}

export function readScalar(input: ByteReader): Scalar | null {
  const tag = input.varint();
  if (tag === NUMBER) return input.double();
  if (tag === TEXT) return decoder.decode(input.byteString());
  return tag === MISSING ? null : tag === TRUE;
}

function tagOf(value: Scalar | null): number {
  if (value === null) return MISSING;
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  return typeof value === 'number' ? NUMBER : TEXT;
}
