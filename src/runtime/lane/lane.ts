import type { RuleText } from '../../rules/index.js';
import type { Rule } from '../../rules/rule.js';
import { ChunkedState } from '../chunked/chunked-state.js';
import type { Consideration, Detector, DetectorPhase, DetectorStatus, Elsewhere, Question } from '../detector.js';
import { journalPartition } from '../journal/journal.js';
import type { ReferenceLists } from '../lists/reference-lists.js';
import {
  type AssignedPartition,
  FencedError,
  type GroupListener,
  type GroupMember,
  type LogProducer,
  partitionName,
  type RecordBatch,
  type TopicPartition,
  type TransactionalProducer,
} from '../ports/log.js';
import type { Forwarder } from '../repartition/forwarder.js';
import type { StreamDefinition } from '../stream.js';
import { Compilers } from '../task/compilers.js';
import { Task } from '../task/task.js';
import { Announcer } from './commit/announcer.js';
import { CutWriter, type Part } from './commit/cut-writer.js';
import { Delivery, type DeliveryMode } from './commit/delivery.js';
import { LaneOutput } from './commit/lane-output.js';
import { considerIn } from './considering.js';
import { Filling } from './filling/filling.js';
import { keptOnce } from './filling/kept-filling.js';
import type { LaneOptions } from './options.js';
import { Owned } from './owned.js';
import { Pace } from './pace/pace.js';
import { slicesOf } from './pace/slices.js';
import { versionsOf } from './prepare-rules.js';
import { outputTopics, prepareTopics } from './prepare-topics.js';
import { recover } from './recovery/recovery.js';
import { type LaneRules, Routing } from './routing.js';
import { RuleChanges } from './rule-changes.js';

/** Records given out but not durable yet, above which no more input is taken. */
const OUTBOX_MAX = 10_000;
const RETRY_MS = 1000;

/**
 * One consumer and the partitions it owns.
 *
 * The commit, exactly once
 * 1. Everything up to `C` is processed; alerts, dead letters, late events and journal entries that follow from it wait here. A
 *    crash before 2: nothing of it was seen, `C` is not committed, all is found again.
 * 2. One transaction writes them all and commits `C` with the member's generation: a member that no longer owns the partition is
 *    refused, and nothing of it is ever seen. A crash during it: the log ends it one way or the other, whole.
 * 3. Now and then, one batch stores all changed keys with the cut at `C`. A crash before: the cut is older than `C`, and recovery
 *    replays what lies between with nothing given out.
 * 4. Where copies are kept elsewhere, the store makes them of these batches, after them.
 *
 * The commit, at least once
 * 1. What follows from a batch is sent as soon as the batch is processed. A crash before 3: it is found and sent again, under the
 *    same ids.
 * 2. Wait until all of it is durable.
 * 3. Commit `C` with the member's generation. 4. and 5. as 3. and 4. above.
 *
 * Invariants
 * 1. One commit at a time. 2. A stored cut is never ahead of the committed offset. 3. Partitions are given up after a commit.
 */
export class Lane implements Detector {
  private phase: DetectorPhase = 'created';
  private trouble: string | null = null;
  private readonly owned = new Map<string, Owned>();
  private producer: LogProducer | null = null;
  private transactions: TransactionalProducer | null = null;
  private outputs: Delivery | null = null;
  private mode: DeliveryMode;
  private member: GroupMember | null = null;
  private readonly opened = Promise.withResolvers<void>();
  private readonly abort = new AbortController();
  private committing: Promise<boolean> | null = null;
  private readonly cuts: CutWriter;
  private sinceCommit = 0;
  private readonly pace: Pace;
  private snapshotAt = 0;
  private cancelTimer: () => void = () => undefined;
  private readonly output: LaneOutput;
  private readonly routing: Routing;
  private readonly streams: readonly StreamDefinition[];
  private readonly compilers: Compilers;
  private readonly changes: RuleChanges;
  private readonly announcer = new Announcer({
    outputs: () => this.outputs!,
    member: () => this.member!,
    isHeld: (owned) => this.isHeld(owned),
    alone: (act) => this.alone(act),
    pause: () => this.pause(this.options.commitIntervalMs),
    onFailure: (error) => this.commitFailed(error),
  });

