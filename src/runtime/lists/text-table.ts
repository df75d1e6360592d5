import { createHash } from 'node:crypto';
import { hashBytes } from './text-hash.js';

/**
 * Texts, each with another one if it is a map, as bytes: some 25 bytes an entry of 12 characters, nothing of which the garbage
 * collector has to walk over. It never changes, and it can be shared between threads: all its memory is `SharedArrayBuffer`.
 *
 * Invariants
 * 1. Entries stand in order of their keys' hash, then of their keys. So equal contents are equal bytes, whatever their order was.
 * 2. Those with the same first `bucketBits` bits of the hash stand from `starts[b]` up to `starts[b + 1]`.
 */
export interface TextTableData {
  readonly size: number;
  readonly bucketBits: number;
  readonly starts: Uint32Array;
  /** Keys one after the other, in UTF-8, and where each ends. */
  readonly keys: Uint8Array;
  readonly keyEnds: Uint32Array;
  /** The same for the values; empty for a set. */
  readonly values: Uint8Array;
  readonly valueEnds: Uint32Array;
}

/** A text as it is looked up: its bytes, up to `length`, and their hash. */
export interface TextKey {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly hash: number;
}

/** Where the bytes of an entry are; of a set's the value is empty. */
export interface EntryPlace {
  readonly keyFrom: number;
  readonly keyTo: number;
  readonly valueFrom: number;
  readonly valueTo: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Holds until the next call. */
const scratchKey = { bytes: new Uint8Array(256), from: 0, to: 0, hash: 0 };

/** Nothing is allocated: what it answers is overwritten by the next call. */
export function textKey(text: string): TextKey {
  if (scratchKey.bytes.length < 3 * text.length) scratchKey.bytes = new Uint8Array(3 * text.length);
  scratchKey.to = encode(text, scratchKey.bytes);
  scratchKey.hash = hashBytes(scratchKey.bytes, 0, scratchKey.to);
  return scratchKey;
}

function encode(text: string, into: Uint8Array): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return encoder.encodeInto(text, into).written;
    into[i] = unit;
  }
  return text.length;
}

export class TextTable {
  constructor(readonly data: TextTableData) {}

  get size(): number {
    return this.data.size;
  }

  get bytes(): number {
    const { starts, keys, keyEnds, values, valueEnds } = this.data;
    return [starts, keys, keyEnds, values, valueEnds].reduce((sum, part) => sum + part.byteLength, 0);
  }

  has(text: string): boolean {
    return this.find(textKey(text)) >= 0;
  }

  get(key: string): string | undefined {
    const at = this.find(textKey(key));
    return at < 0 ? undefined : this.valueAt(at);
  }

  keyAt(at: number): string {
    const { keyFrom, keyTo } = this.placeAt(at);
    return decoder.decode(this.data.keys.slice(keyFrom, keyTo));
  }

  /** Empty in a set. */
  valueAt(at: number): string {
    const { valueFrom, valueTo } = this.placeAt(at);
    // Views of shared memory cannot be decoded.
    return decoder.decode(this.data.values.slice(valueFrom, valueTo));
  }

  /** Where the bytes of the entry of this number are in `data.keys` and `data.values`. */
  placeAt(at: number): EntryPlace {
    const { keyEnds, valueEnds } = this.data;
    return {
      keyFrom: at === 0 ? 0 : keyEnds[at - 1]!,
      keyTo: keyEnds[at]!,
      valueFrom: at === 0 ? 0 : (valueEnds[at - 1] ?? 0),
      valueTo: valueEnds[at] ?? 0,
    };
  }

  /** The key of the entry of this number, as it is looked up elsewhere. */
  textKeyAt(at: number): TextKey {
    const { keyFrom: from, keyTo: to } = this.placeAt(at);
    const { keys: bytes } = this.data;
    return { bytes, from, to, hash: hashBytes(bytes, from, to) };
  }

  /** Hex SHA-256 over the entries; the same for equal contents. */
  digest(): string {
    const { keys, keyEnds, values, valueEnds } = this.data;
    const hash = createHash('sha256');
    for (const part of [keyEnds, keys, valueEnds, values])
      hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    return hash.digest('hex');
  }

  /** The number of an entry, from 0; -1: there is none. */
  find({ bytes, from: keyFrom, to: keyTo, hash }: TextKey): number {
    const { starts, bucketBits, keys, keyEnds } = this.data;
    const length = keyTo - keyFrom;
    const bucket = bucketOf(hash, bucketBits);
    for (let i = starts[bucket]!; i < starts[bucket + 1]!; i++) {
      const from = i === 0 ? 0 : keyEnds[i - 1]!;
      if (keyEnds[i]! - from !== length) continue;
      let same = 0;
      while (same < length && keys[from + same] === bytes[keyFrom + same]) same++;
      if (same === length) return i;
    }
    return -1;
  }
}

export const bucketOf = (hash: number, bits: number): number => (bits === 0 ? 0 : hash >>> (32 - bits));
