import { randomUUID } from 'node:crypto';
import { describeLogContract } from '../../../test/contracts/log-contract.js';
import { describeTransactionContract } from '../../../test/contracts/log-contract-transactions.js';
import { RecordingListener } from '../../../test/harness/recording-listener.js';
import { until } from '../../../test/harness/until.js';
import type { GroupMember } from '../ports/log.js';
import { MemoryLog, type MemoryLogOptions } from './memory-log.js';

async function make(options: MemoryLogOptions) {
  const log = new MemoryLog(options);
  return {
    log,
    newTopic: async (partitions: number) => {
      const name = `topic-${randomUUID()}`;
      await log.createTopic({ name, partitions });
      return name;
    },
    expireSession: (groupId: string, member: GroupMember) => log.expireSession(groupId, member),
    dispose: () => log.close(),
  };
}

describeLogContract('the log in memory', () => make({}));
describeLogContract('the log in memory, with small batches and gaps between offsets', () =>
  make({ batchRecordsMax: 2, offsetGaps: true }),
);

describeTransactionContract('the log in memory', () => make({}));
describeTransactionContract('the log in memory, with gaps between offsets', () => make({ offsetGaps: true }));

describe('the log in memory', () => {
  const send = async (log: MemoryLog, count: number) => {
    const producer = await log.producer();
    await producer.send(
      Array.from({ length: count }, (_, i) => ({ topic: 't', partition: 0, key: null, value: Buffer.from(`r${i}`) })),
    );
  };

  it('says what retention has left, and goes on there', async () => {
    const log = new MemoryLog();
    await log.createTopic({ name: 't', partitions: 1 });
    await send(log, 10);
    log.deleteBefore({ topic: 't', partition: 0 }, 6);
    const listener = new RecordingListener();
    await log.join({ groupId: 'g', topics: { names: ['t'] }, start: { at: 'earliest' } }, listener);
    await until(() => listener.received.length === 4, 'the records that are left');
    expect(listener.assigned).toMatchObject([{ beginOffset: 6, position: 6, endOffset: 10 }]);
    await log.close();
  });

  it('tells a member whose session is lost, refuses its commits, and takes it in again', async () => {
    const log = new MemoryLog();
    await log.createTopic({ name: 't', partitions: 1 });
    const listener = new RecordingListener();
    const member = await log.join({ groupId: 'g', topics: { names: ['t'] }, start: { at: 'earliest' } }, listener);
    await until(() => listener.held.size === 1, 'the partition');
    log.expireSession('g', member);
    await expect(member.commit([{ topic: 't', partition: 0, offset: 1 }])).rejects.toMatchObject({
      code: 'LOG_FENCED',
    });
    await until(() => listener.journal.length === 3, 'the partition again');
    expect(listener.journal).toEqual(['assigned t-0', 'lost t-0', 'assigned t-0']);
    await log.close();
  });

  it('gives the same callbacks in the same order for the same calls', async () => {
    const runs: string[][] = [];
    for (let run = 0; run < 2; run++) {
      const log = new MemoryLog({ batchRecordsMax: 3 });
      const journal: string[] = [];
      await log.createTopic({ name: 't', partitions: 3 });
      for (const name of ['a', 'b', 'c']) {
        const hooks = { onBatch: (b: { partition: number }) => void journal.push(`${name} batch ${b.partition}`) };
        const listener = new RecordingListener(hooks, { name, journal });
        await log.join({ groupId: 'g', topics: { names: ['t'] }, start: { at: 'earliest' } }, listener);
        await send(log, 7);
      }
      await log.close();
      runs.push(journal);
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]?.length).toBeGreaterThan(6);
  });
});
