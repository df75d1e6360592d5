import { Backoff, pause, withJitter } from '../backoff.js';
import type { Alert } from '../ports/alert.js';
import type { Clock } from '../ports/clock.js';
import {
  type AssignedPartition,
  FencedError,
  type GroupListener,
  type GroupMember,
  type Log,
  type LogRecord,
  type OffsetCommit,
  partitionName,
  type RecordBatch,
  type TopicPartition,
} from '../ports/log.js';
import { ALERT_VERSION_HEADER } from '../ports/outputs.js';
import {
  type AlertDecoder,
  type AlertSink,
  type CollectingSink,
  PartlyWritten,
  type PlacedAlert,
} from './alert-sink.js';
import { GatheredCommits } from './gathered-commits.js';
import { type SinkLetter, SinkLetters } from './sink-letters.js';

export interface AlertSinkFollowerOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The sink's own consumer group: `<detection's group>-<sink's name>`. Asked for again where it cannot be told yet. */
  readonly groupId: string | (() => Promise<string>);
  readonly topic: string;
  readonly decoder: AlertDecoder;
  readonly sink: AlertSink | CollectingSink;
  /** Where records go that are no alert, or that the sink will never take. Absent: nowhere, they are left out. */
  readonly deadLetters?: string;
  /** Which alerts it is for. Absent: all. */
  readonly wants?: (alert: Alert) => boolean;
  /** Told when nothing gets through any more, in words, and `null` when it does again. Must not throw. */
  readonly onTrouble?: (trouble: string | null) => void;
  /** Told of a record of the alerts topic that is left out. Must not throw. */
  readonly onDeadLetter?: (letter: SinkLetter) => void;
}

export interface AlertSinkStatus {
  readonly name: string;
  readonly state: 'created' | 'running' | 'paused' | 'stopped';
  /** Why nothing gets through at present, in words. */
  readonly trouble: string | null;
  readonly written: number;
  /** Records left out: no alerts, or never to be taken. */
  readonly deadLettered: number;
  readonly failures: number;
  /** Alerts that are committed but not written yet, by partition name; only of this member's partitions. */
  readonly lag: ReadonlyMap<string, number>;
}

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5_000;
/** Records whose offset is worth a commit of its own: so much, or what comes in a fifth of a second, is written again after a crash. */
const COMMIT_AT = 500;

/** A batch of the log, read: what the sink gets of it, and what it does not. */
interface Reading {
  readonly alerts: readonly PlacedAlert[];
  readonly recordOf: ReadonlyMap<Alert, LogRecord>;
  readonly letters: SinkLetter[];
}

/** What trouble is of, where it is not a partition. */
const LOG = 'log';

/**
 * Follows the committed alerts and writes them to a sink, as a consumer group of its own.
 *
 *     created ──start()──▶ running ⇄ paused ──stop()──▶ stopped
 *
 * Invariants:
 * 1. Offsets are committed only after the sink took everything before them: no alert is left out, some may come twice. They are before a partition
 *    is given up in good order.
 * 2. A sink or a log that is away is tried again for ever, with growing waits; detection knows nothing of it.
 * 3. A batch whose partition was taken away is given up at once, without a commit.
 * 4. What will never be written is a dead letter before offsets behind it are committed.
 */
export class AlertSinkFollower {
  private state: AlertSinkStatus['state'] = 'created';
  /** Partitions whose end is being asked for. */
  private readonly measuring = new Set<string>();
  /** Trouble of the log, and of each partition's writes: what works again is not taken for all of it. */
  private readonly troubles = new Map<string, string>();
  private trouble: string | null = null;
  private written = 0;
  private deadLettered = 0;
  private failures = 0;
  private readonly lag = new Map<string, number>();
  /** Aborted when the partition goes (invariant 3). */
  private readonly owned = new Map<string, AbortController>();
  /** Of sinks that collect: what cancels the next flush of a partition, and its calls under way, which come one after the other. */
  private readonly flushes = new Map<string, () => void>();
  private readonly turns = new Map<string, Promise<void>>();
  private readonly letters: SinkLetters | null;
  private readonly commits: GatheredCommits;
  private stopping = new AbortController();
  private member: GroupMember | undefined;
  private joining: Promise<void> = Promise.resolve();
  private switching: Promise<void> = Promise.resolve();

