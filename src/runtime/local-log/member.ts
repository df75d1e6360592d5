import {
  type AssignedPartition,
  FencedError,
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type OffsetCommit,
  partitionName,
  type TopicPartition,
} from '../ports/log.js';
import { Delivery } from './delivery.js';
import type { LogStorage, PartitionStorage } from './storage.js';
import { topicFilter } from './topic-filter.js';

/** What a member needs of its group. */
export interface MemberGroup {
  readonly storage: LogStorage;
  leave(member: LocalMember): void;
}

/**
 * A member of a group in this process.
 *
 * 1. `onAssigned`, `onRevoked` and `onLost` come one after the other, in the order in which the group decided.
 * 2. A partition is in `owned` from the group's decision until its `onRevoked` has resolved: that long its commits count.
 * 3. Batches of a partition come only while it is owned and its `onAssigned` has resolved.
 * 4. A partition is not taken away while one of its commits is under way: whoever gets it next finds that commit done, or refused.
 * 5. When partitions are revoked, no new batch of them begins; one that is under way is not waited for, so a listener whose
 *    `onBatch` waits for room cannot block its own revocation.
 */
export class LocalMember implements GroupMember {
  readonly wants: (topic: string) => boolean;
  private readonly owned = new Map<string, TopicPartition>();
  private readonly deliveries = new Map<string, Delivery>();
  private readonly pausedNames = new Set<string>();
  private readonly committing = new Set<Promise<unknown>>();
  private callbacks: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  private active = true;

  constructor(
    private readonly group: MemberGroup,
    private readonly options: GroupOptions,
    private readonly listener: GroupListener,
  ) {
    this.wants = topicFilter(options.topics);
  }

  get isActive(): boolean {
    return this.active;
  }

  owns(name: string): boolean {
    return this.owned.has(name);
  }

  assignment(): readonly TopicPartition[] {
    return [...this.owned.values()];
  }

  async commit(offsets: readonly OffsetCommit[]): Promise<void> {
    await this.whileOwned(offsets, () => this.group.storage.commit(this.options.groupId, offsets));
  }

  /**
   * Runs a commit of these offsets if this member may commit them now; what it owns stays its own meanwhile (4.).
   *
   * @throws FencedError
   */
  async whileOwned(offsets: readonly OffsetCommit[], commit: () => Promise<void>): Promise<void> {
    this.assertOwns(offsets);
    const settled = Promise.allSettled([commit()]);
    this.committing.add(settled);
    const [result] = await settled;
    this.committing.delete(settled);
    if (result.status === 'rejected') throw result.reason;
  }

  get groupId(): string {
    return this.options.groupId;
  }