  constructor(private readonly options: LaneOptions) {
    const { encoder, listener, turn, report, routes = [], needsOnePartition = false, others = [] } = options;
    this.mode = options.delivery;
    this.pace = new Pace(options.stopwatch, turn);
    const ofOthers = new Map(others.map(({ definition, ruleSet }) => [definition.name, ruleSet]));
    const streams = [{ definition: options.stream, topics: options.group.topics }, ...others];
    this.streams = streams.map(({ definition }) => definition);
    this.compilers = options.compilers ?? new Compilers();
    this.routing = new Routing(streams, { source: options.ruleSet, others: ofOthers, routes, needsOnePartition });
    const preparing = { streams: this.streams, compilers: this.compilers };
    this.changes = new RuleChanges({ ...options, ...preparing, set: (rules) => this.setRules(rules) });
    this.routing.pause(options.pausedStreams ?? []);
    this.cuts = new CutWriter((owned) => this.isHeld(owned), turn, report);
    this.output = new LaneOutput(outputTopics(options), encoder, listener, () => this.outputs!);
  }

  async start(): Promise<void> {
    this.enter('starting');
    this.snapshotAt = this.options.clock.now();
    await this.retrying(() => this.open());
    this.opened.resolve();
    if (this.phase === 'starting') this.enter('running');
    this.scheduleCommit();
  }

  async stop(): Promise<void> {
    if (this.phase === 'stopped') return;
    this.enter('stopping');
    this.cancelTimer();
    // Closing the member gives up its partitions, which commits and stores them.
    await this.member?.close();
    this.abort.abort();
    await this.producer?.close();
    await this.transactions?.close();
    this.enter('stopped');
  }

  status(): DetectorStatus {
    return {
      phase: this.phase,
      trouble: this.trouble,
      ...this.output.counts,
      ...this.output.byPattern(this.owned.values()),
      outputsWaiting: this.outputs?.size ?? 0,
      partitions: [...this.owned.values()].map((owned) => owned.status()),
    };
  }

  consider(question: Question): Promise<Consideration | Elsewhere> {
    const { owned, member, routing, abort } = this;
    return considerIn(owned.get(partitionName(question)), member, routing, question, abort.signal);
  }

  rules(): readonly Rule[] {
    return versionsOf(this.routing.current).flatMap(({ rules }) => rules);
  }

  // ---- start ----------------------------------------------------------------------------------------------------------

  private async open(): Promise<void> {
    const { log, group, encoder, transactionalId } = this.options;
    await encoder.prepare?.();
    await prepareTopics(this.options, this.routing);
    this.producer ??= await log.producer();
    this.transactions ??= await log.transactionalProducer(transactionalId);
    this.outputs ??= new Delivery(this.mode, this.producer, this.transactions, (error) => this.fail(error));
    const topics = this.routing.selection();
    if (topics !== null) this.member ??= await log.join({ ...group, topics }, this.listener());
  }

  readonly delivery = (): DeliveryMode => this.mode;

  /** Takes effect with the next record that is given out. */
  setDelivery(mode: DeliveryMode): void {
    this.mode = mode;
    this.outputs?.setMode(mode);
  }

  /**
   * Other rules, which each partition goes over to between two batches, or parts of one: from the position on that its journal says.
   * Where they are keyed by fields that those before were not, the lane joins its group anew, to read other topics.
   */
  async setRules(rules: LaneRules): Promise<void> {
    // Events are forwarded to a topic from the very batch on for which the rules are in force.
    const added = this.routing.addedBy(rules);
    if (added.length > 0) await this.retrying(() => this.routing.makeTopics(this.options.log, added));
    const readsOthers = this.routing.setRules(rules);
    for (const owned of this.owned.values()) if (owned.task.isLive) this.bringIntoForce(owned);
    if (readsOthers) await this.joinAnew();
  }

  /** To read other topics than until now. */
  private async joinAnew(): Promise<void> {
    await this.opened.promise;
    if (this.isEnding) return;
    // Until it is closed it commits what it gives up.
    await this.member?.close();
    this.member = null;
    await this.retrying(() => this.open());
  }

