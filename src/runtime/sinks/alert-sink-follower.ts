import { Backoff, pause } from '../backoff.js';
import type { Alert } from '../ports/alert.js';
import type { Clock } from '../ports/clock.js';
import {
  type AssignedPartition,
  FencedError,
  type GroupListener,
  type GroupMember,
  type Log,
  partitionName,
  type RecordBatch,
  type TopicPartition,
} from '../ports/log.js';
import type { AlertDecoder, AlertSink } from './alert-sink.js';

export interface AlertSinkFollowerOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The sink's own consumer group: `<detection's group>-<sink's name>`. */
  readonly groupId: string;
  readonly topic: string;
  readonly decoder: AlertDecoder;
  readonly sink: AlertSink;
  /** Told when nothing gets through any more, in words, and `null` when it does again. Must not throw. */
  readonly onTrouble?: (trouble: string | null) => void;
  /** Told of a record of the alerts topic that is no alert. It is left out. Must not throw. */
  readonly onUndecodable?: (at: TopicPartition, offset: number, error: unknown) => void;
}

export interface AlertSinkStatus {
  readonly name: string;
  readonly state: 'created' | 'running' | 'paused' | 'stopped';
  /** Why nothing gets through at present, in words. */
  readonly trouble: string | null;
  readonly written: number;
  readonly undecodable: number;
  readonly failures: number;
  /** Alerts that are committed but not written yet, by partition name; only of this member's partitions. */
  readonly lag: ReadonlyMap<string, number>;
}

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5_000;
/** What trouble is of, where it is not a partition. */
const LOG = 'log';

/**
 * Follows the committed alerts and writes them to a sink, as a consumer group of its own.
 *
 *     created ──start()──▶ running ⇄ paused ──stop()──▶ stopped
 *
 * Invariants:
 * 1. Offsets are committed only after the sink took everything before them: no alert is left out, some may come twice.
 * 2. A sink or a log that is away is tried again for ever, with growing waits; detection knows nothing of it.
 * 3. A batch whose partition was taken away is given up at once, without a commit.
 */
export class AlertSinkFollower {
  private state: AlertSinkStatus['state'] = 'created';
  /** Partitions whose end is being asked for. */
  private readonly measuring = new Set<string>();
  /** Trouble of the log, and of each partition's writes: what works again is not taken for all of it. */
  private readonly troubles = new Map<string, string>();
  private trouble: string | null = null;
  private written = 0;
  private undecodable = 0;
  private failures = 0;
  private readonly lag = new Map<string, number>();
  /** Aborted when the partition goes (invariant 3). */
  private readonly owned = new Map<string, AbortController>();
  private stopping = new AbortController();
  private member: GroupMember | undefined;
  private joining: Promise<void> = Promise.resolve();
  private switching: Promise<void> = Promise.resolve();

  constructor(private readonly options: AlertSinkFollowerOptions) {}

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
  }

  /** Gives up what is being retried, leaves the group and closes the sink. */
  async stop(): Promise<void> {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    await this.leave();
    await this.options.sink.close();
  }

  status(): AlertSinkStatus {
    const { state, trouble, written, undecodable, failures } = this;
    return { name: this.options.sink.name, state, trouble, written, undecodable, failures, lag: new Map(this.lag) };
  }

  private async join(): Promise<void> {
    const { log, groupId, topic } = this.options;
    const member = await this.persist(LOG, this.stopping.signal, () =>
      log.join({ groupId, topics: { names: [topic] }, start: { at: 'earliest' } }, this.listener()),
    );
    this.member = member;
  }

  private listener(): GroupListener {
    return {
      onAssigned: async (partitions) => {
        for (const partition of partitions) this.assigned(partition);
        return undefined;
      },
      onRevoked: async (partitions) => this.gone(partitions),
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
  }

  private gone(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const name = partitionName(partition);
      this.owned.get(name)?.abort();
      this.owned.delete(name);
      this.lag.delete(name);
      this.tell(name, null);
    }
  }

  private async takeBatch(batch: RecordBatch): Promise<void> {
    const name = partitionName(batch);
    const signal = this.owned.get(name)?.signal;
    if (signal === undefined) return;
    this.lag.set(name, batch.endOffset - batch.nextOffset + batch.records.length);
    const alerts = this.decode(batch);
    const write = (): Promise<void> => this.options.sink.write(alerts);
    if (alerts.length > 0) await this.persist(name, signal, write, () => this.measureLag(batch));
    if (signal.aborted) return;
    this.written += alerts.length;
    this.lag.set(name, batch.endOffset - batch.nextOffset);
    if (batch.records.length > 0) await this.persist(LOG, signal, () => this.commit(batch));
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

  private async commit(batch: RecordBatch): Promise<void> {
    const { topic, partition, nextOffset } = batch;
    // A batch may come before `join` has given us the member.
    await this.joining;
    try {
      await this.member?.commit([{ topic, partition, offset: nextOffset }]);
    } catch (error) {
      // Someone else has the partition by now and will write the same alerts again, which changes nothing.
      if (!(error instanceof FencedError)) throw error;
    }
  }

  private decode(batch: RecordBatch): readonly Alert[] {
    const alerts: Alert[] = [];
    for (const record of batch.records) {
      if (record.value === null) continue;
      try {
        alerts.push(this.options.decoder.decode(record.value));
      } catch (error) {
        this.undecodable += 1;
        this.options.onUndecodable?.(batch, record.offset, error);
      }
    }
    return alerts;
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
        this.tell(of, error instanceof Error ? error.message : String(error));
        await pause(this.options.clock, backoff.next(), signal);
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
