/**
 * One member of a consumer group, rebalancing cooperatively.
 *
 *     joining ──▶ in the group ──rebalance, new topics──▶ joining …
 *        ▲   └─ gives something up: onRevoked, join again at once
 *        └──── forgotten by the coordinator: onLost, join as a new member
 *
 * 1. A partition that stays is read on through a rebalance; only what goes is revoked and only what comes is assigned.
 * 2. What must be given up is given up before the member joins again: its last batch is through, and `onRevoked` has resolved.
 * 3. The listener's `onAssigned`, `onRevoked` and `onLost` are called one after the other, in the order in which things happened.
 * 4. A commit counts only for partitions held without a break since it was asked for; otherwise it is refused with `FencedError`,
 *    and never sent again under a later membership.
 * 5. Commits are sent one after the other. Heartbeats go on while the listener works.
 * 6. Whatever may pass (brokers away, elections) is tried again until `close`; whatever may not ends in `onFatal`, once.
 */

import { type Backoff, pause } from '../../../runtime/backoff.js';
import type {
  GroupListener,
  GroupMember,
  GroupOptions,
  OffsetCommit,
  TopicPartition,
} from '../../../runtime/ports/log.js';
import { FencedError, partitionName } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';
import { asKafkaError, hasId, isPassing, KafkaError, protocolIds } from '../client/errors.js';
import type { TransactionIdentity } from '../client/producer-identity.js';
import { kafkaBackoff } from '../client/timing.js';
import { Fetcher } from '../read/fetcher.js';
import { Coordinator } from './coordinator.js';
import { Health } from './health.js';
import { startPositions } from './positions.js';
import { Subscription } from './subscription.js';

const FORGOTTEN = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'] as const;
/** Attempts, about 600 ms. */
const ANSWERED_TROUBLES = 5;
const DISCOVERY_INTERVAL_MS = 10_000;
/** A topic wanted by its name is most likely being made at this moment. */
const MISSING_TOPIC_INTERVAL_MS = 500;

/** A partition held, from the round that gave it until it is revoked or lost. */
interface Stake {
  readonly of: TopicPartition;
  /** Commits count. */
  live: boolean;
  /** To be given up: not worth finding out where to begin. */
  leaving: boolean;
  /** The listener knows of it. */
  told: boolean;
}

/** One commit of a member, when its turn has come. */
export interface CommitHold {
  readonly groupId: string;
  /** @throws FencedError The partitions are not held without a break since the commit was asked for. */
  check(): void;
  /** `signal` ends the attempts. @throws FencedError */
  commit(signal?: AbortSignal): Promise<void>;
  /**
   * Puts the offsets into an open transaction; `signal` ends the attempts.
   *
   * @throws FencedError
   * @throws KafkaError also where the transaction is over, with Kafka's word for it in the cause
   */
  commitIn(transaction: TransactionIdentity, signal: AbortSignal): Promise<void>;
  /** Something is being tried again. */
  trouble(error: KafkaError): void;
  fine(): void;
  /** False: the member is closing, and has waited long enough. */
  isPatient(): boolean;
}

