import type { Status } from '../api/types.js';

/** Where a change is in force: from this record on, as the journal of the partition says. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** The rule set of each partition, with what its lists hold, by the partition's name. */
export type InForce = ReadonlyMap<string, string>;

type Partitions = NonNullable<Status['detector']>['partitions'];

const nameOf = ({ topic, partition }: Partitions[number]): string => `${topic}/${partition}`;

export const inForce = (status: Status): InForce =>
  new Map((status.detector?.partitions ?? []).flatMap((each) => (each.rules ? [[nameOf(each), each.rules]] : [])));

/** Partitions that have gone over to others since. Those whose rules do not ask the list stay as they are. */
export function takenOver(before: InForce, status: Status): readonly Place[] {
  return (status.detector?.partitions ?? []).flatMap((each) => {
    const was = before.get(nameOf(each));
    const isOther = was !== undefined && each.rules !== undefined && each.rules !== was;
    return isOther && each.rulesFrom !== undefined
      ? [{ topic: each.topic, partition: each.partition, offset: each.rulesFrom }]
      : [];
  });
}
