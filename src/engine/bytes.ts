/** Growing byte buffer for encoding: unsigned varints (LEB128), doubles, byte strings. */
export class ByteWriter {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  double(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** A whole number below 2^32, in four bytes. */
  word(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** With its length before it. */
  byteString(value: Uint8Array): void {
    this.varint(value.length);
    this.append(value);
  }

  /** As it is, with nothing before it. */
  append(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  /** What was written, in a view that holds until the next write; the writer is empty again. */
  take(): Uint8Array {
    const written = this.bytes.subarray(0, this.length);
    this.length = 0;
    return written;
  }

  /** A copy of what was written; the writer is empty again, and can be used anew without another allocation. */
  finish(): Uint8Array {
    return this.take().slice();
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what `ByteWriter` wrote; throws `RangeError` at the end of the bytes. */
export class ByteReader {
  private at = 0;
  /** Made when it is needed: most readers read no double. */
  private view: DataView | null = null;

  constructor(private readonly bytes: Uint8Array) {}

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new RangeError('bytes end inside a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  double(): number {
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.view ??= new DataView(buffer, byteOffset, byteLength);
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** A view of the bytes given to the constructor, not a copy. */
  byteString(): Uint8Array {
    const length = this.varint();
    if (this.at + length > this.bytes.length) throw new RangeError('bytes end inside a byte string');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Goes on at another place. */
  moveTo(position: number): void {
    this.at = position;
  }

  skip(length: number): void {
    if (this.at + length > this.bytes.length) throw new RangeError('bytes end inside a byte string');
    this.at += length;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.at;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }
}
