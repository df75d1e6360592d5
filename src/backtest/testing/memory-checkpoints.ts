import type { Checkpoints } from '../checkpoint/checkpoints.js';

/** What ends a process. */
export class Crash extends Error {}

/** Keeps something after every batch; `crash` says of each time, from 1, whether the process then ends. */
export class MemoryCheckpoints implements Checkpoints {
  saved = 0;
  private kept: readonly Uint8Array[] | null = null;

  constructor(private readonly crash: (saved: number) => boolean = () => false) {}

  isDue(): boolean {
    return true;
  }

  async save(pieces: Iterable<Uint8Array>): Promise<void> {
    this.kept = Array.from(pieces, (piece) => piece.slice());
    if (this.crash(++this.saved)) throw new Crash();
  }

  async load(): Promise<readonly Uint8Array[] | null> {
    return this.kept;
  }
}

/** Begins again after each crash. */
export async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}