  constructor(private readonly options: AlertSinkFollowerOptions) {
    const { log, clock, deadLetters, sink } = options;
    this.letters = deadLetters === undefined ? null : new SinkLetters(log, deadLetters, sink.name);
    this.commits = new GatheredCommits({
      clock,
      commit: (offsets) => this.commit(offsets),
      onDone: (error) => {
        if (error !== null) this.failures += 1;
        this.tell(LOG, error === null ? null : wordsOf(error));
      },
    });
  }

  get name(): string {
    return this.options.sink.name;
  }

  /** Returns at once; joining goes on in the background until it works. `paused`: it is known by then whether it is to begin at all. */
  start(paused?: Promise<boolean>): void {
    if (this.state !== 'created') throw new Error(`sink ${this.options.sink.name} was started before`);
    this.state = 'running';
    this.joining = paused === undefined ? this.join() : this.startUnless(paused);
  }

  /** Gives up what is being written, and leaves the group: nothing is written until `resume`, which goes on from there. */
  pause(): Promise<void> {
    return this.inTurn(async () => {
      if (this.state !== 'running') return;
      this.state = 'paused';
      await this.leave();
      this.troubles.clear();
      this.tell(LOG, null);
    });
  }

  resume(): Promise<void> {
    return this.inTurn(async () => {
      if (this.state !== 'paused') return;
      this.state = 'running';
      this.stopping = new AbortController();
      this.joining = this.join();
    });
  }

  private async startUnless(paused: Promise<boolean>): Promise<void> {
    const { signal } = this.stopping;
    const ended = new Promise<boolean>((resolve) => signal.addEventListener('abort', () => resolve(true)));
    const isPaused = await Promise.race([paused, ended]);
    if (this.state !== 'running') return;
    if (isPaused) this.state = 'paused';
    else await this.join();
  }

  private inTurn(act: () => Promise<void>): Promise<void> {
    this.switching = this.switching.then(act);
    return this.switching;
  }

  private async leave(): Promise<void> {
    this.stopping.abort();
    for (const owned of this.owned.values()) owned.abort();
    await this.joining;
    await this.member?.close();
    this.member = undefined;
    this.commits.clear();
    for (const cancel of this.flushes.values()) cancel();
    this.flushes.clear();
  }

  /** Gives up what is being retried, leaves the group and closes the sink. */
  async stop(): Promise<void> {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    await this.leave();
    await this.letters?.close();
    await this.options.sink.close();
  }

  status(): AlertSinkStatus {
    const { state, trouble, written, deadLettered, failures } = this;
    return { name: this.name, state, trouble, written, deadLettered, failures, lag: new Map(this.lag) };
  }

  private async join(): Promise<void> {
    const { log, groupId, topic, sink } = this.options;
    if (sink.prepare !== undefined) await this.persist(LOG, this.stopping.signal, async () => sink.prepare?.());
    if (this.stopping.signal.aborted) return;
    const member = await this.persist(LOG, this.stopping.signal, async () => {
      const group = typeof groupId === 'string' ? groupId : await groupId();
      return log.join({ groupId: group, topics: { names: [topic] }, start: { at: 'earliest' } }, this.listener());
    });
    this.member = member;
  }

  private listener(): GroupListener {
    return {
      onAssigned: async (partitions) => {
        for (const partition of partitions) this.assigned(partition);
        return undefined;
      },
      onRevoked: async (partitions) => {
        await this.commits.now();
        this.gone(partitions);
      },
      onLost: async (partitions) => this.gone(partitions),
      onBatch: (batch) => this.takeBatch(batch),
      onTrouble: (error) => this.tell(LOG, error.message),
      onRecovered: () => this.tell(LOG, null),
      onFatal: (error) => {
        this.tell(LOG, error.message);
        this.member = undefined;
        if (this.state !== 'running') return;
        // The log has closed the member: begin anew after a pause, for ever (invariant 2).
        const { signal } = this.stopping;
        this.joining = pause(this.options.clock, RETRY_MAX_MS, signal).then(() =>
          signal.aborted ? undefined : this.join(),
        );
      },
    };
  }

