import type { EntryBlock } from '../ports/entry-block.js';

/** One listing of a partition that is read before it is asked for. */
export class Reading {
  private waiting: EntryBlock[] = [];
  private bytesWaiting = 0;
  private state: 'under way' | 'whole' | 'given up' = 'under way';
  private stopped = false;
  private changed: () => void = () => undefined;

  constructor(private readonly listing: AsyncGenerator<EntryBlock, void, undefined>) {}

  get bytes(): number {
    return this.bytesWaiting;
  }

  get isWhole(): boolean {
    return this.state === 'whole';
  }

  /** Reads to the end, or until it is stopped or `isFull`. Resolves then, whatever happened: who asks for it reads the store anew. */
  async run(isFull: () => boolean): Promise<void> {
    try {
      for await (const block of this.listing) {
        if (this.stopped || isFull()) return;
        this.waiting.push(block);
        this.bytesWaiting += block.packed.byteLength;
        this.changed();
      }
      this.state = 'whole';
    } catch {
      // Who asks for it gets the error, if it is there still.
    } finally {
      if (this.state !== 'whole') this.stop();
      this.changed();
    }
  }

  /** Once: what was read, and then what is being read. `false`: it was given up before it was whole, and nothing was given out. */
  async *blocks(): AsyncGenerator<EntryBlock, boolean, undefined> {
    while (this.state === 'under way') {
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
    }
    if (this.state === 'given up') return false;
    const { waiting } = this;
    this.stop();
    for (const [i, block] of waiting.entries()) {
      yield block;
      // Whoever has it may keep it; nobody does here.
      delete waiting[i];
    }
    return true;
  }

  stop(): void {
    this.stopped = true;
    if (this.state === 'under way') this.state = 'given up';
    this.waiting = [];
    this.bytesWaiting = 0;
    this.changed();
  }
}
