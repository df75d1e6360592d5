/**
 * Many byte strings in one buffer, which crosses threads without a copy. A message with a thousand arrays of its own costs some
 * microseconds for each of them.
 *
 * Layout, in 32-bit words of the machine: number of parts, the length of each, then their bytes one after another.
 */
const WORD = 4;

/** Copies the parts: the caller may reuse its buffers at once. */
export function pack(parts: readonly Uint8Array[]): ArrayBuffer {
  const begin = WORD * (parts.length + 1);
  const total = parts.reduce((sum, part) => sum + part.length, begin);
  const packed = new ArrayBuffer(total);
  const words = new Uint32Array(packed, 0, parts.length + 1);
  const bytes = new Uint8Array(packed);
  words[0] = parts.length;
  let at = begin;
  for (const [index, part] of parts.entries()) {
    words[index + 1] = part.length;
    bytes.set(part, at);
    at += part.length;
  }
  return packed;
}

/** The same, of parts that lie one after another already. */
export function packRun(run: Uint8Array, lengths: readonly number[]): ArrayBuffer {
  const begin = WORD * (lengths.length + 1);
  const packed = new ArrayBuffer(begin + run.length);
  const words = new Uint32Array(packed, 0, lengths.length + 1);
  words[0] = lengths.length;
  words.set(lengths, 1);
  new Uint8Array(packed).set(run, begin);
  return packed;
}

/** All parts in one view, and the length of each. */
export function partsOf(packed: ArrayBuffer): { readonly bytes: Buffer; readonly lengths: Uint32Array } {
  const count = new Uint32Array(packed, 0, 1)[0]!;
  return { bytes: Buffer.from(packed, WORD * (count + 1)), lengths: new Uint32Array(packed, WORD, count) };
}

/** Views of the parts: they keep the whole buffer in memory. */
export function unpack(packed: ArrayBuffer): Buffer[] {
  const count = new Uint32Array(packed, 0, 1)[0]!;
  const lengths = new Uint32Array(packed, WORD, count);
  const parts = new Array<Buffer>(count);
  let at = WORD * (count + 1);
  for (let index = 0; index < count; index++) {
    const length = lengths[index]!;
    parts[index] = Buffer.from(packed, at, length);
    at += length;
  }
  return parts;
}