  private assigned(partition: AssignedPartition): void {
    const name = partitionName(partition);
    this.owned.set(name, new AbortController());
    this.lag.set(name, partition.endOffset - partition.position);
    if (this.stopping.signal.aborted) this.owned.get(name)?.abort();
    this.options.sink.assigned?.(placeOf(partition));
  }

  private gone(partitions: readonly TopicPartition[]): void {
    const { sink } = this.options;
    this.commits.drop(partitions);
    for (const partition of partitions) {
      const name = partitionName(partition);
      this.owned.get(name)?.abort();
      this.owned.delete(name);
      this.lag.delete(name);
      this.flushes.get(name)?.();
      this.flushes.delete(name);
      if ('take' in sink) void this.inTurnOf(partition, async () => sink.release(partition));
      this.tell(name, null);
    }
  }

  private async takeBatch(batch: RecordBatch): Promise<void> {
    const name = partitionName(batch);
    const signal = this.owned.get(name)?.signal;
    if (signal === undefined) return;
    const { sink } = this.options;
    this.lag.set(name, batch.endOffset - batch.nextOffset + batch.records.length);
    // A record of a later version is waited with: who has the partition next may know it.
    const reading = await this.persist(
      name,
      signal,
      async () => this.read(batch),
      () => this.measureLag(batch),
    );
    if (reading === undefined) return;
    if ('take' in sink) {
      await this.inTurnOf(batch, () => this.collect(sink, batch, reading, signal));
      return;
    }
    await this.write(sink, batch, reading, signal);
    await this.bury(reading.letters, signal);
    if (signal.aborted) return;
    this.lag.set(name, batch.endOffset - batch.nextOffset);
    if (batch.records.length > 0) this.commits.add({ ...placeOf(batch), offset: batch.nextOffset });
    if (batch.records.length >= COMMIT_AT) await this.commits.now();
  }

  private async write(sink: AlertSink, batch: RecordBatch, reading: Reading, signal: AbortSignal): Promise<void> {
    let remaining: readonly Alert[] = reading.alerts.map(({ alert }) => alert);
    const writeSome = async (): Promise<void> => {
      const before = remaining.length;
      try {
        await sink.write(remaining);
        remaining = [];
      } catch (error) {
        if (!(error instanceof PartlyWritten)) throw error;
        remaining = error.remaining;
        this.written -= error.refused.length;
        for (const { alert, detail } of error.refused)
          reading.letters.push({
            record: reading.recordOf.get(alert)!,
            from: placeOf(batch),
            reason: 'refused',
            detail,
          });
        if (remaining.length > 0) throw error;
      } finally {
        this.written += before - remaining.length;
      }
    };
    if (remaining.length > 0) await this.persist(partitionName(batch), signal, writeSome, () => this.measureLag(batch));
  }

  /** Offsets are committed as far as the sink says that alerts are safe, now or when it is asked again. */
  private async collect(
    sink: CollectingSink,
    batch: RecordBatch,
    reading: Reading,
    signal: AbortSignal,
  ): Promise<void> {
    const name = partitionName(batch);
    await this.bury(reading.letters, signal);
    const take = () => sink.take(placeOf(batch), reading.alerts, batch.nextOffset);
    const safe = await this.persist(name, signal, take, () => this.measureLag(batch));
    if (safe === undefined || signal.aborted) return;
    this.written += reading.alerts.length;
    this.safeUpTo(sink, batch, safe, signal);
  }

  private safeUpTo(sink: CollectingSink, batch: RecordBatch, safe: number, signal: AbortSignal): void {
    const name = partitionName(batch);
    this.lag.set(name, Math.max(0, batch.endOffset - safe));
    this.commits.add({ ...placeOf(batch), offset: safe });
    if (safe >= batch.nextOffset || signal.aborted) {
      this.flushes.get(name)?.();
      this.flushes.delete(name);
      return;
    }
    this.flushes.get(name)?.();
    const flush = async (): Promise<void> => {
      const now = await this.persist(
        name,
        signal,
        () => sink.flush(placeOf(batch)),
        () => this.measureLag(batch),
      );
      if (now !== undefined && !signal.aborted) this.safeUpTo(sink, batch, now, signal);
    };
    const due = () => void this.inTurnOf(batch, flush);
    this.flushes.set(name, this.options.clock.schedule(sink.flushAfterMs, due));
  }

