import {
  FencedError,
  type GroupMember,
  type LogProducer,
  type OffsetCommit,
  type OutgoingRecord,
  partitionName,
  TransactionAbortedError,
  type TransactionalProducer,
} from '../../ports/log.js';
import { Outbox } from './outbox.js';

/**
 * `exactly-once`: what is given out becomes readable in the transaction that commits its offsets. `at-least-once`: as soon as it
 * is found.
 */
export type DeliveryMode = 'exactly-once' | 'at-least-once';

interface Given {
  readonly record: OutgoingRecord;
  readonly onCommitted?: () => void;
}

/** What a partition has given out since its last commit. An object of its own for each ownership. */
interface Queue {
  records: Given[];
  /** A commit with records of it is under way. */
  committing: boolean;
  /** Commits of it, until what waited when the mode was switched is committed. */
  behind: number;
}

/**
 * What a lane gives out, and its commits.
 *
 * Invariants
 * 1. Exactly once: records that follow from a partition's records up to `C` are in the transaction that commits `C`, or an earlier
 *    one. A transaction that did not happen leaves them where they were, so that the next one has them.
 * 2. At least once: a commit begins when all that was given out before it is durable.
 * 3. Records of a partition that was given up uncommitted are forgotten: its next owner finds them again.
 *    After a switch from exactly once it begins, for each partition, when what waited then is committed: journal entries may be
 *    among that, and nothing that follows from them may be seen before them.
 * 4. Journal entries and forwarded events are committed with the offsets they belong to, in either mode.
 */
export class Delivery {
  private readonly queues = new Map<string, Queue>();
  private readonly outbox: Outbox;
  private queued = 0;

  constructor(
    private mode: DeliveryMode,
    producer: LogProducer,
    private readonly transactions: TransactionalProducer,
    /** A send failed for good, or nobody can say what became of a transaction; the lane cannot go on. */
    private readonly onFailure: (error: Error) => void,
  ) {
    this.outbox = new Outbox(producer, onFailure);
  }

  get currentMode(): DeliveryMode {
    return this.mode;
  }

  /** Records that are not durable, or not committed, yet. */
  get size(): number {
    return this.queued + this.outbox.size;
  }

  /** The next record goes the other way, once what waits for a transaction has got one. */
  setMode(mode: DeliveryMode): void {
    if (mode === this.mode) return;
    this.mode = mode;
    for (const queue of this.queues.values()) {
      queue.behind = (queue.committing ? 1 : 0) + (queue.records.length > 0 ? 1 : 0);
    }
  }

  /** `from`: name of the partition it follows from. `onCommitted`: it can be read now. */
  add(from: string, record: OutgoingRecord, onCommitted?: () => void): void {
    const isBehind = (this.queues.get(from)?.behind ?? 0) > 0;
    if (this.mode === 'at-least-once' && !isBehind) this.outbox.add(record, onCommitted);
    else this.addToCommit(from, record, onCommitted);
  }

  /** The same for what must be exactly once in either mode, because results follow from it. */
  addToCommit(from: string, record: OutgoingRecord, onCommitted?: () => void): void {
    this.queued++;
    this.queueOf(from).records.push(onCommitted === undefined ? { record } : { record, onCommitted });
  }

  /** Whether something that follows from this partition waits for a commit. */
  waits(from: string): boolean {
    return (this.queues.get(from)?.records.length ?? 0) > 0;
  }

  /** Sends what need not wait for the commit. */
  flush(): void {
    this.outbox.flush();
  }

  /** Resolves when all that need not wait for a commit is durable. */
  settled(): Promise<void> {
    return this.outbox.settled();
  }

  /** The partition was given up. */
  drop(from: string): void {
    this.queued -= this.queues.get(from)?.records.length ?? 0;
    this.queues.delete(from);
  }

  /**
   * Commits offsets with all that was given out by these partitions up to this call, and entries of the journal. Throws what the
   * log throws; nothing was committed then, or `onFailure` was told.
   *
   * @param isHeld false: a partition of these was given up. It may have been given back since, at another position, so that the
   *   member itself would not be refused.
   */
  async commit(
    member: GroupMember,
    offsets: readonly OffsetCommit[],
    journal: readonly OutgoingRecord[] = [],
    isHeld: () => boolean = () => true,
  ): Promise<void> {
    const taken = this.take(offsets.map(partitionName));
    const given = taken.flatMap(([, records]) => records);
    try {
      await this.outbox.settled();
      if (!isHeld()) throw new FencedError('partitions of this commit were given up');
      if (given.length === 0 && journal.length === 0) await member.commit(offsets);
      else await this.transact(member, [...given.map((g) => g.record), ...journal], offsets);
    } catch (error) {
      this.putBack(taken);
      throw error;
    }
    for (const [, , queue] of taken) {
      queue.committing = false;
      if (queue.behind > 0) queue.behind--;
    }
    for (const { onCommitted } of given) onCommitted?.();
  }

  /** What a transaction does not say of itself was not done, or may have been: only a new start can find out. */
  private async transact(
    member: GroupMember,
    records: readonly OutgoingRecord[],
    offsets: readonly OffsetCommit[],
  ): Promise<void> {
    try {
      await this.transactions.commit(member, records, offsets);
    } catch (error) {
      if (!(error instanceof FencedError || error instanceof TransactionAbortedError)) this.onFailure(error as Error);
      throw error;
    }
  }

  private take(names: readonly string[]): [name: string, records: Given[], queue: Queue][] {
    return names.flatMap((name) => {
      const queue = this.queues.get(name);
      if (queue === undefined || queue.records.length === 0) return [];
      const { records } = queue;
      queue.records = [];
      queue.committing = true;
      this.queued -= records.length;
      return [[name, records, queue] as [string, Given[], Queue]];
    });
  }

  private putBack(taken: readonly [name: string, records: Given[], queue: Queue][]): void {
    for (const [name, records, queue] of taken) {
      queue.committing = false;
      if (queue.behind > 0) queue.behind = 1;
      if (this.queues.get(name) !== queue) continue;
      queue.records = [...records, ...queue.records];
      this.queued += records.length;
    }
  }

  private queueOf(name: string): Queue {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = { records: [], committing: false, behind: 0 };
      this.queues.set(name, queue);
    }
    return queue;
  }
}
