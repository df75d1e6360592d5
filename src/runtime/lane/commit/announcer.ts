import { entryRecord } from '../../journal/journal.js';
import type { GroupMember, OutgoingRecord } from '../../ports/log.js';
import type { Owned } from '../owned.js';
import type { Delivery } from './delivery.js';

export interface AnnouncerOptions {
  readonly outputs: () => Delivery;
  readonly member: () => GroupMember;
  readonly isHeld: (owned: Owned) => boolean;
  /** Does it while no commit is under way; says whether it could be done. */
  readonly alone: (act: () => Promise<boolean>) => Promise<boolean>;
  readonly pause: () => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}

/** Sees to it that the journal says which rules are in force before what they find can be read. */
export class Announcer {
  constructor(private readonly options: AnnouncerOptions) {}

  /** Exactly once: both are in one transaction. At least once: the journal's entry comes first. False: the partition was given up meanwhile. */
  async announced(owned: Owned): Promise<boolean> {
    const { outputs, isHeld, pause } = this.options;
    while (owned.announcement.length > 0 && isHeld(owned)) {
      if (outputs().currentMode === 'exactly-once') this.toCommit(owned);
      else if (!(await this.announce(owned))) await pause();
    }
    return isHeld(owned);
  }

  /** What waits to be announced goes into the transaction of the next commit, before all that is added from now on. */
  toCommit(owned: Owned, ...more: readonly OutgoingRecord[]): void {
    for (const record of [...owned.announcement, ...more]) this.options.outputs().addToCommit(owned.name, record);
    owned.announcement = [];
  }

  /** Whether something is to be announced. */
  waits(owned: Owned): boolean {
    return owned.announcement.length > 0 && this.options.isHeld(owned);
  }

  /** What waits to be announced is said by the next commit at the latest. No other commit may be under way. */
  async before(owned: Owned): Promise<void> {
    // It may have been given up while others were waited for, and its next owner has the next number.
    if (!this.options.isHeld(owned)) return;
    if (this.options.outputs().currentMode === 'exactly-once') this.toCommit(owned);
    else await this.write(owned);
  }

  /**
   * Commits what waits to be announced, if anything does, and `more`. No other commit may be under way. `then`: what is done when that is
   * committed, before a batch begins or rules change.
   */
  async write(owned: Owned, more: readonly OutgoingRecord[] = [], then = (): void => undefined): Promise<void> {
    const records = [...owned.announcement, ...more];
    if (records.length === 0) return;
    const said = owned.announcement.length;
    await this.holding(owned, async () => {
      await this.commitOf([owned], records);
      // While it is held: what is to be announced next must not be forgotten with it.
      owned.announcement = owned.announcement.slice(said);
      then();
    });
  }

  /**
   * Moves the clock of a partition that is idle. Exactly once: the journal's entry and what follows from the tick are in one
   * transaction. At least once: the entry is committed first, so that the tick is repeated if its outcome is not given out.
   */
  async tickIdle(owned: Owned): Promise<void> {
    const { task, journal } = owned;
    const outputs = this.options.outputs();
    const watermark = owned.busy || !this.options.isHeld(owned) ? null : task.dueTick();
    if (watermark === null) return;
    const atOnce = outputs.currentMode === 'at-least-once';
    const entry = task.tickEntry(watermark, !atOnce);
    const record = entryRecord(journal, task.partition, entry);
    if (!atOnce) this.toCommit(owned, record);
    if (!atOnce) task.tick(entry);
    else await this.write(owned, [record], () => task.tick(entry));
    outputs.flush();
  }

  /** Commits what was processed of these partitions, and entries of the journal, unless they were given up. */
  commitOf(all: readonly Owned[], journal: readonly OutgoingRecord[] = []): Promise<void> {
    const { outputs, member, isHeld } = this.options;
    const offsets = all.map(({ offset }) => offset);
    return outputs().commit(member(), offsets, journal, () => all.every(isHeld));
  }

  private announce(owned: Owned): Promise<boolean> {
    return this.options.alone(async () => {
      try {
        await this.write(owned);
        return true;
      } catch (error) {
        this.options.onFailure(error);
        return false;
      }
    });
  }

  /** Does something with no batch begun, and no rules changed, meanwhile. */
  private async holding(owned: Owned, act: () => Promise<void>): Promise<void> {
    owned.gate = act();
    try {
      await owned.gate;
    } finally {
      owned.gate = null;
    }
  }
}
