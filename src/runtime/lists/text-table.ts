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

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class TextTable {
  private scratch = new Uint8Array(256);

  constructor(readonly data: TextTableData) {}

  get size(): number {
    return this.data.size;
  }

  get bytes(): number {
    const { starts, keys, keyEnds, values, valueEnds } = this.data;
    return [starts, keys, keyEnds, values, valueEnds].reduce((sum, part) => sum + part.byteLength, 0);
  }

  has(text: string): boolean {
    return this.find(text) >= 0;
  }

  get(key: string): string | undefined {
    const at = this.find(key);
    if (at < 0) return undefined;
    const { values, valueEnds } = this.data;
    // Views of shared memory cannot be decoded.
    return decoder.decode(values.slice(at === 0 ? 0 : valueEnds[at - 1]!, valueEnds[at]!));
  }

  /** Hex SHA-256 over the entries; the same for equal contents. */
  digest(): string {
    const { keys, keyEnds, values, valueEnds } = this.data;
    const hash = createHash('sha256');
    for (const part of [keyEnds, keys, valueEnds, values])
      hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    return hash.digest('hex');
  }

  private find(text: string): number {
    const length = this.encode(text);
    const { scratch } = this;
    const { starts, bucketBits, keys, keyEnds } = this.data;
    const bucket = bucketOf(hashBytes(scratch, 0, length), bucketBits);
    for (let i = starts[bucket]!; i < starts[bucket + 1]!; i++) {
      const from = i === 0 ? 0 : keyEnds[i - 1]!;
      if (keyEnds[i]! - from !== length) continue;
      let same = 0;
      while (same < length && keys[from + same] === scratch[same]) same++;
      if (same === length) return i;
    }
    return -1;
  }

  private encode(text: string): number {
    if (this.scratch.length < 3 * text.length) this.scratch = new Uint8Array(3 * text.length);
    const { scratch } = this;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) return encoder.encodeInto(text, scratch).written;
      scratch[i] = unit;
    }
    return text.length;
  }
}

export const bucketOf = (hash: number, bits: number): number => (bits === 0 ? 0 : hash >>> (32 - bits));
