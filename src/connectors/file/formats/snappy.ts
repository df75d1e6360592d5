/** Decompression of raw Snappy (no framing), as Avro's `snappy` codec wants it. Throws `RangeError` for bytes that do not hold. */

function bad(why: string): never {
  throw new RangeError(`snappy: ${why}`);
}

/** @param lengthMax refuses data that claims to be larger */
export function snappyDecompress(input: Uint8Array, lengthMax: number): Buffer {
  let pos = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[pos++];
    if (byte === undefined || shift > 28) bad('no length');
    length += (byte & 0x7f) * 2 ** shift;
    if ((byte & 0x80) === 0) break;
  }
  // One element of three bytes gives at most 64 bytes.
  if (length > lengthMax || length > input.length * 64) bad(`a length of ${length} bytes`);
  const output = Buffer.allocUnsafe(length);
  let end = 0;
  while (pos < input.length) {
    const tag = input[pos++]!;
    if ((tag & 3) === 0) {
      let size = tag >> 2;
      if (size >= 60) {
        const extra = size - 59;
        size = littleEndian(input, pos, extra);
        pos += extra;
      }
      size += 1;
      if (pos + size > input.length || end + size > length) bad('a literal runs past the end');
      output.set(input.subarray(pos, pos + size), end);
      pos += size;
      end += size;
      continue;
    }
    const { size, distance, next } = copyElement(input, pos, tag);
    pos = next;
    if (distance === 0 || distance > end || end + size > length) bad('a copy runs out of bounds');
    // Byte by byte: a copy may overlap what it writes.
    for (const stop = end + size; end < stop; end++) output[end] = output[end - distance]!;
  }
  if (end !== length) bad(`${end} bytes instead of ${length}`);
  return output;
}

function copyElement(input: Uint8Array, pos: number, tag: number) {
  switch (tag & 3) {
    case 1:
      return { size: ((tag >> 2) & 7) + 4, distance: ((tag >> 5) << 8) | littleEndian(input, pos, 1), next: pos + 1 };
    case 2:
      return { size: (tag >> 2) + 1, distance: littleEndian(input, pos, 2), next: pos + 2 };
    default:
      return { size: (tag >> 2) + 1, distance: littleEndian(input, pos, 4), next: pos + 4 };
  }
}

function littleEndian(input: Uint8Array, pos: number, bytes: number): number {
  if (pos + bytes > input.length) bad('it ends within an element');
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + input[pos + i]!;
  return value;
}
