import type { TopicInfo, TopicPartition } from '../ports/log.js';
import { partitionName } from '../ports/log.js';

/** A member as the assignment sees it. */
export interface Candidate {
  wants(topic: string): boolean;
}

/** Partitions that must go to one member together: the same number of all topics that the same members want. */
interface Unit<M> {
  readonly candidates: readonly M[];
  readonly partitions: TopicPartition[];
}

/**
 * Shares out partitions among the members of a group.
 *
 * 1. Partition i of every topic goes to the same member, so that several streams can be merged in one task.
 * 2. Members have equally many, or one unit more than others.
 * 3. A partition stays where it is unless 2. wants it elsewhere.
 * 4. The result depends on the arguments only: members are taken in the order in which they joined.
 */
export function assignPartitions<M extends Candidate>(
  members: readonly M[],
  topics: readonly TopicInfo[],
  ownerOf: (partitionName: string) => M | undefined,
): Map<M, TopicPartition[]> {
  const result = new Map<M, TopicPartition[]>(members.map((m) => [m, []]));
  for (const units of unitsBySubscription(members, topics)) {
    shareOut(units, ownerOf, result);
  }
  return result;
}

function unitsBySubscription<M extends Candidate>(members: readonly M[], topics: readonly TopicInfo[]): Unit<M>[][] {
  const groups = new Map<string, Unit<M>[]>();
  for (const topic of [...topics].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const candidates = members.filter((m) => m.wants(topic.name));
    if (candidates.length === 0) {
      continue;
    }
    const signature = candidates.map((m) => members.indexOf(m)).join(',');
    const units = groups.get(signature) ?? [];
    groups.set(signature, units);
    for (let partition = 0; partition < topic.partitions; partition++) {
      units[partition] ??= { candidates, partitions: [] };
      units[partition]?.partitions.push({ topic: topic.name, partition });
    }
  }
  return [...groups.values()];
}

function shareOut<M>(
  units: readonly Unit<M>[],
  ownerOf: (partitionName: string) => M | undefined,
  result: Map<M, TopicPartition[]>,
): void {
  const candidates = units[0]?.candidates ?? [];
  const owned = new Map<M, Unit<M>[]>(candidates.map((m) => [m, []]));
  for (const unit of units) {
    const owner = unit.partitions.map((p) => ownerOf(partitionName(p))).find((m) => m !== undefined);
    owned.get(owner as M)?.push(unit);
  }
  // Whoever has most keeps one more where the units do not divide evenly: fewer partitions move.
  const byCount = [...candidates].sort((a, b) => (owned.get(b)?.length ?? 0) - (owned.get(a)?.length ?? 0));
  const least = Math.floor(units.length / candidates.length);
  const extra = units.length % candidates.length;
  const quota = new Map(byCount.map((m, i) => [m, least + (i < extra ? 1 : 0)]));

  const kept = new Set<Unit<M>>();
  for (const member of candidates) {
    const mine = owned.get(member)?.slice(0, quota.get(member)) ?? [];
    for (const unit of mine) {
      kept.add(unit);
    }
    owned.set(member, mine);
  }
  const free = units.filter((unit) => !kept.has(unit));
  for (const member of candidates) {
    const mine = owned.get(member) ?? [];
    mine.push(...free.splice(0, (quota.get(member) ?? 0) - mine.length));
    result.get(member)?.push(...mine.flatMap((unit) => unit.partitions));
  }
}
