import type { Clock } from '../ports/clock.js';
import { type GroupListener, type GroupMember, type Log, partitionName, type TopicPartition } from '../ports/log.js';
import { SavepointError } from './errors.js';

export interface SoleMemberOptions {
  readonly log: Log;
  readonly group: string;
  readonly clock: Clock;
  /** How long others are waited for: members that were killed are given up by the brokers after their session. */
  readonly waitMs: number;
}

/**
 * Does something as the only member of a consumer group, with all of these topics' partitions: nobody else can commit meanwhile, and
 * what this member commits counts. Leaves the group in the end.
 *
 * @throws SavepointError `SAVEPOINT_GROUP_BUSY` when the partitions are not all given to it in time.
 */
export async function asSoleMember<T>(
  options: SoleMemberOptions,
  partitions: readonly TopicPartition[],
  act: (member: GroupMember) => Promise<T>,
): Promise<T> {
  const { log, group, clock, waitMs } = options;
  const missing = new Set(partitions.map(partitionName));
  const [all, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const taken = async (gone: readonly TopicPartition[]): Promise<void> => {
    for (const name of gone.map(partitionName)) missing.add(name);
  };
  const listener: GroupListener = {
    onAssigned: async (assigned) => {
      for (const name of assigned.map(partitionName)) missing.delete(name);
      if (missing.size === 0) all.resolve();
      return undefined;
    },
    onRevoked: taken,
    onLost: taken,
    // Nothing is to be read here: the first batch waits until the member leaves.
    onBatch: () => done.promise,
    onTrouble: () => undefined,
    onRecovered: () => undefined,
    onFatal: (error) => all.reject(error),
  };
  const topics = { names: [...new Set(partitions.map(({ topic }) => topic))] };
  const member = await log.join({ groupId: group, topics, start: { at: 'earliest' } }, listener);
  const cancel = clock.schedule(waitMs, () => all.reject(busy(group, [...missing])));
  try {
    await all.promise;
    return await act(member);
  } finally {
    cancel();
    done.resolve();
    await member.close();
  }
}

export function busy(group: string, missing: readonly string[], cause?: unknown): SavepointError {
  return new SavepointError(
    'SAVEPOINT_GROUP_BUSY',
    `the consumer group ${group} has running members (${missing.slice(0, 3).join(', ')} not free): stop the service everywhere first`,
    { cause },
  );
}
