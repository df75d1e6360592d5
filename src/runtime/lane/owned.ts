import type { ChunkedState } from '../chunked/chunked-state.js';
import type { FillingStatus, PartitionStatus } from '../detector.js';
import { bodyRecord, entryRecord } from '../journal/journal.js';
import { differsInLists, type RuleSetVersion } from '../journal/rule-set-version.js';
import { type OffsetCommit, type OutgoingRecord, partitionName, type TopicPartition } from '../ports/log.js';
import type { Forwarder } from '../repartition/forwarder.js';
import type { Task } from '../task/task.js';

/** For how long keys go over to other rules between two batches. */
const HAND_OVER_SECONDS = 0.003;
/** Between two goes at keys that nobody has asked for. */
const REST_PAUSE_MS = 10;

/** Rules that are filled from the log before they come into force (`Filling`), as far as their partition knows them. */
export interface FillingRules {
  /** The task that knows what they are filled with. */
  readonly filler: Task;
  /** From which offset they are filled; `null`: not found yet. */
  readonly from: number | null;
  /** Resolves when the rules are in force, or nobody wants them any more. */
  run(): Promise<void>;
  /** Whether the rules can come into force here. */
  isAt(offset: number): boolean;
  /** The partition was given up, or other rules are to come. */
  stop(): void;
  status(): FillingStatus;
}

/** What is kept of rules that were filled (`KeptFilling`), likewise. */
interface Kept {
  release(): void;
  forget(): Promise<void>;
}

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
  private next: {
    readonly ruleSet: RuleSetVersion;
    readonly forwarder: Forwarder | null;
    readonly filling: FillingRules | null;
  } | null = null;
  /** While it is set, batches wait between two parts of one. */
  private held: (PromiseWithResolvers<void> & { readonly by: object }) | null = null;
  private isParked = false;
  /** From where the rule set in force was announced here; -1: it was in force before. */
  private rulesFrom = -1;
  private stillness: PromiseWithResolvers<void> | null = null;
  /** What is kept of rules that were filled, and the entry of the journal that a cut must have before it is of no use. */
  private kept: { readonly filling: Kept; readonly n: number } | null = null;

  constructor(
    readonly task: Task,
    readonly state: ChunkedState,
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

  /**
   * The rule set is in force from this position on, and the journal does not say so yet. `before`: what was, if it is known to say that;
   * `fill`: from where its rules were filled.
   */
  announce(ruleSet: RuleSetVersion, before: RuleSetVersion | null = null, fill: number | null = null): void {
    const { task, journal } = this;
    const { digest, body, apart } = ruleSet;
    const n = task.followedTo.n + 1;
    this.rulesFrom = task.nextOffset;
    task.followed({ ...task.followedTo, n });
    const filled = fill === null ? {} : { fill };
    const place = { n, offset: task.nextOffset };
    const entry = entryRecord(journal, task.partition, { kind: 'rules', ...place, digest, ...filled });
    const isSaid = before !== null && differsInLists(before, ruleSet);
    const rules = apart === undefined || isSaid ? [] : [bodyRecord(journal, apart.digest, apart.body)];
    this.announcement = [...this.announcement, ...rules, bodyRecord(journal, digest, body), entry];
  }

  /** Keys that no event asks for are read bit by bit, as long as it is held: rules can be changed when all have been. */
  async readRest(isHeld: () => boolean, pause: (ms: number) => Promise<void>): Promise<void> {
    while (isHeld() && !this.task.handOver()) await pause(REST_PAUSE_MS);
  }

  /** These rules come into force as soon as they can, and events are forwarded so from then on. `filling`: when they are filled. */
  rulesAre(ruleSet: RuleSetVersion, forwarder: Forwarder | null, filling: FillingRules | null = null): void {
    this.next?.filling?.stop();
    this.next = { ruleSet, forwarder, filling };
    if (filling !== null) void filling.run();
    else if (!this.busy) this.switchRules();
  }

  /**
   * Brings the rules that are due into force, for what is processed from now on. To be called between batches, or parts of them. What
   * waits: entries of the journal that are being committed, which have the next number; keys on their way from the rules before.
   */
  switchRules(): void {
    const { next, task } = this;
    if (next === null || this.gate !== null) return;
    const { filling } = next;
    const isOther = next.ruleSet.digest !== task.rules.digest;
    if (isOther && !task.handOver()) return;
    if (filling !== null && !filling.isAt(task.nextOffset)) return;
    this.next = null;
    task.forwardTo(next.forwarder);
    if (!isOther) return;
    const before = task.rules;
    task.switchTo(next.ruleSet, filling?.filler ?? null);
    this.announce(next.ruleSet, before, filling?.from ?? null);
  }

  status(): PartitionStatus {
    const { filling, rulesFrom } = this;
    const status = this.task.status();
    return {
      ...status,
      memory: { ...status.memory, recordBytes: this.state.recordBytes },
      ...(rulesFrom < 0 ? {} : { rulesFrom }),
      ...(filling === null ? {} : { filling: filling.status() }),
    };
  }

  /** Rules that are being filled; `null`: none. */
  get filling(): FillingRules | null {
    return this.next?.filling ?? null;
  }

  /** To be called when filled rules are in force. */
  forgetOnceStored(filling: Kept): void {
    this.kept = { filling, n: this.task.followedTo.n };
  }

  /** Other rules are to be filled: what is kept is theirs to use. */
  releaseKept(): void {
    this.kept?.filling.release();
    this.kept = null;
  }

  /** A cut was stored. */
  async storedAs(holds: string): Promise<void> {
    this.stored = holds;
    const { kept } = this;
    if (kept === null || Number(holds.slice(holds.indexOf('/') + 1)) < kept.n) return;
    this.kept = null;
    await kept.filling.forget();
  }

  /** Batches wait from now on. */
  hold(by: object): void {
    if (this.held?.by === by) return;
    this.held?.resolve();
    this.held = { ...Promise.withResolvers<void>(), by };
  }

  /** Batches go on, unless another has them wait by now. */
  release(by: object): void {
    if (this.held?.by !== by) return;
    this.held.resolve();
    this.held = null;
  }

  /** Resolves when no record is being processed; while it is held, none will be. */
  async still(): Promise<void> {
    if (!this.busy || this.isParked) return;
    this.stillness ??= Promise.withResolvers();
    await this.stillness.promise;
  }

  /** To be called between batches, or parts of them. */
  async go(): Promise<void> {
    while (this.held !== null) {
      this.isParked = true;
      this.isStill();
      await this.held.promise;
    }
    this.isParked = false;
  }

  /** A batch was processed. */
  rest(): void {
    this.busy = false;
    this.isStill();
  }

  private isStill(): void {
    this.stillness?.resolve();
    this.stillness = null;
  }

  /** Given up: nothing of it may hold anyone. `steps`: to which those of its rules are added. */
  giveUp(steps: Map<string, number>): void {
    this.task.takeSteps(steps);
    this.filling?.stop();
    this.releaseKept();
    this.next = null;
    this.task.close();
  }

  /** Whether a cut can be taken now; `leaving`: it is made so that it can. */
  canStore(leaving: boolean): boolean {
    while (leaving && this.task.waitsForKeys) this.task.handOver();
    return !this.task.waitsForKeys;
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
