import type { SpillFile } from '../ports/spill-file.js';

/** A spill file in memory, held to the contract of the real one: for tests. */
export class MemorySpillFile implements SpillFile {
  private bytes = new Uint8Array(0);

  get length(): number {
    return this.bytes.length;
  }

  read(position: number, into: Uint8Array): void {
    if (position + into.length > this.bytes.length) throw new RangeError(`nothing was written at ${position}`);
    into.set(this.bytes.subarray(position, position + into.length));
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(end);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(bytes, position);
  }

  close(): void {
    this.bytes = new Uint8Array(0);
  }
}
