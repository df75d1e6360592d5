import type { EntryBlock } from '../ports/entry-block.js';
import type { StateBatch } from '../ports/state-store.js';
import { EntryImage } from './entry-image.js';

/** One listing of a partition that is read before it is asked for; once it is whole, it can be kept up with what is written. */
export class Reading {
  private readonly image: EntryImage;
  private state: 'under way' | 'whole' | 'given up' = 'under way';
  private changed: () => void = () => undefined;
  private changes: Promise<void> = Promise.resolve();

  constructor(turn: () => Promise<void>) {
    this.image = new EntryImage(turn);
  }

  /** Of a partition that has nothing. */
  static ofNothing(turn: () => Promise<void>): Reading {
    const reading = new Reading(turn);
    reading.state = 'whole';
    return reading;
  }

  get bytes(): number {
    return this.state === 'given up' ? 0 : this.image.bytes;
  }

  get isWhole(): boolean {
    return this.state === 'whole';
  }

  /** Reads to the end, or until it is stopped or `isFull`. Resolves then, whatever happened: who asks for it reads the store anew. */
  async run(listing: AsyncIterable<EntryBlock>, isFull: () => boolean): Promise<void> {
    try {
      for await (const block of listing) {
        if (this.state !== 'under way' || isFull()) return;
        this.image.append(block);
        this.changed();
      }
      if (this.state === 'under way') this.state = 'whole';
    } catch {
      // Who asks for it gets the error, if it is there still.
    } finally {
      if (this.state !== 'whole') this.stop();
      this.changed();
    }
  }

  /** Only while it is whole. A batch that the store has taken. */
  change({ puts, deletes }: StateBatch): Promise<void> {
    return this.next(() => this.image.change(puts, deletes));
  }

  /** Only while it is whole. Makes all of it ready to be given out. */
  settle(): Promise<void> {
    return this.next(() => this.image.settle());
  }

  /** Once: what was read, and then what is being read. `false`: it was given up before it was whole, and nothing was given out. */
  async *blocks(): AsyncGenerator<EntryBlock, boolean, undefined> {
    while (this.state === 'under way') {
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
    }
    if (this.isWhole) await this.settle();
    if (!this.isWhole) return false;
    const waiting = this.image.take();
    this.stop();
    for (const [i, block] of waiting.entries()) {
      yield block;
      // Whoever has it may keep it; nobody does here.
      delete waiting[i];
    }
    return true;
  }

  stop(): void {
    this.state = 'given up';
    this.image.take();
    this.changed();
  }

  private next(act: () => Promise<void>): Promise<void> {
    this.changes = this.changes.then(() => (this.isWhole ? act() : undefined));
    return this.changes;
  }
}
