import type { Rule } from '../../rules/rule.js';
import type { Detector, DetectorListener, DetectorPhase, DetectorStatus } from '../detector.js';
import type { Clock } from '../ports/clock.js';
import type { RecordDecoder } from '../ports/decoder.js';
import {
  type AssignedPartition,
  FencedError,
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type Log,
  type LogProducer,
  partitionName,
  type RecordBatch,
  type TopicPartition,
  type TopicSpec,
} from '../ports/log.js';
import type { AlertEncoder } from '../ports/outputs.js';
import type { PartitionState, StateStore } from '../ports/state-store.js';
import type { StreamDefinition } from '../stream.js';
import type { RuleOptions } from '../task/keyed-engine.js';
import { Task, type TaskSnapshot } from '../task/task.js';
import { Outbox } from './outbox.js';
import { recover } from './recovery.js';
import { deadLetter, lateRecord } from './rejected.js';

export interface LaneOptions extends RuleOptions {
  readonly log: Log;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly stream: StreamDefinition;
  readonly group: GroupOptions;
  readonly rules: readonly Rule[];
  readonly decoder: RecordDecoder;
  readonly encoder: AlertEncoder;
  /** The topic that is read, to be made if it is not there; `null`: topics are found by their names. */
  readonly source: TopicSpec | null;
  readonly alerts: TopicSpec;
  readonly deadLetters: TopicSpec;
  readonly late: TopicSpec;
  readonly commitIntervalMs: number;
  readonly commitRecords: number;
  readonly snapshotIntervalMs: number;
  /** Most keys whose state is kept as objects, by partition and key field; the others' are bytes. */
  readonly hotKeysMax?: number;
  readonly listener: DetectorListener;
  /** Seconds of a clock that never goes back, for durations in metrics alone. */
  readonly stopwatch: () => number;
  /** Resolves when other work of the process has had its turn. */
  readonly turn: () => Promise<void>;
  /** What happens, in words, for the log. */
  readonly report: (text: string) => void;
}

/** Records given out but not durable yet, above which no more input is taken. */
const OUTBOX_MAX = 10_000;
const RETRY_MS = 1000;

interface Owned {
  readonly task: Task;
  readonly state: PartitionState;
  committed: number;
  /** Position of the last cut that was stored; -1: none in this ownership. */
  stored: number;
}

/**
 * One consumer and the partitions it owns.
 *
 * The commit, at least once
 * 1. Everything up to `C` is processed; alerts, dead letters and late events that follow from it were sent at once.
 * 2. Wait until all of them are durable. A crash before: `C` is not committed, they are found and sent again, under the same
 *    ids.
 * 3. Commit `C` with the member's generation; a member that no longer owns the partition is refused. A crash before: as 2.
 * 4. Now and then, one batch stores all changed keys with the cut at `C`. A crash before: the cut is older than `C`, and
 *    recovery replays what lies between with nothing given out.
 *
 * Invariants
 * 1. One commit at a time. 2. A stored cut is never ahead of the committed offset. 3. Partitions are given up after a commit.
 */
export class Lane implements Detector {
  private phase: DetectorPhase = 'created';
  private trouble: string | null = null;
  private readonly owned = new Map<string, Owned>();
  private producer: LogProducer | null = null;
  private outbox: Outbox | null = null;
  private member: GroupMember | null = null;
  private readonly abort = new AbortController();
  private committing: Promise<void> | null = null;
  private sinceCommit = 0;
  private snapshotAt = 0;
  private cancelTimer: () => void = () => undefined;
  private readonly counts = {
    recordsIn: 0,
    recordsReplayed: 0,
    late: 0,
    deadLettered: 0,
    alerts: 0,
    runsDropped: 0,
    matchesDropped: 0,
  };
  private readonly matches = new Map<string, number>();

  constructor(private readonly options: LaneOptions) {}

  async start(): Promise<void> {
    this.enter('starting');
    this.snapshotAt = this.options.clock.now();
    await this.retrying(() => this.open());
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
    this.enter('stopped');
  }

  status(): DetectorStatus {
    return {
      phase: this.phase,
      trouble: this.trouble,
      ...this.counts,
      matches: this.matches,
      partitions: [...this.owned.values()].map((o) => o.task.status()),
    };
  }

  rules(): readonly Rule[] {
    return this.options.rules;
  }

  // ---- start ----------------------------------------------------------------------------------------------------------

  private async open(): Promise<void> {
    const { log, source, alerts, deadLetters, late, group, encoder } = this.options;
    await encoder.prepare?.();
    for (const topic of [source, alerts, deadLetters, late]) if (topic !== null) await log.createTopic(topic);
    this.producer ??= await log.producer();
    this.outbox ??= new Outbox(this.producer, (error) => this.fail(error));
    this.member ??= await log.join(group, this.listener());
  }

  /** A log that is away at the start is waited for: nothing is lost by waiting. */
  private async retrying(act: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await act();
        return this.setTrouble(null);
      } catch (error) {
        if (this.abort.signal.aborted || this.phase !== 'starting') throw error;
        this.setTrouble(`cannot start yet: ${(error as Error).message}`);
        await new Promise<void>((resolve) => this.options.clock.schedule(RETRY_MS, resolve));
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
    const positions = new Map<string, number>();
    for (const partition of partitions) positions.set(partitionName(partition), await this.take(partition));
    this.options.listener.onPartitions?.(partitions, 'live');
    return positions;
  }

