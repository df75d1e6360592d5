/**
 * Who reads which partition: balanced, sticky, and cooperative (a partition changes hands over two rounds).
 *
 * 1. Every partition of a topic goes to exactly one member that asks for the topic, or, for one round, to nobody: when its owner
 *    must give it up first.
 * 2. Members' shares differ by at most one where all ask for the same topics.
 * 3. A partition stays where it is unless balance needs it elsewhere. Of two who claim it, the one of the later generation owns it.
 * 4. The result depends on the arguments only, not on their order.
 */
import type { TopicPartition } from '../../../runtime/ports/log.js';
import { partitionName } from '../../../runtime/ports/log.js';

export interface MemberClaim {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly owned: readonly TopicPartition[];
  /** Generation in which it owned them. */
  readonly generation: number;
}

/** The partitions of each member for this round. `counts`: number of partitions by topic. */
export function assign(
  members: readonly MemberClaim[],
  counts: ReadonlyMap<string, number>,
): ReadonlyMap<string, readonly TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const owners = ownersOf(sorted, counts);
  const target = new Map<string, TopicPartition[]>(sorted.map((m) => [m.memberId, []]));
  const free = place(sorted, counts, owners, target);
  for (const tp of free) lightest(sorted, tp.topic, target)?.push(tp);
  level(sorted, target);
  return withheld(target, owners);
}

function ownersOf(members: readonly MemberClaim[], counts: ReadonlyMap<string, number>): Map<string, string> {
  const owners = new Map<string, { memberId: string; generation: number }>();
  for (const { memberId, owned, generation, topics } of members) {
    for (const tp of owned) {
      const valid = topics.includes(tp.topic) && tp.partition < (counts.get(tp.topic) ?? 0);
      const rival = owners.get(partitionName(tp));
      if (valid && (rival === undefined || rival.generation < generation)) {
        owners.set(partitionName(tp), { memberId, generation });
      }
    }
  }
  return new Map([...owners].map(([name, { memberId }]) => [name, memberId]));
}

/** Leaves each owned partition with its owner; returns the others. */
function place(
  members: readonly MemberClaim[],
  counts: ReadonlyMap<string, number>,
  owners: ReadonlyMap<string, string>,
  target: ReadonlyMap<string, TopicPartition[]>,
): TopicPartition[] {
  const free: TopicPartition[] = [];
  const topics = [...new Set(members.flatMap((m) => m.topics))].sort();
  for (const topic of topics) {
    for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++) {
      const owner = owners.get(partitionName({ topic, partition }));
      const share = owner === undefined ? undefined : target.get(owner);
      (share ?? free).push({ topic, partition });
    }
  }
  return free;
}

function lightest(
  members: readonly MemberClaim[],
  topic: string,
  target: ReadonlyMap<string, TopicPartition[]>,
): TopicPartition[] | undefined {
  let least: TopicPartition[] | undefined;
  for (const member of members) {
    const share = target.get(member.memberId);
    if (share === undefined || !member.topics.includes(topic)) continue;
    if (least === undefined || share.length < least.length) least = share;
  }
  return least;
}

/** Moves partitions from the heaviest to lighter members until no move makes the shares more even. */
function level(members: readonly MemberClaim[], target: ReadonlyMap<string, TopicPartition[]>): void {
  for (;;) {
    const shares = [...target.values()].sort((a, b) => b.length - a.length);
    const moved = shares.some((share) => {
      for (let i = share.length - 1; i >= 0; i--) {
        const tp = share[i];
        const to = tp === undefined ? undefined : lightest(members, tp.topic, target);
        if (tp === undefined || to === undefined || to.length + 1 >= share.length) continue;
        share.splice(i, 1);
        to.push(tp);
        return true;
      }
      return false;
    });
    if (!moved) return;
  }
}

/** Invariant 1: what someone else owns now is given to nobody in this round. */
function withheld(
  target: ReadonlyMap<string, readonly TopicPartition[]>,
  owners: ReadonlyMap<string, string>,
): Map<string, TopicPartition[]> {
  const allowed = (memberId: string, tp: TopicPartition) => {
    const owner = owners.get(partitionName(tp));
    return owner === undefined || owner === memberId;
  };
  return new Map([...target].map(([memberId, share]) => [memberId, share.filter((tp) => allowed(memberId, tp))]));
}
