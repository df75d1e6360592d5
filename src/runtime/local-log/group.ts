import { partitionName, type TopicPartition } from '../ports/log.js';
import { assignPartitions } from './assign.js';
import type { LocalMember, MemberGroup } from './member.js';
import type { LogStorage } from './storage.js';

/**
 * A consumer group in this process: shares the partitions out among its members whenever members or topics change.
 *
 * 1. A partition has one owner, or none.
 * 2. It is given on only after its former owner's `onRevoked` has resolved.
 * 3. One rebalance runs at a time; changes during it cause another one after it.
 */
export class Group implements MemberGroup {
  private readonly members: LocalMember[] = [];
  private running = false;
  private changed = false;

  constructor(readonly storage: LogStorage) {}

  get isEmpty(): boolean {
    return this.members.length === 0;
  }

  join(member: LocalMember): void {
    this.members.push(member);
    this.rebalance();
  }

  leave(member: LocalMember): void {
    const index = this.members.indexOf(member);
    if (index >= 0) {
      this.members.splice(index, 1);
      this.rebalance();
    }
  }

  /** As when a broker has not heard of a member for too long: what it owned goes to the others, and it joins again. */
  expire(member: LocalMember): void {
    const index = this.members.indexOf(member);
    if (index >= 0) {
      member.lose();
      this.members.push(...this.members.splice(index, 1));
      this.rebalance();
    }
  }

  async closeMembers(): Promise<void> {
    await Promise.all([...this.members].map((m) => m.close()));
  }

  /** Topics were added, or members came or went. */
  rebalance(): void {
    this.changed = true;
    if (!this.running) {
      this.running = true;
      // Members never reject here: what their listeners throw ends them alone.
      void this.run();
    }
  }

  private async run(): Promise<void> {
    while (this.changed) {
      this.changed = false;
      const target = this.target();
      await Promise.all(
        [...target].map(([member, partitions]) => {
          const keep = new Set(partitions.map(partitionName));
          const revoked = member.assignment().filter((p) => !keep.has(partitionName(p)));
          return revoked.length === 0 ? undefined : member.revoke(revoked);
        }),
      );
      for (const [member, partitions] of target) {
        this.give(member, partitions);
      }
    }
    this.running = false;
  }

  private target(): Map<LocalMember, TopicPartition[]> {
    const active = this.members.filter((m) => m.isActive);
    return assignPartitions(active, this.storage.topics(), (name) => this.ownerOf(name));
  }

  private give(member: LocalMember, partitions: readonly TopicPartition[]): void {
    if (!member.isActive) {
      return;
    }
    // A member that is closing may own some still: they are given on when it has left, which causes another rebalance.
    const free = partitions.filter((p) => this.ownerOf(partitionName(p)) === undefined);
    if (free.length > 0) {
      member.assign(free);
    }
  }

  private ownerOf(name: string): LocalMember | undefined {
    return this.members.find((m) => m.owns(name));
  }
}