  private async take(partition: AssignedPartition): Promise<number> {
    const { log, store, decoder, report, rules, stream, clock, hotKeysMax, limits, quantifierGap } = this.options;
    const state = await store.partition(partition);
    const task = new Task({
      ...{ partition, stream, rules, decoder, clock, output: this.outputOf(partition) },
      ...{ hotKeysMax, limits, quantifierGap },
    });
    const owned: Owned = { task, state, committed: partition.committed ?? -1, stored: -1 };
    this.owned.set(partitionName(partition), owned);
    const position = await recover(task, partition, state, {
      log,
      decoder,
      report,
      signal: this.abort.signal,
      onReplayed: (records) => {
        this.counts.recordsReplayed += records;
      },
    });
    task.goLive();
    return position;
  }

  private async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const names = new Set(partitions.map(partitionName));
    while (this.committing !== null) await this.committing;
    await this.commit((name) => names.has(name), true);
    this.drop(partitions, 'revoked');
  }

  private drop(partitions: readonly TopicPartition[], change: 'revoked' | 'lost'): void {
    for (const partition of partitions) this.owned.delete(partitionName(partition));
    this.options.listener.onPartitions?.(partitions, change);
  }

  // ---- records --------------------------------------------------------------------------------------------------------

  private async batch(batch: RecordBatch): Promise<void> {
    const owned = this.owned.get(partitionName(batch));
    if (owned === undefined) return;
    const started = this.options.stopwatch();
    await owned.task.process(batch, this.abort.signal);
    this.outbox!.flush();
    this.counts.recordsIn += batch.records.length;
    this.sinceCommit += batch.records.length;
    this.options.listener.onBatch?.(batch.records.length, this.options.stopwatch() - started);
    if (this.sinceCommit >= this.options.commitRecords) void this.commitSoon();
    if (this.outbox!.size > OUTBOX_MAX) await this.outbox!.settled();
  }

  private outputOf(partition: TopicPartition): ConstructorParameters<typeof Task>[0]['output'] {
    const { alerts, deadLetters, late, encoder, listener } = this.options;
    return {
      onAlert: (alert, key, traceparent) => {
        const headers = traceparent === null ? {} : { headers: new Map([['traceparent', Buffer.from(traceparent)]]) };
        this.outbox!.add({ topic: alerts.name, key, value: encoder.encode(alert), ...headers }, () => {
          this.counts.alerts++;
          listener.onAlert?.(alert, traceparent);
        });
      },
      onDeadLetter: (record, failure) => {
        this.counts.deadLettered++;
        this.outbox!.add(deadLetter(deadLetters.name, record, partition, failure));
        listener.onDeadLetter?.(partition, record.offset, failure.reason, failure.detail);
      },
      onLate: (record, eventTime, watermark) => {
        this.counts.late++;
        this.outbox!.add(lateRecord(late.name, record, partition, eventTime, watermark));
      },
      onMatch: (rule) => void this.matches.set(rule.id, (this.matches.get(rule.id) ?? 0) + 1),
      onRunsDropped: (_rule, _key, runs) => {
        this.counts.runsDropped += runs;
      },
      onMatchesDropped: (_rule, _key, matches) => {
        this.counts.matchesDropped += matches;
      },
    };
  }

  // ---- commit ---------------------------------------------------------------------------------------------------------

  private scheduleCommit(): void {
    if (this.phase === 'stopping' || this.phase === 'stopped' || this.phase === 'failed') return;
    this.cancelTimer = this.options.clock.schedule(this.options.commitIntervalMs, () => {
      void this.commitSoon().finally(() => this.scheduleCommit());
    });
  }

  /** Commits unless a commit is under way already; trouble is reported, and the next commit tries again. */
  private commitSoon(): Promise<void> {
    this.committing ??= this.commit(() => true, false).finally(() => {
      this.committing = null;
    });
    return this.committing;
  }

  /** `leaving`: the partitions are about to be given up, so all of their state is stored. */
  private async commit(which: (name: string) => boolean, leaving: boolean): Promise<void> {
    const { clock, listener, snapshotIntervalMs, stopwatch } = this.options;
    const started = stopwatch();
    const now = clock.now();
    const due = now - this.snapshotAt >= snapshotIntervalMs;
    const parts: { readonly owned: Owned; readonly position: number; readonly snapshot: TaskSnapshot | null }[] = [];
    for (const [name, owned] of this.owned) {
      if (!which(name) || !owned.task.isLive) continue;
      const ticked = this.trouble === null && owned.task.tickIdle();
      const position = owned.task.nextOffset;
      const store = ticked || ((due || leaving) && position !== owned.stored);
      if (!store && position === owned.committed) continue;
      parts.push({ owned, position, snapshot: store ? owned.task.snapshot() : null });
    }
    this.sinceCommit = 0;
    if (due) this.snapshotAt = now;
    if (parts.length === 0) return;
    try {
      await this.outbox!.settled();
      if (this.phase === 'failed') throw new Error('the lane has failed');
      await this.member!.commit(parts.map((p) => ({ ...p.owned.task.partition, offset: p.position })));
      for (const p of parts) p.owned.committed = p.position;
      for (const p of parts) {
        if (p.snapshot === null) continue;
        await p.owned.state.write(await p.snapshot.encode(this.options.turn));
        p.owned.stored = p.position;
      }
      listener.onCommit?.(stopwatch() - started, true);
    } catch (error) {
      for (const p of parts) p.snapshot?.revert();
      listener.onCommit?.(stopwatch() - started, false);
      if (!(error instanceof FencedError))
        this.options.report(`commit failed and will be tried again: ${(error as Error).message}`);
    }
  }

  // ---- phase ----------------------------------------------------------------------------------------------------------

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