  /** Of these streams nothing is read, and their partitions are given up, until they are left out of a later call. */
  pauseStreams(names: readonly string[]): Promise<void> {
    return this.changes.inTurn(async () => {
      if (this.routing.pause(names)) await this.joinAnew();
    });
  }

  /** One change after the other. They are compiled bit by bit, while records are processed. */
  async changeRules(sources: readonly RuleText[]): Promise<void> {
    await this.changes.rules(sources);
  }

  async changeLists(lists: ReferenceLists['data']): Promise<void> {
    await this.changes.lists(lists);
  }

  /** A log that is away at the start is waited for: nothing is lost by waiting. */
  private async retrying(act: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await act();
        return this.setTrouble(null);
      } catch (error) {
        if (this.abort.signal.aborted || this.isEnding) throw error;
        this.setTrouble(`cannot ${this.phase === 'starting' ? 'start' : 'go on'} yet: ${(error as Error).message}`);
        await this.pause(RETRY_MS);
      }
    }
  }

  private listener(): GroupListener {
    return {
      onAssigned: (partitions) => this.assigned(partitions),
      onRevoked: (partitions) => this.revoked(partitions),
      onLost: async (partitions) => this.drop(partitions, 'lost'),
      onBatch: (batch) => this.batch(batch),
      onTrouble: (error) => this.setTrouble(error.message),
      onRecovered: () => {
        this.setTrouble(null);
        for (const { task } of this.owned.values()) task.wakeUp();
      },
      onFatal: (error) => this.fail(error),
    };
  }

  // ---- partitions -----------------------------------------------------------------------------------------------------

  private async assigned(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<string, number>> {
    this.options.listener.onPartitions?.(partitions, 'assigned');
    this.routing.know(await this.options.log.topics());
    const positions = new Map<string, number>();
    for (const partition of partitions) positions.set(partitionName(partition), await this.take(partition));
    this.options.listener.onPartitions?.(partitions, 'live');
    return positions;
  }

  private async take(partition: AssignedPartition): Promise<number> {
    const { log, store, report, readRuleSet, clock, turn } = this.options;
    const { hotKeysMax, spill, handedOverAtOnce, pseudonyms } = this.options;
    const ruleSet = this.routing.rulesOf(partition.topic);
    // A cut of the ownership before may be on its way.
    await this.cuts.stored();
    const state = new ChunkedState(await store.partition(partition), turn, this.options.chunkSizes);
    let owned: Owned | null = null;
    // A batch that was under way when the partition was given up must not speak for the ownership after it.
    const isHeld = (): boolean => owned !== null && this.isHeld(owned);
    const forwarder = this.forwarder(partition, isHeld);
    const [stream, streams] = [this.routing.streamOf(partition.topic), this.streams];
    const kept = { hotKeysMax, spill, handedOverAtOnce, pseudonyms, compilers: this.compilers };
    const parts = { partition, stream, streams, clock, forwarder, output: this.output.of(partition, isHeld), ...kept };
    const filled = keptOnce(partition, { ...this.options, signal: this.abort.signal });
    const { position, rulesAreNew } = await recover(this.routing.begun(partition), state, {
      ...{ log, report, readRuleSet, turn, current: ruleSet, journal: this.journalOf(partition) },
      pause: (ms) => this.pause(ms),
      isEnding: () => this.isEnding,
      kept: filled.open,
      makeTask: (version) => {
        owned = this.own(partition, new Task({ ...parts, ruleSet: version }), state);
        return owned.task;
      },
      signal: this.abort.signal,
      onReplayed: this.output.onReplayed,
    });
    const live = this.owned.get(partitionName(partition))!;
    if (filled.opened !== null) live.forgetOnceStored(filled.opened);
    if (rulesAreNew && live.task.rules.digest === ruleSet.digest) live.announce(ruleSet);
    // They may have been changed again meanwhile.
    this.bringIntoForce(live);
    live.task.goLive();
    void live.readRest(isHeld, (ms) => this.pause(ms));
    return position;
  }

  /** The rules of now run on it as soon as they can. */
  private bringIntoForce(owned: Owned): void {
    const { partition } = owned.task;
    const ruleSet = this.routing.rulesOf(partition.topic);
    const forwarder = this.forwarder(partition, () => this.isHeld(owned));
    const filler = owned.task.fillerFor(ruleSet);
    const by = { ...this.options, journal: owned.journal, signal: this.abort.signal };
    owned.rulesAre(ruleSet, forwarder, filler && new Filling(filler, owned, ruleSet, by));
  }

  private forwarder(of: TopicPartition, isHeld: () => boolean): Forwarder | null {
    return this.routing.forwarder(of, (from, record) => {
      if (isHeld()) this.outputs!.addToCommit(from, record);
    });
  }

  private own(partition: AssignedPartition, task: Task, state: ChunkedState): Owned {
    const owned = new Owned(task, state, this.journalOf(partition), partition.committed ?? -1);
    this.owned.get(owned.name)?.task.close();
    this.owned.set(owned.name, owned);
    return owned;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.options.clock.schedule(ms, resolve));
  }

  private journalOf(partition: TopicPartition): TopicPartition {
    const { journal } = this.options;
    return journalPartition(journal.name, this.routing.partitionsOf(journal), partition);
  }

  private async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const names = new Set(partitions.map(partitionName));
    await this.alone(() => this.commit((name) => names.has(name), true));
    this.drop(partitions, 'revoked');
  }

  private drop(partitions: readonly TopicPartition[], change: 'revoked' | 'lost'): void {
    for (const name of partitions.map(partitionName)) {
      this.owned.get(name)?.giveUp(this.output.steps);
      void this.owned.get(name)?.state.release?.();
      this.owned.delete(name);
      this.outputs?.drop(name);
    }
    this.options.listener.onPartitions?.(partitions, change);
  }

  // ---- records --------------------------------------------------------------------------------------------------------

  private async batch(batch: RecordBatch): Promise<void> {
    const owned = this.owned.get(partitionName(batch));
    if (owned === undefined) return;
    while (owned.gate !== null) await owned.gate.catch(() => undefined);
    owned.busy = true;
    try {
      for (const slice of slicesOf(batch, this.pace.recordsMax)) {
        await owned.go();
        owned.switchRules();
        if (!(await this.announcer.announced(owned))) return;
        await this.process(owned, slice);
        if (!this.isHeld(owned)) return;
      }
    } finally {
      owned.rest();
    }
  }

  private async process(owned: Owned, batch: RecordBatch): Promise<void> {
    const { stopwatch, listener, commitRecords } = this.options;
    const started = stopwatch();
    await owned.task.process(batch, this.abort.signal);
    owned.handOver(stopwatch);
    this.outputs!.flush();
    this.output.counts.recordsIn += batch.records.length;
    this.sinceCommit += batch.records.length;
    const ended = stopwatch();
    this.pace.took(batch.records.length, ended - started);
    listener.onBatch?.(batch.records.length, ended - started);
    if (this.sinceCommit >= commitRecords) void this.commitSoon();
    await this.makeRoom();
    await this.pace.rest();
  }

  private isHeld(owned: Owned): boolean {
    return this.owned.get(owned.name) === owned;
  }

  /** Waits until not too much waits to be durable or committed. */
  private async makeRoom(): Promise<void> {
    if (this.outputs!.size <= OUTBOX_MAX) return;
    const { stopwatch, commitIntervalMs } = this.options;
    const began = stopwatch();
    while (this.outputs!.size > OUTBOX_MAX && this.phase !== 'failed') {
      await this.outputs!.settled();
      if (this.outputs!.size > OUTBOX_MAX && !(await this.commitSoon())) await this.pause(commitIntervalMs);
    }
    this.output.counts.backpressureSeconds += stopwatch() - began;
  }

  // ---- commit ---------------------------------------------------------------------------------------------------------

  private scheduleCommit(): void {
    if (this.isEnding) return;
    this.cancelTimer = this.options.clock.schedule(this.options.commitIntervalMs, () => {
      void this.commitSoon().finally(() => this.scheduleCommit());
    });
  }

  /** One commit at a time. */
  private async alone(commit: () => Promise<boolean>): Promise<boolean> {
    while (this.committing !== null) await this.committing;
    this.committing = commit().finally(() => {
      this.committing = null;
    });
    return this.committing;
  }

  async storeNow(): Promise<void> {
    if (!(await this.alone(() => this.commit(() => true, true)))) {
      throw new Error('what was processed cannot be committed now');
    }
  }

  /** Commits unless a commit is under way already; false: it failed, was told of, and the next commit tries again. */
  private commitSoon(): Promise<boolean> {
    this.committing ??= this.commit(() => true, false).finally(() => {
      this.committing = null;
    });
    return this.committing;
  }

  /** `leaving`: the partitions are about to be given up, or it was asked for: all of their state is stored. */
  private async commit(which: (name: string) => boolean, leaving: boolean): Promise<boolean> {
    const { clock, listener, stopwatch } = this.options;
    const started = stopwatch();
    const now = clock.now();
    const due = this.cuts.isDue(now - this.snapshotAt, this.owned.values(), this.options);
    if (leaving) await this.cuts.stored();
    const chosen = [...this.owned].flatMap(([name, owned]) => (which(name) && owned.task.isLive ? [owned] : []));
    const parts: Part[] = [];
    try {
      for (const owned of chosen) owned.betweenBatches(stopwatch);
      if (this.trouble === null) for (const owned of chosen) await this.announcer.tickIdle(owned);
      // A cut says which rules are in force: the journal must have said so before, or in the same commit.
      // Again, where rules were changed while others were waited for.
      for (let left: readonly Owned[] = chosen; left.length > 0; left = left.filter((o) => this.announcer.waits(o))) {
        for (const owned of left) await this.announcer.before(owned);
      }
      for (const owned of chosen.filter((o) => this.isHeld(o))) {
        const { task, holds } = owned;
        task.tellDownstream();
        const store = (leaving || (due && !this.cuts.isBusy)) && holds !== owned.stored && owned.canStore(leaving);
        if (!store && task.nextOffset === owned.committed && !this.outputs!.waits(owned.name)) continue;
        parts.push({ owned, holds, position: task.nextOffset, snapshot: store ? task.snapshot() : null });
      }
      this.sinceCommit = 0;
      if (parts.length === 0) return true;
      if (this.phase === 'failed') throw new Error('the lane has failed');
      await this.announcer.commitOf(parts.map(({ owned }) => owned));
      for (const p of parts) p.owned.committed = p.position;
      if (due) this.snapshotAt = now;
      this.cuts.store(parts);
      if (leaving) await this.cuts.stored();
      listener.onCommit?.(stopwatch() - started, true);
      return true;
    } catch (error) {
      for (const { snapshot } of parts) snapshot?.revert();
      listener.onCommit?.(stopwatch() - started, false);
      this.commitFailed(error);
      return false;
    }
  }

  /** Being fenced is no trouble: the partitions are another's by now, or the next commit has the new generation. */
  private commitFailed(error: unknown): void {
    if (error instanceof FencedError) return;
    this.options.report(`commit failed and will be tried again: ${(error as Error).message}`);
  }

  // ---- phase ----------------------------------------------------------------------------------------------------------

  private get isEnding(): boolean {
    return this.phase === 'stopping' || this.phase === 'stopped' || this.phase === 'failed';
  }

  private enter(phase: DetectorPhase): void {
    this.phase = phase;
    this.options.listener.onPhase?.(phase, this.trouble);
  }

  private setTrouble(trouble: string | null): void {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    if (trouble !== null) this.options.report(trouble);
    if (this.phase === 'running' && trouble !== null) this.enter('degraded');
    else if (this.phase === 'degraded' && trouble === null) this.enter('running');
    else this.options.listener.onPhase?.(this.phase, trouble);
  }

  private fail(error: Error): void {
    if (this.phase === 'stopping' || this.phase === 'stopped') return;
    this.trouble = error.message;
    this.abort.abort();
    this.cancelTimer();
    this.enter('failed');
  }
}
