import { type History, readJournal, type TickEntry } from '../../journal/journal.js';
import type { ReadRuleSet, RuleSetVersion } from '../../journal/rule-set-version.js';
import type { Stretch } from '../../journal/stretches.js';
import { type Log, partitionName, type TopicPartition } from '../../ports/log.js';
import type { PartitionState } from '../../ports/state-store.js';
import type { Cut } from '../../task/stored/cut.js';
import type { Task } from '../../task/task.js';
import { fillUpTo } from '../filling/fill-up-to.js';
import type { KeptFilling } from '../filling/kept-filling.js';
import { restoreTask } from '../restore/restore-task.js';

export interface ReplayerOptions {
  readonly log: Log;
  readonly journal: TopicPartition;
  /** What is in force after the last stretch. */
  readonly current: RuleSetVersion;
  readonly readRuleSet: ReadRuleSet;
  readonly makeTask: (ruleSet: RuleSetVersion) => Task;
  readonly signal: AbortSignal;
  readonly turn: () => Promise<void>;
  /** Says what is being done, for people. */
  readonly report: (text: string) => void;
  /** Records replayed. */
  readonly onReplayed: (records: number) => void;
  /** What is kept of rules that were filled; absent: nothing is. */
  readonly kept?: () => Promise<KeptFilling>;
  /** True: what is found is given out again, as it was when it was found first. */
  readonly givesOut?: boolean;
}

/**
 * Replays one partition's past: its records under the rule sets, and with the ticks, that the journal says were in force. Where
 * a rule set ended by an entry of the journal, the state goes over to the next, as it did when they were changed.
 */
export class Replayer {
  constructor(
    private readonly partition: TopicPartition,
    private readonly state: PartitionState,
    private readonly history: History,
    private readonly by: ReplayerOptions,
  ) {}

  /**
   * The task that comes of it, under the current rules. That they are in force is not said by the journal yet, nor is what follows from
   * open ticks durable yet: none of it is stored here. `open`: ticks at the end of the last stretch, whose outcome is given out.
   */
  async run(stretches: readonly Stretch[], open: readonly TickEntry[], cut: Cut | null, from: number): Promise<Task> {
    const { by } = this;
    const [first, ...rest] = stretches;
    const task = by.makeTask(await this.versionOf(first!.digest));
    if (cut === null) task.beginAt(from);
    else await restoreTask(task, cut, this.state, by);
    let stretch = first!;
    await this.replay(task, from, stretch);
    for (const next of rest) {
      await this.settled(task);
      const version = await this.versionOf(next.digest);
      task.switchTo(version, await this.filled(task, version, next.fill), by.givesOut !== true);
      if (stretch.endedBy !== null) task.followed({ ...task.followedTo, n: stretch.endedBy });
      await this.replay(task, stretch.until, next);
      stretch = next;
    }
    task.expectTicks(open);
    task.repeatTicks();
    // Rules that are to be filled come into force while it is live.
    if (task.rules.digest === by.current.digest || task.fillerFor(by.current) !== null) return task;
    await this.settled(task);
    task.switchTo(by.current);
    return task;
  }

  /** What was known of rules that were filled from the log when they came into force; `null`: none were. */
  private async filled(task: Task, version: RuleSetVersion, from: number | undefined): Promise<Task | null> {
    const filler = from === undefined ? null : task.fillerFor(version);
    if (filler === null || from === undefined) return null;
    const { by, partition } = this;
    const kept = await by.kept?.();
    if (kept !== undefined && (await kept.resume(filler, task.nextOffset, from)) !== null) {
      await fillUpTo(filler, task.nextOffset, by);
      return filler;
    }
    const { begin } = await by.log.offsets(partition);
    filler.beginAt(Math.max(from, begin));
    if (begin > from)
      by.report(
        `${partitionName(partition)}: records from ${from} on, with which rules were filled, are gone up to ${begin}`,
      );
    await fillUpTo(filler, task.nextOffset, by);
    return filler;
  }

  private async settled(task: Task): Promise<void> {
    while (!task.handOver()) await this.by.turn();
  }

  private async versionOf(digest: string | null): Promise<RuleSetVersion> {
    const { by, partition, history } = this;
    if (digest === null || digest === by.current.digest) return by.current;
    const body = history.bodies.get(digest) ?? (await this.oldBody(digest));
    try {
      if (body === undefined) throw new Error('the journal does not hold it');
      return await by.readRuleSet(body, async (of) => history.bodies.get(of) ?? this.oldBody(of));
    } catch (error) {
      by.report(
        `${partitionName(partition)}: the rule set ${digest} that was in force cannot be used (${(error as Error).message}); ` +
          'what must be replayed is replayed under the present one, so patterns that changed may find less at first',
      );
      return by.current;
    }
  }

  /** It may have been written before what had to be read of the journal. */
  private async oldBody(digest: string): Promise<Uint8Array | undefined> {
    const { by, partition } = this;
    const whole = await readJournal(by.log, by.journal, partition, 0, by.signal);
    return whole.bodies.get(digest);
  }

  private async replay(task: Task, from: number, { until, ticks }: Stretch): Promise<void> {
    const { by, partition } = this;
    task.expectTicks(ticks);
    if (until > from) by.report(`${partitionName(partition)}: replaying ${until - from} records to restore state`);
    for await (const batch of by.log.read(partition, from, { to: until, signal: by.signal })) {
      if (by.givesOut === true) await task.process(batch, by.signal);
      else await task.replay(batch, by.signal);
      by.onReplayed(batch.records.length);
    }
    by.signal.throwIfAborted();
    task.replayedTo(until, by.givesOut !== true);
  }
}