  private inTurnOf(partition: TopicPartition, act: () => Promise<void>): Promise<void> {
    const name = partitionName(partition);
    const turn = (this.turns.get(name) ?? Promise.resolve()).then(act);
    this.turns.set(name, turn);
    return turn;
  }

  /** Writes dead letters (invariant 4). */
  private async bury(letters: readonly SinkLetter[], signal: AbortSignal): Promise<void> {
    if (letters.length === 0 || signal.aborted) return;
    const { letters: topic } = this;
    if (topic !== null) await this.persist(LOG, signal, () => topic.write(letters));
    if (signal.aborted) return;
    this.deadLettered += letters.length;
    for (const letter of letters) this.options.onDeadLetter?.(letter);
  }

  /** While a batch is held no other comes to tell where the log ends, so it is asked: the lag is what grows then. */
  private measureLag(batch: RecordBatch): void {
    const name = partitionName(batch);
    if (this.measuring.has(name)) return;
    this.measuring.add(name);
    const measured = this.options.log.offsets(batch).then(({ end }) => {
      if (this.owned.has(name)) this.lag.set(name, end - batch.nextOffset + batch.records.length);
    });
    // A log that does not answer is told of by those who read and commit.
    measured.catch(() => undefined).finally(() => this.measuring.delete(name));
  }

  private async commit(offsets: readonly OffsetCommit[]): Promise<void> {
    // A batch may come before `join` has given us the member.
    await this.joining;
    const own = offsets.filter((offset) => this.owned.has(partitionName(offset)));
    try {
      if (own.length > 0) await this.member?.commit(own);
    } catch (error) {
      // Someone else has a partition by now and will write the same alerts again, which changes nothing.
      if (!(error instanceof FencedError)) throw error;
    }
  }

  private read(batch: RecordBatch): Reading {
    const { decoder, wants } = this.options;
    const alerts: PlacedAlert[] = [];
    const recordOf = new Map<Alert, LogRecord>();
    const letters: SinkLetter[] = [];
    for (const record of batch.records) {
      if (record.value === null) continue;
      refuseLater(record, decoder);
      try {
        const alert = decoder.decode(record.value);
        if (wants !== undefined && !wants(alert)) continue;
        alerts.push({ alert, offset: record.offset });
        recordOf.set(alert, record);
      } catch (error) {
        const detail = wordsOf(error);
        letters.push({ record, from: placeOf(batch), reason: 'not-an-alert', detail });
      }
    }
    return { alerts, recordOf, letters };
  }

  /** Tries until it works; `undefined` when `signal` aborted first. */
  private async persist<T>(
    of: string,
    signal: AbortSignal,
    attempt: () => Promise<T>,
    onFailure?: () => void,
  ): Promise<T | undefined> {
    const backoff = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    while (!signal.aborted) {
      try {
        const result = await attempt();
        this.tell(of, null);
        return result;
      } catch (error) {
        if (signal.aborted) return undefined;
        this.failures += 1;
        onFailure?.();
        this.tell(of, wordsOf(error));
        const { clock } = this.options;
        const asked = error instanceof PartlyWritten ? error.retryAfterMs : 0;
        await pause(clock, Math.max(withJitter(backoff.next(), clock), asked), signal);
      }
    }
    return undefined;
  }

  private tell(of: string, trouble: string | null): void {
    if (trouble === null) this.troubles.delete(of);
    else this.troubles.set(of, trouble);
    const [first = null] = this.troubles.values();
    if (first === this.trouble) return;
    this.trouble = first;
    this.options.onTrouble?.(first);
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const placeOf = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition });

/** Throws for an alert in a form that only a later version knows: during an upgrade old processes meet the alerts of new ones. */
function refuseLater({ headers, offset }: LogRecord, { version }: AlertDecoder): void {
  const written = headers?.get(ALERT_VERSION_HEADER);
  if (written === undefined || version === undefined) return;
  const later = Number(Buffer.from(written).toString());
  if (!(later > version)) return;
  throw new Error(
    `the alert at offset ${offset} was written by a later version of stakeout (its form is ${later}, known here are those up to ` +
      `${version}): it is read once this process is upgraded, or another has its partition`,
  );
}
