import { pause } from '../../backoff.js';
import type { FillingStatus } from '../../detector.js';
import { readJournal } from '../../journal/journal.js';
import type { RuleSetVersion } from '../../journal/rule-set-version.js';
import { rulesToFill } from '../../journal/rules-to-fill.js';
import { startOf } from '../../journal/stretches.js';
import { partitionName, type TopicPartition } from '../../ports/log.js';
import type { Task } from '../../task/task.js';
import type { FillingRules, Owned } from '../owned.js';
import { fillUpTo } from './fill-up-to.js';
import { KeptFilling, type KeptFillingOptions } from './kept-filling.js';

/** So many records behind, the partition is stopped until the rest is replayed. */
const HOLD_BELOW = 5000;
/** Where the past begins is looked for to so many records. */
const NEAR_ENOUGH = 2000;
/** Times that are looked at in one place of the log. */
const PROBE_RECORDS = 100;
const RETRY_MS = 1000;

export interface FillingOptions extends KeptFillingOptions {
  readonly journal: TopicPartition;
}

/**
 * Fills rules from the log, of one partition, before they come into force there.
 *
 * 1. Find where the past begins that can still matter to them: by the times of the records, as far back as their windows and features
 *    reach; at most where the group began, or where retention has left records.
 * 2. Replay it beside the partition, which goes on under the rules until now.
 * 3. Near its position, hold the partition for the last few records, and let the rules come into force: the journal says from where on
 *    they were filled.
 *
 * A crash before 3 changes nothing: the rules until now are in force. What it had come to is kept now and then (`KeptFilling`), and who fills it on
 * this machine goes on from there; another machine begins again.
 */
export class Filling implements FillingRules {
  from: number | null = null;
  private kept: KeptFilling | null = null;
  private isOver = false;

  constructor(
    readonly filler: Task,
    private readonly owned: Owned,
    private readonly ruleSet: RuleSetVersion,
    private readonly by: FillingOptions,
  ) {}

  /** Whether the rules can come into force here. */
  isAt(offset: number): boolean {
    return this.from !== null && this.filler.nextOffset === offset;
  }

  /** The partition was given up, or other rules are to come. */
  stop(): void {
    this.isOver = true;
    this.kept?.release();
    this.owned.release(this);
  }

  status(): FillingStatus {
    const from = this.from ?? this.owned.task.nextOffset;
    return { rules: this.ids, from, position: this.from === null ? from : this.filler.nextOffset };
  }

  private get ids(): readonly string[] {
    return rulesToFill(this.ruleSet, this.owned.task.rules).map(({ id }) => id);
  }

  private get isWanted(): boolean {
    return !this.isOver && !this.by.signal.aborted;
  }

  /** Resolves when the rules are in force, or nobody wants them any more. */
  async run(): Promise<void> {
    const { report, clock, signal } = this.by;
    while (this.isWanted) {
      try {
        await this.fill(partitionName(this.owned.task.partition));
        return;
      } catch (error) {
        this.owned.release(this);
        if (!this.isWanted) return;
        report(`rules cannot be filled from the log yet: ${(error as Error).message}`);
        await pause(clock, RETRY_MS, signal);
      }
    }
  }

  private async fill(name: string): Promise<void> {
    const { owned, by, ids } = this;
    if (this.from === null) await this.begin(name);
    while (this.isWanted) {
      await this.catchUp();
      if (!this.isWanted) break;
      owned.switchRules();
      if (owned.filling !== this) {
        if (this.kept !== null) owned.forgetOnceStored(this.kept);
        by.report(`${name}: ${ids.join(', ')} in force, filled from offset ${this.from} to ${this.filler.nextOffset}`);
        break;
      }
      // Entries of the journal are being committed, or keys are on their way from a change before.
      await owned.gate?.catch(() => undefined);
      await by.turn();
    }
    owned.release(this);
  }

  private async begin(name: string): Promise<void> {
    const { by, filler, owned, ids } = this;
    owned.releaseKept();
    this.kept ??= await KeptFilling.open(filler.partition, by);
    if (!this.isWanted) return this.kept.release();
    const begun = await this.kept.resume(filler, owned.task.nextOffset);
    const from = begun ?? (await this.findStart());
    if (begun === null) {
      filler.beginAt(from);
      this.kept.begun(filler, from);
    }
    this.from = from;
    const behind = owned.task.nextOffset - filler.nextOffset;
    const where =
      begun === null ? `from offset ${from}` : `begun at offset ${from}, going on from ${filler.nextOffset}`;
    by.report(`${name}: filling ${ids.join(', ')} ${where}: ${behind} records`);
  }

  /** Replays up to where the partition is; near it the partition is held, and stands still then. */
  private async catchUp(): Promise<void> {
    const { by, filler, owned } = this;
    while (this.isWanted) {
      const to = owned.task.nextOffset;
      if (filler.nextOffset < to) await fillUpTo(filler, to, by, this.kept);
      if (!this.isWanted || owned.task.nextOffset - filler.nextOffset > HOLD_BELOW) continue;
      owned.hold(this);
      await owned.still();
      if (filler.nextOffset === owned.task.nextOffset) return;
    }
  }

  private async findStart(): Promise<number> {
    const { by, filler, owned } = this;
    const { partition } = owned.task;
    const { watermark } = owned.task.status();
    const history = await readJournal(by.log, by.journal, partition, 0, by.signal);
    const { begin } = await by.log.offsets(partition);
    let from = Math.max(begin, startOf(history));
    let to = owned.task.nextOffset;
    if (watermark === null) return to;
    const { clock } = this.ruleSet;
    // Partitions whose events are forwarded here may be far apart: their order says nothing.
    if (clock.forwarded === true) return Math.min(from, to);
    const early = watermark - filler.reachMs - 2 * clock.outOfOrdernessMs;
    while (to - from > NEAR_ENOUGH) {
      const middle = Math.floor((from + to) / 2);
      const times = await this.timesAt(middle, to);
      if (times.length > 0 && Math.max(...times) < early) from = middle;
      else to = middle;
    }
    return Math.min(from, owned.task.nextOffset);
  }

  private async timesAt(offset: number, to: number): Promise<readonly number[]> {
    const { by, filler } = this;
    for await (const batch of by.log.read(filler.partition, offset, { to, signal: by.signal })) {
      const records = batch.records.slice(0, PROBE_RECORDS);
      if (records.length > 0) return filler.timesOf({ ...batch, records }, by.signal);
    }
    by.signal.throwIfAborted();
    return [];
  }
}
