/**
 * Exactly-once: records, and the offsets of what they were made from, as one.
 *
 *     none ──init──▶ ready ──begin──▶ open ──EndTxn(commit)──▶ deciding ──▶ ready
 *                      ▲                │                          │
 *                      └──abort, init───┴──── fenced meanwhile ────┘        any init ── another has the id ──▶ dead
 *
 * One commit:
 *   1. Begin: the coordinator of the transaction writes down which partitions, and which group's offsets, take part.
 *   2. Side by side: records to the brokers that lead their partitions; offsets, with member id and generation, to the group's
 *      coordinator, which refuses those of a zombie (KIP-447).
 *   3. EndTxn. Its coordinator writes down the decision, then tells all partitions. Resolves when they know: from then on every
 *      reader sees the records, and whoever asks for the group's offsets gets the new ones.
 * A crash before the decision is written: the coordinator aborts when the next producer of this id comes, or by timeout. After: it
 * goes on telling the partitions by itself. Until a partition knows, its records are not readable and the offsets not to be had.
 *
 * Invariants
 * 1. One transaction at a time. What a member commits through it keeps the order of the member's own commits.
 * 2. A transaction fails before EndTxn(commit) was sent, or it is found out whether it was committed. Never in doubt, except where `close`
 *    ends the waiting, with an error that says so.
 * 3. A request whose answer was lost may still arrive. So after one, and after every failure, the next transaction gets a new epoch
 *    first: whatever is still open is aborted, and the late request refused.
 * 4. Getting a new epoch names the old one, and is refused where there is a later one. Where the broker made that itself, ending a
 *    transaction by timeout, the producer goes on from there; where another took over the id, it may never commit again.
 *    Records without offsets are fenced by this alone.
 * 5. Without records there is nothing to hide from readers: offsets alone go as the member's plain commit, one request instead of four
 *    and no markers. It is fenced by the generation just the same, and Kafka keeps the later of a plain and a transactional offset.
 */

import { type Backoff, pause } from '../../../runtime/backoff.js';
import type { GroupMember, OffsetCommit, OutgoingRecord, TransactionalProducer } from '../../../runtime/ports/log.js';
import { FencedError, TransactionAbortedError } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';
import { asKafkaError, hasId, isPassing, KafkaError, TRANSACTION_OVER } from '../client/errors.js';
import { Link } from '../client/link.js';
import { OpenWork } from '../client/open-work.js';
import type { TransactionIdentity } from '../client/producer-identity.js';
import { busyBackoff, kafkaBackoff } from '../client/timing.js';
import { type CommitHold, KafkaGroupMember } from '../group/group-member.js';
import { TransactionCoordinator } from './transaction-coordinator.js';
import { wasCommitted } from './transaction-outcome.js';
import { type Share, TransactionWriter, type Written } from './transaction-writer.js';

/** Attempts, about 500 ms. */
const BUSY_TROUBLES = 30;

/** The commit under way. */
interface UnderWay {
  readonly hold: CommitHold;
  /** Ends the waiting: the member, or the producer, is closing and has waited long enough. */
  readonly giveUp: AbortController;
}

