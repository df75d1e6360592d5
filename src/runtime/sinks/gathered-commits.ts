import { Backoff } from '../backoff.js';
import type { Clock } from '../ports/clock.js';
import { type OffsetCommit, partitionName, type TopicPartition } from '../ports/log.js';

/** How long an offset waits for others to be committed with; after a failure longer. */
const TOGETHER_MS = 200;
const RETRY_MAX_MS = 5_000;

export interface GatheredCommitsOptions {
  readonly clock: Clock;
  readonly commit: (offsets: readonly OffsetCommit[]) => Promise<void>;
  /** Told of each commit: `null` where it worked. The offsets of one that failed are committed again later. */
  readonly onDone: (error: unknown) => void;
}

/**
 * Offsets that are safe, of all partitions of a group member, committed together and a little later: a commit is a write of the
 * broker's, and of alerts that come one by one each would cost one. Where the process dies meanwhile, more alerts are written
 * twice, which changes nothing.
 */
export class GatheredCommits {
  /** Until they are committed. */
  private readonly safe = new Map<string, OffsetCommit>();
  private readonly backoff = new Backoff(TOGETHER_MS, RETRY_MAX_MS);
  private cancel: (() => void) | null = null;
  private busy = false;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly options: GatheredCommitsOptions) {}

  /** Offsets of one partition must not fall. */
  add(offset: OffsetCommit): void {
    this.safe.set(partitionName(offset), offset);
    if (!this.busy) this.schedule(TOGETHER_MS);
  }

  /** Forgets offsets that were not committed yet, of partitions that are someone else's now. */
  drop(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.safe.delete(partitionName(partition));
  }

  /** Forgets all of them. */
  clear(): void {
    this.unschedule();
    this.safe.clear();
  }

  /** Tries to commit what is safe now; resolves when that, and what was under way, has worked or not. */
  now(): Promise<void> {
    this.unschedule();
    this.turn = this.turn.then(() => this.commitSafe());
    return this.turn;
  }

  private async commitSafe(): Promise<void> {
    const offsets = [...this.safe.values()];
    if (offsets.length === 0) return;
    this.busy = true;
    let wait = TOGETHER_MS;
    try {
      await this.options.commit(offsets);
      for (const offset of offsets)
        if (this.safe.get(partitionName(offset)) === offset) this.safe.delete(partitionName(offset));
      this.backoff.reset();
      this.options.onDone(null);
    } catch (error) {
      wait = this.backoff.next();
      this.options.onDone(error);
    }
    this.busy = false;
    if (this.safe.size > 0) this.schedule(wait);
  }

  private schedule(ms: number): void {
    this.cancel ??= this.options.clock.schedule(ms, () => void this.now());
  }

  private unschedule(): void {
    this.cancel?.();
    this.cancel = null;
  }
}
