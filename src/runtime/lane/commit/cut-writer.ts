import type { TaskSnapshot } from '../../task/task.js';
import type { LaneOptions } from '../options.js';
import type { Owned } from '../owned.js';

type CutOptions = Pick<LaneOptions, 'snapshotIntervalMs' | 'snapshotBytes'>;

/** One partition's share in a commit. */
export interface Part {
  readonly owned: Owned;
  readonly position: number;
  readonly snapshot: TaskSnapshot | null;
  readonly holds: string;
}

/** Stores the cuts of what was committed. It takes its time, and commits need not wait: what is committed meanwhile is in the next cut. */
export class CutWriter {
  private storing: Promise<void> | null = null;
  /** Of the last cut that had any; a guess before. */
  private bytesPerKey = 256;

  constructor(
    private readonly isHeld: (owned: Owned) => boolean,
    private readonly turn: () => Promise<void>,
    private readonly report: (text: string) => void,
  ) {}

  get isBusy(): boolean {
    return this.storing !== null;
  }

  /** Whether a cut is to be stored, so long after the last one. */
  isDue(sinceMs: number, all: Iterable<Owned>, { snapshotIntervalMs, snapshotBytes }: CutOptions): boolean {
    if (sinceMs >= snapshotIntervalMs) return true;
    let changed = 0;
    for (const { task } of all) changed += task.keysChanged;
    return snapshotBytes !== undefined && changed * this.bytesPerKey >= snapshotBytes;
  }

  /** Resolves when no cut is on its way. */
  async stored(): Promise<void> {
    await this.storing;
  }

  /** Parts without a snapshot are left out. It must not be busy when there are others. */
  store(parts: readonly Part[]): void {
    const due = parts.filter(({ snapshot }) => snapshot !== null);
    if (due.length === 0) return;
    this.storing = this.storeAll(due).finally(() => {
      this.storing = null;
    });
  }

  private async storeAll(parts: readonly Part[]): Promise<void> {
    for (const { owned, snapshot, holds } of parts) {
      try {
        const batch = await snapshot!.encode(this.turn);
        // Who has the partition now goes on from the cut before: this one must not come between.
        if (!this.isHeld(owned)) continue;
        await owned.state.write(batch);
        await owned.storedAs(holds);
        const bytes = batch.puts.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
        if (batch.puts.length > 0) this.bytesPerKey = bytes / batch.puts.length;
      } catch (error) {
        snapshot!.revert();
        this.report(`state of ${owned.name} was not stored; tried again: ${(error as Error).message}`);
      }
    }
  }
}