export class KafkaTransactionalProducer implements TransactionalProducer {
  readonly #coordinator: TransactionCoordinator;
  readonly #writer: TransactionWriter;
  readonly #stop = new AbortController();
  #identity: TransactionIdentity | null = null;
  /** Invariant 3: a new epoch is needed. */
  #stale = true;
  /** Invariant 4. */
  #dead: KafkaError | null = null;
  #underWay: UnderWay | null = null;
  /** Commits asked for and not settled. */
  readonly #open = new OpenWork();
  #last: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(
    private readonly cluster: Cluster,
    private readonly transactionalId: string,
    /** Called once when it is closed. */
    private readonly closed: () => void,
  ) {
    this.#coordinator = new TransactionCoordinator(cluster, transactionalId);
    this.#writer = new TransactionWriter(cluster, (error) => this.#unsettled(error));
  }

  /** Ends what an earlier producer of this id left open. Waits for brokers that are away. */
  async open(): Promise<void> {
    await this.#ready();
  }

  commit(member: GroupMember, records: readonly OutgoingRecord[], offsets: readonly OffsetCommit[]): Promise<void> {
    if (this.#closing !== null) return Promise.reject(new KafkaError('KAFKA_CLOSED', 'the producer is closed'));
    if (!(member instanceof KafkaGroupMember)) return Promise.reject(new TypeError('a member of another log'));
    const done = member.transact(offsets, (hold) => {
      const turn = this.#last.then(() => this.#commit(hold, records, offsets));
      this.#last = turn.catch(() => {});
      return turn;
    });
    return this.#open.add(done);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, closeTimeoutMs } = this.cluster.settings;
    await this.#open.settledWithin(closeTimeoutMs, clock);
    this.#stop.abort();
    this.#underWay?.giveUp.abort();
    await Promise.all([this.#coordinator.close(), this.#writer.close()]);
    await this.#open.settled();
    this.closed();
  }

  async #commit(hold: CommitHold, records: readonly OutgoingRecord[], offsets: readonly OffsetCommit[]): Promise<void> {
    if (this.#dead !== null) throw this.#dead;
    if (this.#stop.signal.aborted) throw closedError();
    hold.check();
    const giveUp = new AbortController();
    const { signal } = giveUp;
    this.#underWay = { hold, giveUp };
    try {
      if (records.length > 0) await this.#transact(hold, records, offsets);
      else if (offsets.length > 0) await hold.commit(signal);
      hold.fine();
    } catch (error) {
      if (!signal.aborted || error instanceof FencedError || error instanceof KafkaError) throw error;
      throw closedError(error);
    } finally {
      this.#underWay = null;
    }
  }

  async #transact(
    hold: CommitHold,
    records: readonly OutgoingRecord[],
    offsets: readonly OffsetCommit[],
  ): Promise<void> {
    const shares = await this.#writer.place(records, this.#signal);
    try {
      const groupId = offsets.length > 0 ? hold.groupId : null;
      const identity = await this.#begin(shares, groupId);
      const written = await this.#fill(identity, shares, groupId === null ? null : hold);
      await this.#end(identity, () => this.#lookUp(identity, written, hold.groupId, offsets));
    } catch (error) {
      throw await this.#failed(error);
    }
  }

  /** A producer with an epoch that nothing old can interfere with; whatever was open is aborted. */
  async #ready(): Promise<TransactionIdentity> {
    if (this.#dead !== null) throw this.#dead;
    const own = this.#identity;
    if (!this.#stale && own !== null) return own;
    if (own !== null) await this.#abort(own);
    const given = await this.#persist(() => this.#coordinator.init(own)).catch((error: unknown) => {
      if (own === null || !hasId(error, ...TRANSACTION_OVER)) throw error;
      return this.#goOn(own, error);
    });
    this.#identity = given;
    this.#stale = false;
    return given;
  }

  /** First of all, and under the old epoch: only then is that still the latest, which tells the broker that nobody came in between. */
  async #abort(own: TransactionIdentity): Promise<void> {
    await this.#persist(() => this.#coordinator.abort(own)).catch((error: unknown) => {
      // Nothing is open, or this producer's time is over: what follows finds out.
      if (!hasId(error, ...TRANSACTION_OVER)) throw error;
    });
  }

  /** There is a later epoch: by a time-out, then this producer goes on from there; or by another producer. */
  async #goOn(own: TransactionIdentity, cause: unknown): Promise<TransactionIdentity> {
    const later = await this.#persist(() => this.#coordinator.epochOfTimeout(own));
    if (later !== null) {
      try {
        return await this.#persist(() => this.#coordinator.init(later));
      } catch (error) {
        if (!hasId(error, ...TRANSACTION_OVER)) throw error;
      }
    }
    this.#dead = new KafkaError(
      'KAFKA_PRODUCER_FENCED',
      `two instances share kafka.transactionalId '${this.transactionalId}': another one has taken it over, this one can commit nothing any more`,
      { cause },
    );
    throw this.#dead;
  }

  /** Step 1. Both requests go out together; their broker answers one after the other. */
  async #begin(shares: readonly Share[], groupId: string | null): Promise<TransactionIdentity> {
    for (let attempt = 1; ; attempt++) {
      const identity = await this.#ready();
      const added = await Promise.allSettled([
        this.#persist(() => this.#coordinator.addPartitions(identity, shares)),
        groupId === null ? undefined : this.#persist(() => this.#coordinator.addOffsets(identity, groupId)),
      ]);
      const failure = added.find((one) => one.status === 'rejected');
      if (failure === undefined) return identity;
      // Nothing was written yet. The broker may have ended, or forgotten, what went before: that is told by a new epoch, or refused.
      this.#stale = true;
      if (attempt > 1 || !hasId(failure.reason, ...TRANSACTION_OVER)) throw failure.reason;
    }
  }

  /** Step 2. Neither is under way any more when this settles. `hold`: of the offsets, if there are any. */
  async #fill(
    identity: TransactionIdentity,
    shares: readonly Share[],
    hold: CommitHold | null,
  ): Promise<readonly Written[]> {
    const { clock, transactionTimeoutMs } = this.cluster.settings;
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#signal, failed.signal]);
    const failures: unknown[] = [];
    const fail = (error: unknown) => {
      failures.push(error);
      failed.abort();
      return [];
    };
    // The brokers will have ended it by then: whatever is still waited for comes too late.
    const late = () => fail(new TransactionAbortedError(`not through within ${transactionTimeoutMs} ms`));
    const cancel = clock.schedule(transactionTimeoutMs, late);
    try {
      const [written] = await Promise.all([
        this.#writer.write(identity, shares, signal).catch(fail),
        hold?.commitIn(identity, signal).catch(fail),
      ]);
      if (failures.length > 0) throw failures[0];
      return written;
    } finally {
      cancel();
    }
  }

  /** Step 3. `lookUp` tells the outcome where the coordinator cannot any more. */
  async #end(identity: TransactionIdentity, lookUp: () => Promise<boolean>): Promise<void> {
    // Until it is known, nobody may ask for a new epoch: that would abort what may be about to be committed.
    let lost = false;
    try {
      await this.#persist(
        () => this.#coordinator.commit(identity),
        () => (lost = true),
      );
    } catch (error) {
      if (!hasId(error, ...TRANSACTION_OVER)) throw lost ? unknown(error) : error;
      if (!lost) throw error;
      const committed = await this.#persist(lookUp).catch((cause: unknown) => {
        throw unknown(cause);
      });
      if (!committed) throw error;
      this.#stale = true;
      return;
    }
    await this.#told(identity);
  }

  /** Committed it is; waits until all partitions know. */
  async #told(identity: TransactionIdentity): Promise<void> {
    try {
      await this.#persist(() => this.#coordinator.commit(identity));
    } catch {
      // Only what went wrong with the question: the next transaction finds out.
      this.#stale = true;
    }
  }

  async #lookUp(
    identity: TransactionIdentity,
    written: readonly Written[],
    groupId: string,
    offsets: readonly OffsetCommit[],
  ): Promise<boolean> {
    const link = new Link(this.cluster.settings);
    try {
      return await wasCommitted(this.cluster, link, identity.producerId, written, groupId, offsets);
    } finally {
      await link.close();
    }
  }

  /** Aborts what is open, so that nobody waits for it, and answers with the error to throw. */
  async #failed(error: unknown): Promise<unknown> {
    this.#stale = true;
    if (this.#signal.aborted) return error;
    try {
      await this.#ready();
    } catch {
      // What else is wrong, the next commit meets again and tells.
      if (this.#dead !== null) return this.#dead;
    }
    if (error instanceof FencedError || error instanceof TransactionAbortedError) return error;
    if (hasId(error, ...TRANSACTION_OVER)) {
      return new TransactionAbortedError('the brokers ended the transaction', { cause: error });
    }
    return asKafkaError(error, 'committing a transaction');
  }

  /** Tries until it works or cannot work. `lost` is called when an attempt may have been carried out without our knowing. */
  async #persist<R>(attempt: () => Promise<R>, lost?: () => void): Promise<R> {
    const { clock, unknownTopicMs } = this.cluster.settings;
    const away = kafkaBackoff();
    const busy = busyBackoff();
    const missingUntil = clock.now() + unknownTopicMs;
    for (;;) {
      if (this.#signal.aborted) throw closedError();
      let backoff: Backoff = busy;
      try {
        return await attempt();
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (hasId(error, 'UNKNOWN_TOPIC_OR_PARTITION') && clock.now() > missingUntil) throw error;
        const shown = asKafkaError(error, `transactions of ${this.transactionalId}`);
        if (!hasId(error, 'CONCURRENT_TRANSACTIONS')) {
          lost?.();
          this.#unsettled(shown);
          backoff = away;
        } else if (busy.failures > BUSY_TROUBLES) {
          // A partition that takes part cannot be told how the transaction before ended: its leader is away.
          this.#impede(shown);
        }
      }
      await pause(clock, backoff.next(), this.#signal);
    }
  }

  /** Something is tried again: an earlier attempt may still arrive. */
  #unsettled(error: KafkaError): void {
    this.#stale = true;
    this.#impede(error);
  }

  #impede(error: KafkaError): void {
    this.#underWay?.hold.trouble(error);
    if (this.#underWay?.hold.isPatient() === false) this.#underWay.giveUp.abort();
  }

  get #signal(): AbortSignal {
    return this.#underWay?.giveUp.signal ?? this.#stop.signal;
  }
}

function closedError(cause?: unknown): KafkaError {
  return new KafkaError('KAFKA_CLOSED', 'closed while the brokers were away', { cause });
}

function unknown(cause: unknown): KafkaError {
  return new KafkaError('KAFKA_UNAVAILABLE', 'it could not be found out whether the transaction was committed', {
    cause,
  });
}
