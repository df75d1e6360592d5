import { Gate, RecordingListener } from '../../../test/harness/recording-listener.js';
import { until } from '../../../test/harness/until.js';
import { MemoryLog } from '../memory/memory-log.js';
import type { GroupOptions } from '../ports/log.js';

const GROUP: GroupOptions = { groupId: 'g', topics: { names: ['t'] }, start: { at: 'earliest' } };

describe('a log in this process', () => {
  let log: MemoryLog;

  beforeEach(async () => {
    log = new MemoryLog();
    await log.createTopic({ name: 't', partitions: 2 });
  });

  const send = async (...values: string[]) => {
    const producer = await log.producer();
    await producer.send(values.map((value) => ({ topic: 't', partition: 0, key: null, value: Buffer.from(value) })));
  };

  it('revokes a partition whose batch waits for room: a full listener cannot block its own revocation', async () => {
    const never = new Gate();
    const stuck = new RecordingListener({ onBatch: () => never.passed });
    await log.join(GROUP, stuck);
    await send('r');
    await until(() => stuck.received.length === 1, 'the batch that is not taken');
    const other = new RecordingListener();
    await log.join(GROUP, other);
    await until(() => other.held.size === 1 && stuck.held.size === 1, 'the second member to get a partition');
    await log.close();
    expect(stuck.held.size).toBe(0);
  });

  it('gives the partitions of a member that failed to the others', async () => {
    const failing = new RecordingListener({
      onBatch: () => {
        throw new Error('no');
      },
    });
    await log.join(GROUP, failing);
    await send('r');
    await until(() => failing.fatal.length === 1, 'the failure');
    const other = new RecordingListener();
    await log.join(GROUP, other);
    await until(() => other.received.length === 1, 'the record at the other member');
    expect(other.held.size).toBe(2);
    await log.close();
  });

  it('closes its members and ends its followers when it is closed', async () => {
    const listener = new RecordingListener();
    await log.join(GROUP, listener);
    await send('r');
    const seen: number[] = [];
    const following = (async () => {
      for await (const batch of log.read({ topic: 't', partition: 0 }, 0, { follow: true })) {
        seen.push(batch.nextOffset);
      }
    })();
    await until(() => seen.length === 1 && listener.held.size === 2, 'the follower and the member');
    await log.close();
    await following;
    expect(listener.journal.filter((e) => e.startsWith('revoked')).sort()).toEqual(['revoked t-0', 'revoked t-1']);
    await expect(log.producer()).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    await expect(log.join(GROUP, listener)).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  });

  it('takes in a topic that is named before it is there', async () => {
    const listener = new RecordingListener();
    await log.join({ ...GROUP, topics: { names: ['t', 'later'] } }, listener);
    await until(() => listener.held.size === 2, 'the topic that is there');
    await log.createTopic({ name: 'later', partitions: 1 });
    await until(() => listener.held.has('later-0'), 'the topic that came later');
    await log.close();
  });

  it('says which topic or partition is not there', async () => {
    await expect(log.offsets({ topic: 'x', partition: 0 })).rejects.toMatchObject({ code: 'LOG_UNKNOWN_TOPIC' });
    await expect(log.offsets({ topic: 't', partition: 2 })).rejects.toThrow('there is no t-2: it has 2 partitions');
    await log.close();
  });

  it('starts at the nearest offset there is when the committed one is gone', async () => {
    await send('a', 'b', 'c', 'd');
    const first = new RecordingListener();
    const member = await log.join(GROUP, first);
    await until(() => first.held.size === 2, 'the partitions');
    await member.commit([{ topic: 't', partition: 0, offset: 1 }]);
    await member.close();
    log.deleteBefore({ topic: 't', partition: 0 }, 3);
    const second = new RecordingListener();
    await log.join(GROUP, second);
    await until(() => second.received.length === 1, 'the record that is left');
    expect(second.assigned.find((p) => p.partition === 0)).toMatchObject({ committed: 1, beginOffset: 3, position: 3 });
    await log.close();
  });
});
