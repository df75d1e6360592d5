import type { Texts } from '../../../engine/index.js';
import { WordColumn } from '../table/columns.js';
import { KeyTable } from '../table/key-table.js';

/** The texts that windows hold, each once however many events of however many keys have it, outside the heap. */
export class SlotTexts implements Texts {
  private readonly table = new KeyTable();
  /** How often each was asked for and not yet released. */
  private readonly uses = new WordColumn();

  /** Texts that are held. */
  get size(): number {
    return this.table.size;
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.table.bytes + this.uses.bytes;
  }

  idOf(text: string): number {
    const id = this.table.add(text);
    this.uses.reserve(id + 1);
    this.uses.set(id, this.uses.get(id) + 1);
    return id;
  }

  textOf(id: number): string {
    return this.table.keyAt(id);
  }

  release(id: number): void {
    const uses = this.uses.get(id) - 1;
    this.uses.set(id, uses);
    if (uses === 0) this.table.remove(id);
  }
}