  private assertOwns(offsets: readonly OffsetCommit[]): void {
    const foreign = offsets.find((o) => !this.owned.has(partitionName(o)));
    if (foreign !== undefined) {
      const why = this.active ? 'it was given to another member' : 'the member is closed';
      throw new FencedError(
        `group ${this.options.groupId} takes no commit of ${partitionName(foreign)} from this member: ${why}`,
      );
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const name of partitions.map(partitionName).filter((n) => this.owned.has(n))) {
      this.pausedNames.add(name);
      this.deliveries.get(name)?.pause();
    }
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const name of partitions.map(partitionName)) {
      this.pausedNames.delete(name);
      this.deliveries.get(name)?.resume();
    }
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  /** The group gives partitions to this member. */
  assign(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) {
      this.owned.set(partitionName(p), p);
    }
    this.inTurn(async () => {
      const mine = partitions.filter((p) => this.owned.has(partitionName(p)));
      if (mine.length === 0) {
        return;
      }
      const assigned = await Promise.all(mine.map((p) => this.positionOf(p)));
      const starts = await this.listener.onAssigned(assigned);
      for (const p of assigned) {
        this.deliver(p, starts?.get(partitionName(p)) ?? p.position);
      }
    });
  }

  /** The group takes partitions in good order; resolves when they may be given to others. */
  revoke(partitions: readonly TopicPartition[]): Promise<void> {
    this.stop(partitions);
    return this.inTurn(async () => {
      const mine = partitions.filter((p) => this.owned.has(partitionName(p)));
      if (mine.length === 0) {
        return;
      }
      this.stop(mine);
      try {
        await this.listener.onRevoked(mine);
      } finally {
        if (this.committing.size > 0) await Promise.all(this.committing);
        this.drop(mine);
      }
    });
  }

  /** The group has given up on this member's session: what it owned is not its own any more. */
  lose(): void {
    const lost = this.assignment();
    this.stop(lost);
    this.drop(lost);
    this.inTurn(async () => {
      if (lost.length > 0) {
        await this.listener.onLost(lost);
      }
    });
  }

  private async leave(): Promise<void> {
    if (this.active) {
      this.active = false;
      await this.revoke(this.assignment());
      this.group.leave(this);
    }
  }

  private async positionOf(p: TopicPartition): Promise<AssignedPartition> {
    const storage = this.storageOf(p);
    const { begin, end } = storage;
    const known = this.options.ignoreCommitted ? undefined : this.committedOffset(p);
    const position = known ?? (await this.startOf(storage));
    return {
      topic: p.topic,
      partition: p.partition,
      committed: known ?? null,
      position: Math.min(Math.max(position, begin), end),
      beginOffset: begin,
      endOffset: end,
    };
  }

  private committedOffset(p: TopicPartition): number | undefined {
    return this.group.storage.committed(this.options.groupId).get(partitionName(p));
  }

  private async startOf(storage: PartitionStorage): Promise<number> {
    const { start } = this.options;
    switch (start.at) {
      case 'earliest':
        return storage.begin;
      case 'latest':
        return storage.end;
      case 'timestamp':
        return storage.offsetAt(start.timestamp);
    }
  }

  private deliver(p: TopicPartition, position: number): void {
    const name = partitionName(p);
    if (!this.owned.has(name) || !this.active) {
      return;
    }
    const delivery = new Delivery(
      { topic: p.topic, partition: p.partition },
      this.storageOf(p),
      position,
      this.pausedNames.has(name),
      (batch) => this.listener.onBatch(batch),
      (error) => this.fail(error),
    );
    this.deliveries.set(name, delivery);
    delivery.start();
  }

  private storageOf(p: TopicPartition): PartitionStorage {
    const storage = this.group.storage.partition(p);
    if (storage === undefined) {
      throw new Error(`assigned a partition that is not there: ${partitionName(p)}`);
    }
    return storage;
  }

  private stop(partitions: readonly TopicPartition[]): void {
    for (const name of partitions.map(partitionName)) {
      this.deliveries.get(name)?.stop();
      this.deliveries.delete(name);
    }
  }

  private drop(partitions: readonly TopicPartition[]): void {
    for (const name of partitions.map(partitionName)) {
      this.owned.delete(name);
      this.pausedNames.delete(name);
    }
  }

  /** Runs after all callbacks before it (1.); what it throws ends the member. Never rejects. */
  private inTurn(callback: () => Promise<void>): Promise<void> {
    this.callbacks = this.callbacks.then(callback).catch((error) => this.fail(error));
    return this.callbacks;
  }

  private fail(error: unknown): void {
    const alreadyGone = this.closing !== undefined || !this.active;
    this.active = false;
    this.stop(this.assignment());
    if (this.committing.size === 0) {
      this.leaveAtOnce();
    } else {
      void Promise.all(this.committing).then(() => this.leaveAtOnce());
    }
    if (!alreadyGone) {
      this.listener.onFatal(error instanceof Error ? error : new Error(String(error), { cause: error }));
    }
  }

  private leaveAtOnce(): void {
    this.drop(this.assignment());
    this.group.leave(this);
  }
}
