import { ChunkedState } from '../../chunked/chunked-state.js';
import type { Clock } from '../../ports/clock.js';
import type { TopicPartition } from '../../ports/log.js';
import { besidesPartition, type PartitionState } from '../../ports/state-store.js';
import { type Cut, decodeCut } from '../../task/stored/cut.js';
import type { Task } from '../../task/task.js';
import type { LaneOptions } from '../options.js';
import { type RestoreFrom, restoreTask } from '../restore/restore-task.js';

export interface KeptFillingOptions extends RestoreFrom, Pick<LaneOptions, 'store' | 'chunkSizes'> {
  readonly clock: Clock;
  readonly snapshotIntervalMs: number;
  readonly report: (text: string) => void;
}

/**
 * What filling a rule from the log has come to, kept in the state store of this machine: whoever fills it for the same partition after a crash goes
 * on from there. It is a function of the rules and of the records from where filling began, so that it does not matter who has kept
 * it, nor when.
 *
 * K1. It is used for the same rules alone, and not beyond where the partition is.
 * K2. It is forgotten once the partition's own cut has what was filled.
 */
export class KeptFilling {
  private keptAt = 0;
  private isReleased = false;

  private constructor(
    private readonly state: PartitionState,
    private readonly by: KeptFillingOptions,
  ) {}

  static async open(of: TopicPartition, by: KeptFillingOptions): Promise<KeptFilling> {
    const kept = new KeptFilling(
      new ChunkedState(await by.store.partition(besidesPartition(of)), by.turn, by.chunkSizes),
      by,
    );
    kept.keptAt = by.clock.now();
    return kept;
  }

  /**
   * Has the filler go on from what is kept, and answers where filling had begun. `null`: nothing is kept that can be used, and nothing is from
   * now on. `upTo`: where the partition is. `from`: where filling must have begun; absent: anywhere.
   */
  async resume(filler: Task, upTo: number, from?: number): Promise<number | null> {
    const { state, by } = this;
    const cut = await this.usable(filler, upTo, from);
    if (cut === null) {
      await state.clear();
      return null;
    }
    await restoreTask(filler, cut, state, by);
    while (!filler.handOver()) await by.turn();
    return cut.journal.from;
  }

  /** The filler has begun where nothing was kept. */
  begun(filler: Task, from: number): void {
    // It follows no journal: the place in its cut says where it began.
    filler.followed({ n: 0, from });
  }

  /** Keeps what the filler has come to, where it is time to. No record is processed meanwhile. */
  async keep(filler: Task): Promise<void> {
    const { by, state } = this;
    const now = by.clock.now();
    if (this.isReleased || now - this.keptAt < by.snapshotIntervalMs) return;
    this.keptAt = now;
    const snapshot = filler.snapshot();
    try {
      const batch = await snapshot.encode(by.turn);
      if (!this.isReleased) await state.write(batch);
    } catch (error) {
      snapshot.revert();
      if (!this.isReleased)
        by.report(`what rules were filled with is not kept; tried again: ${(error as Error).message}`);
    }
  }

  /** What was filled is in the partition's own cut. */
  async forget(): Promise<void> {
    if (this.isReleased) return;
    try {
      await this.state.clear();
    } catch (error) {
      this.by.report(`what rules were filled with is kept for longer than needed: ${(error as Error).message}`);
    }
    this.release();
  }

  /** The partition was given up, or other rules are to be filled. */
  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    void this.state.release?.();
  }

  private async usable(filler: Task, upTo: number, from: number | undefined): Promise<Cut | null> {
    const bytes = await this.state.cut();
    const cut = bytes === null ? null : readable(bytes);
    if (cut === null || cut.position > upTo || cut.rules !== filler.rules.digest) return null;
    if (from !== undefined && cut.journal.from !== from) return null;
    const names = (rules: readonly { readonly id: string; readonly revision: string }[]): string =>
      rules
        .map(({ id, revision }) => `${id} ${revision}`)
        .sort()
        .join();
    if (names(cut.engines.flatMap(({ rules }) => rules)) !== names(filler.rules.rules)) return null;
    const { begin } = await this.by.log.offsets(filler.partition);
    return cut.refill < begin ? null : cut;
  }
}

/** `null`: another release wrote it, or it is not whole. */
function readable(bytes: Uint8Array): Cut | null {
  try {
    return decodeCut(bytes);
  } catch {
    return null;
  }
}

/** Opens it when it is asked for first. */
export function keptOnce(of: TopicPartition, by: KeptFillingOptions) {
  const once = {
    opened: null as KeptFilling | null,
    open: async (): Promise<KeptFilling> => {
      once.opened ??= await KeptFilling.open(of, by);
      return once.opened;
    },
  };
  return once;
}
