import { bodyRecord, entryRecord } from '../journal/journal.js';
import { differsInLists, type RuleSetVersion } from '../journal/rule-set-version.js';
import { type OffsetCommit, type OutgoingRecord, partitionName, type TopicPartition } from '../ports/log.js';
import type { PartitionState } from '../ports/state-store.js';
import type { Forwarder } from '../repartition/forwarder.js';
import type { Task } from '../task/task.js';

/** For how long keys go over to other rules between two batches. */
const HAND_OVER_SECONDS = 0.003;
/** Between two goes at keys that nobody has asked for. */
const REST_PAUSE_MS = 10;

/** One partition for as long as a lane owns it. */
export class Owned {
  readonly name: string;
  /** A batch is being processed. */
  busy = false;
  /** While it is set, no batch is begun: entries of the journal for this position are being committed. */
  gate: Promise<unknown> | null = null;
  /** What the last cut that was stored holds; empty: none in this ownership. */
  stored = '';
  /**
   * Entries of the journal that must be committed before anything that follows from them is given out: which rule set is in force
   * from here on.
   */
  announcement: readonly OutgoingRecord[] = [];
  /** Rules that come into force before the next batch, or part of one, is begun. */
  private next: { readonly ruleSet: RuleSetVersion; readonly forwarder: Forwarder | null } | null = null;

  constructor(
    readonly task: Task,
    readonly state: PartitionState,
    /** Where its journal is. */
    readonly journal: TopicPartition,
    /** -1: nothing was committed yet. */
    public committed: number,
  ) {
    this.name = partitionName(task.partition);
  }

  get offset(): OffsetCommit {
    return { ...this.task.partition, offset: this.task.nextOffset };
  }

  /** What a cut of now would hold: position, and number of the journal's last entry. */
  get holds(): string {
    return `${this.task.nextOffset}/${this.task.followedTo.n}`;
  }

  /** The rule set is in force from this position on, and the journal does not say so yet. `before`: what was, if it is known to say that. */
  announce(ruleSet: RuleSetVersion, before: RuleSetVersion | null = null): void {
    const { task, journal } = this;
    const { digest, body, apart } = ruleSet;
    const n = task.followedTo.n + 1;
    task.followed({ ...task.followedTo, n });
    const entry = entryRecord(journal, task.partition, { kind: 'rules', n, offset: task.nextOffset, digest });
    const isSaid = before !== null && differsInLists(before, ruleSet);
    const rules = apart === undefined || isSaid ? [] : [bodyRecord(journal, apart.digest, apart.body)];
    this.announcement = [...this.announcement, ...rules, bodyRecord(journal, digest, body), entry];
  }

  /** Keys that no event asks for are read bit by bit, as long as it is held: rules can be changed when all have been. */
  async readRest(isHeld: () => boolean, pause: (ms: number) => Promise<void>): Promise<void> {
    while (isHeld() && !this.task.handOver()) await pause(REST_PAUSE_MS);
  }

  /** These rules come into force as soon as they can, and events are forwarded so from then on. */
  rulesAre(ruleSet: RuleSetVersion, forwarder: Forwarder | null): void {
    this.next = { ruleSet, forwarder };
    if (!this.busy) this.switchRules();
  }

  /**
   * Brings the rules that are due into force, for what is processed from now on. To be called between batches, or parts of them. What
   * waits: entries of the journal that are being committed, which have the next number; keys on their way from the rules before.
   */
  switchRules(): void {
    const { next, task } = this;
    if (next === null || this.gate !== null) return;
    const isOther = next.ruleSet.digest !== task.rules.digest;
    if (isOther && !task.handOver()) return;
    this.next = null;
    task.forwardTo(next.forwarder);
    if (!isOther) return;
    const before = task.rules;
    task.switchTo(next.ruleSet);
    this.announce(next.ruleSet, before);
  }

  /** What waits for the end of a batch, if none is under way. */
  betweenBatches(stopwatch: () => number): void {
    if (!this.busy) this.switchRules();
    if (!this.busy) this.handOver(stopwatch);
  }

  /** Has keys go over to the rules of now, for some milliseconds. When they do changes no result. */
  handOver(stopwatch: () => number): void {
    const end = stopwatch() + HAND_OVER_SECONDS;
    while (!this.task.handOver() && stopwatch() < end);
  }
}
