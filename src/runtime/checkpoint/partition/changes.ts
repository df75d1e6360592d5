import type { StateBatch } from '../../ports/state-store.js';
import type { Change } from '../files/part-codec.js';

/** What a key costs in memory beside its bytes, about. */
const OVERHEAD_BYTES = 200;
/** Keys that are taken over between two turns of other work. */
const SLICE = 256;

/**
 * The newest put or delete of each key since some moment. Bounded: above `bytesMax` nothing is kept any more, and it says
 * that it has overflowed.
 */
export class ChangeSet implements Iterable<Change> {
  private byKey = new Map<string, Uint8Array | null>();
  private held = 0;
  private tooMany = false;

  constructor(private readonly bytesMax: number) {}

  /** Memory taken, in bytes, about. */
  get bytes(): number {
    return this.held;
  }

  get size(): number {
    return this.byKey.size;
  }

  get hasOverflowed(): boolean {
    return this.tooMany;
  }

  /** Takes over copies of what the batch says; as in a batch, a key that is deleted and put is there. */
  async add(batch: Pick<StateBatch, 'puts' | 'deletes'>, turn: () => Promise<void>): Promise<void> {
    let count = 0;
    for (const key of batch.deletes) {
      if (this.tooMany) return;
      this.set(nameOf(key), null);
      if (++count % SLICE === 0) await turn();
    }
    for (const { key, value } of batch.puts) {
      if (this.tooMany) return;
      this.set(nameOf(key), Buffer.from(value));
      if (++count % SLICE === 0) await turn();
    }
  }

  /** Puts in what an older set holds, where nothing newer is known. */
  async addOlder(older: ChangeSet, turn: () => Promise<void>): Promise<void> {
    if (older.tooMany) this.overflow();
    let count = 0;
    for (const [name, value] of older.byKey) {
      if (this.tooMany) return;
      if (!this.byKey.has(name)) this.set(name, value);
      if (++count % SLICE === 0) await turn();
    }
  }

  *[Symbol.iterator](): Iterator<Change> {
    for (const [name, value] of this.byKey) yield { key: Buffer.from(name, 'latin1'), value };
  }

  private set(name: string, value: Uint8Array | null): void {
    const before = this.byKey.get(name);
    this.held -= before === undefined ? 0 : costOf(name, before);
    this.held += costOf(name, value);
    this.byKey.set(name, value);
    if (this.held > this.bytesMax) this.overflow();
  }

  private overflow(): void {
    this.tooMany = true;
    this.byKey = new Map();
    this.held = 0;
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function costOf(name: string, value: Uint8Array | null): number {
  return OVERHEAD_BYTES + name.length + (value?.length ?? 0);
}