export class KafkaGroupMember implements GroupMember {
  readonly #owned = new Map<string, Stake>();
  readonly #coordinator: Coordinator;
  readonly #subscription: Subscription;
  readonly #fetcher: Fetcher;
  readonly #health: Health;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #discovering: Promise<void> = Promise.resolve();
  #beating: Promise<void> = Promise.resolve();
  #heartbeat = new AbortController();
  #joining: Promise<unknown> | null = null;
  #rejoin = Promise.withResolvers<void>();
  #callbacks: Promise<void> = Promise.resolve();
  #commits: Promise<void> = Promise.resolve();
  #failed = false;
  #closing: Promise<void> | null = null;
  #closeBy = Number.POSITIVE_INFINITY;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: GroupOptions,
    private readonly listener: GroupListener,
    /** Called once when it is closed, by whomever. */
    private readonly closed: () => void,
  ) {
    this.#coordinator = new Coordinator(cluster, options.groupId);
    this.#subscription = new Subscription(cluster, options.topics);
    this.#health = new Health(listener);
    this.#fetcher = new Fetcher(cluster, {
      deliver: (batch) => listener.onBatch(batch),
      trouble: (error) => this.#health.trouble('fetch', asKafkaError(error, 'fetching')),
      fine: () => this.#health.fine('fetch'),
      fatal: (error) => this.#fail(error),
    });
  }

  start(): void {
    this.#running = this.#guard(this.#run());
    this.#discovering = this.#guard(this.#discover());
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#owned.values()].map((stake) => stake.of);
  }

  owners(): ReadonlyMap<string, string> {
    return this.#coordinator.owners;
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#fetcher.pause(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#fetcher.resume(partitions);
  }

  commit(offsets: readonly OffsetCommit[]): Promise<void> {
    return this.transact(offsets, (hold) => hold.commit());
  }

  /** Runs `work` when all commits before it are through; later ones wait for it. What it commits counts as asked for now (invariant 4). */
  transact(offsets: readonly OffsetCommit[], work: (hold: CommitHold) => Promise<void>): Promise<void> {
    const stakes = offsets.map((o) => this.#owned.get(partitionName(o)));
    const hold: CommitHold = {
      groupId: this.options.groupId,
      check: () => this.#checkHeld(stakes),
      commit: (signal) => this.#commit(stakes, () => this.#coordinator.commit(offsets), signal),
      commitIn: (transaction, signal) =>
        this.#commit(stakes, () => this.#coordinator.commitIn(transaction, offsets), signal),
      trouble: (error) => this.#health.trouble('transaction', error),
      fine: () => this.#health.fine('transaction'),
      isPatient: () => this.cluster.settings.clock.now() <= this.#closeBy,
    };
    const done = this.#commits.then(() => work(hold));
    this.#commits = done.catch(() => {});
    return done;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const assigned = await this.#join();
      if (assigned === null) return;
      const names = new Set(assigned.map(partitionName));
      const added = assigned.filter((tp) => !this.#owned.has(partitionName(tp))).map((tp) => this.#take(tp));
      if (added.length > 0) void this.#inOrder(() => this.#assign(added));
      const gone = [...this.#owned].filter(([name]) => !names.has(name)).map(([, stake]) => stake);
      if (gone.length > 0) await this.#revoke(gone);
      else await this.#rejoin.promise;
    }
  }

  /** Until the member is in. `null`: closing. */
  async #join(): Promise<readonly TopicPartition[] | null> {
    const backoff = kafkaBackoff();
    while (!this.#stop.signal.aborted) {
      this.#rejoin = Promise.withResolvers<void>();
      try {
        await this.#subscription.refresh();
        this.#heartbeat.abort();
        const { names, fingerprint } = this.#subscription;
        const data = { fingerprint, endpoint: this.options.endpoint ?? null };
        const joined = this.#coordinator.join(names, this.assignment(), data);
        this.#joining = joined.catch(() => {});
        const assigned = await joined;
        this.#beat();
        this.#health.fine('group');
        return assigned;
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        if (hasId(error, 'REBALANCE_IN_PROGRESS')) continue;
        if (hasId(error, ...FORGOTTEN)) this.#lose();
        else await this.#trouble(error, 'joining the group', backoff);
      } finally {
        this.#joining = null;
      }
    }
    return null;
  }

  #take(of: TopicPartition): Stake {
    const stake: Stake = { of, live: true, leaving: false, told: false };
    this.#owned.set(partitionName(of), stake);
    return stake;
  }

  async #assign(stakes: readonly Stake[]): Promise<void> {
    const backoff = kafkaBackoff();
    for (;;) {
      const wanted = stakes.filter((stake) => stake.live && !stake.leaving);
      if (wanted.length === 0 || this.#stop.signal.aborted) return;
      const partitions = wanted.map((stake) => stake.of);
      try {
        const { cluster, options } = this;
        const found = await startPositions(cluster, this.#coordinator, options, this.#subscription, partitions);
        this.#health.fine('assign');
        if (wanted.some((stake) => !stake.live || stake.leaving)) continue;
        for (const stake of wanted) stake.told = true;
        const positions = await this.listener.onAssigned(found);
        for (const [i, stake] of wanted.entries()) {
          const name = partitionName(stake.of);
          if (stake.live) this.#fetcher.add(stake.of, positions?.get(name) ?? found[i]?.position ?? 0);
        }
        return;
      } catch (error) {
        if (wanted.some((stake) => stake.told)) throw listenerFailed(error);
        await this.#trouble(error, 'finding where to begin', backoff, 'assign');
      }
    }
  }

  /** Invariant 2. Resolves when the listener has let go. */
  #revoke(stakes: readonly Stake[]): Promise<void> {
    for (const stake of stakes) stake.leaving = true;
    return this.#inOrder(async () => {
      const held = stakes.filter((stake) => stake.live && stake.told);
      await this.#fetcher.remove(held.map((stake) => stake.of));
      const revoked = held.filter((stake) => stake.live);
      for (const stake of revoked) stake.told = false;
      if (revoked.length > 0) await this.listener.onRevoked(revoked.map((stake) => stake.of));
      for (const stake of stakes) this.#drop(stake);
    });
  }

  /** The coordinator gave everything to others already. */
  #lose(): void {
    const stakes = [...this.#owned.values()];
    for (const stake of stakes) this.#drop(stake);
    this.#heartbeat.abort();
    this.#coordinator.forget();
    void this.#inOrder(async () => {
      await this.#fetcher.remove(stakes.map((stake) => stake.of));
      const lost = stakes.filter((stake) => stake.told);
      for (const stake of lost) stake.told = false;
      if (lost.length > 0) await this.listener.onLost(lost.map((stake) => stake.of));
    });
    this.#rejoin.resolve();
  }

  #drop(stake: Stake): void {
    stake.live = false;
    const name = partitionName(stake.of);
    if (this.#owned.get(name) === stake) this.#owned.delete(name);
  }

  #checkHeld(stakes: readonly (Stake | undefined)[]): void {
    if (stakes.some((stake) => stake === undefined || !stake.live)) {
      throw new FencedError(`group ${this.options.groupId}: partitions of this commit are not held any more`);
    }
  }

  async #commit(
    stakes: readonly (Stake | undefined)[],
    send: () => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const backoff = kafkaBackoff();
    for (;;) {
      this.#checkHeld(stakes);
      signal?.throwIfAborted();
      const { generation } = this.#coordinator;
      try {
        await send();
        this.#health.fine('commit');
        return;
      } catch (error) {
        await this.#commitFailed(error, generation, backoff);
      }
    }
  }

  /** Returns when the commit may be tried again: the stakes are looked at anew then. */
  async #commitFailed(error: unknown, generation: number, backoff: Backoff): Promise<void> {
    const moved = this.#joining !== null || this.#coordinator.generation !== generation;
    if (hasId(error, 'REBALANCE_IN_PROGRESS') || (hasId(error, 'ILLEGAL_GENERATION') && moved)) {
      await this.#joining;
      await pause(this.cluster.settings.clock, backoff.next(), this.#stop.signal);
    } else if (hasId(error, ...FORGOTTEN)) {
      this.#lose();
    } else if (!isPassing(error) || this.cluster.settings.clock.now() > this.#closeBy) {
      throw asKafkaError(error, 'committing offsets');
    } else {
      if (isWorthTelling(error, backoff)) this.#health.trouble('commit', asKafkaError(error, 'committing offsets'));
      // Not ended by `close`, which waits for commits of `onRevoked` until `#closeBy`.
      await pause(this.cluster.settings.clock, backoff.next(), new AbortController().signal);
    }
  }

  #beat(): void {
    this.#heartbeat = new AbortController();
    this.#beating = this.#guard(this.#beatUntil(this.#heartbeat.signal));
  }

  async #beatUntil(end: AbortSignal): Promise<void> {
    const { clock, heartbeatIntervalMs } = this.cluster.settings;
    for (;;) {
      await pause(clock, heartbeatIntervalMs, end);
      if (end.aborted) return;
      try {
        await this.#coordinator.heartbeat();
        if (!end.aborted) this.#health.fine('group');
      } catch (error) {
        if (end.aborted) return;
        if (hasId(error, 'REBALANCE_IN_PROGRESS')) this.#rejoin.resolve();
        else if (hasId(error, ...FORGOTTEN)) this.#lose();
        else if (isPassing(error)) this.#health.trouble('group', asKafkaError(error, 'heartbeat'));
        else throw error;
      }
    }
  }

  async #discover(): Promise<void> {
    const { clock } = this.cluster.settings;
    const { discoveryIntervalMs = DISCOVERY_INTERVAL_MS } = this.options;
    for (;;) {
      const intervalMs = this.#subscription.isComplete ? discoveryIntervalMs : MISSING_TOPIC_INTERVAL_MS;
      await pause(clock, Math.min(intervalMs, discoveryIntervalMs), this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      // A cluster that does not answer is noticed, told and waited for elsewhere.
      const changed = await this.#subscription.refresh().catch(() => false);
      if (changed) this.#rejoin.resolve();
    }
  }

  /** Throws what cannot pass; tells and waits otherwise. */
  async #trouble(error: unknown, doing: string, backoff: Backoff, part = 'group'): Promise<void> {
    if (!isPassing(error)) throw error;
    if (isWorthTelling(error, backoff)) this.#health.trouble(part, asKafkaError(error, doing));
    await pause(this.cluster.settings.clock, backoff.next(), this.#stop.signal);
  }

  /** Invariant 3. */
  #inOrder(task: () => Promise<void>): Promise<void> {
    this.#callbacks = this.#guard(this.#callbacks.then(() => (this.#failed ? undefined : task())));
    return this.#callbacks;
  }

  #guard(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.#fail(asKafkaError(error, `group ${this.options.groupId}`)));
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    for (const stake of [...this.#owned.values()]) this.#drop(stake);
    this.listener.onFatal(error);
    void this.close();
  }

  async #close(): Promise<void> {
    const { clock, closeTimeoutMs } = this.cluster.settings;
    this.#closeBy = clock.now() + closeTimeoutMs;
    this.#stop.abort();
    this.#rejoin.resolve();
    await this.#coordinator.abandonJoin();
    await Promise.all([this.#running, this.#discovering]);
    await this.#revoke([...this.#owned.values()]);
    this.#heartbeat.abort();
    await this.#fetcher.close();
    await this.#coordinator.leave();
    await this.#coordinator.close();
    await this.#beating;
    this.closed();
  }
}

function listenerFailed(error: unknown): KafkaError {
  return new KafkaError('KAFKA_LISTENER_FAILED', 'the listener failed on its partitions', { cause: error });
}

/** Coordinators and leaders are elected in a moment: only what lasts longer, or no answer at all, is worth telling. */
function isWorthTelling(error: unknown, backoff: Backoff): boolean {
  return protocolIds(error).length === 0 || backoff.failures >= ANSWERED_TROUBLES;
}
