/** Bytes of a slab, and of the largest byte string that is put into one. */
const SLAB = 256 * 1024;
const SHARED_MAX = SLAB / 8;

/**
 * Copies of byte strings that are needed for about as long as each other, side by side in large pieces of memory. A piece is given up with the
 * last of its copies; each with memory of its own would cost some hundred bytes more, time of the collector, and the C library's heap its shape.
 */
export class ByteSlabs {
  private slab = new Uint8Array(0);
  private used = 0;

  /** A copy. */
  keep(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (length > SHARED_MAX) return new Uint8Array(bytes);
    if (this.used + length > this.slab.length) {
      this.slab = new Uint8Array(SLAB);
      this.used = 0;
    }
    const copy = this.slab.subarray(this.used, this.used + length);
    copy.set(bytes);
    this.used += length;
    return copy;
  }
}
