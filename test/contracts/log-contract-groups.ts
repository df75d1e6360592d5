import { randomUUID } from 'node:crypto';
import { Gate } from '../harness/recording-listener.js';
import { until } from '../harness/until.js';
import { LogDriver, type LogFixture, names, outgoing, series } from './log-fixture.js';

/** One member of a group: where it starts, backpressure, pauses, commits, discovery, failure. */
export function describeGroupContract(make: () => Promise<LogFixture>): void {
  let fixture: LogFixture;
  let driver: LogDriver;
  let groupId: string;

  beforeEach(async () => {
    fixture = await make();
    driver = new LogDriver(fixture);
    groupId = `group-${randomUUID()}`;
  });

  afterEach(async () => {
    await driver.close();
    await fixture.dispose();
  });

  describe('where a group starts', () => {
    it('starts at the first record with `earliest`', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'r', 5));
      const { listener, member } = await driver.join({ groupId, topics: { names: [topic] } });
      await until(() => listener.received.length >= 5, 'five records');
      await driver.send(outgoing(topic, 0, 'more'));
      await until(() => listener.received.length >= 6, 'the record sent later');
      expect(listener.texts()).toEqual([...names('r', 5), 'more']);
      expect(listener.assigned).toEqual([
        expect.objectContaining({ topic, partition: 0, committed: null, position: 0, beginOffset: 0 }),
      ]);
      expect(member.assignment()).toEqual([expect.objectContaining({ topic, partition: 0 })]);
    });

    it('starts after the last record with `latest`', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'old', 5));
      const { listener } = await driver.joinAndHold(
        { groupId, topics: { names: [topic] }, start: { at: 'latest' } },
        1,
      );
      const end = listener.assigned[0]?.endOffset;
      expect(listener.assigned[0]?.position).toBe(end);
      await driver.send(...series(topic, 0, 'new', 5));
      await until(() => listener.received.length >= 5, 'the new records');
      expect(listener.texts()).toEqual(names('new', 5));
    });

    it('starts at the first record of a time with `timestamp`', async () => {
      const topic = await fixture.newTopic(1);
      for (const timestamp of [1000, 2000, 3000]) {
        await driver.send(outgoing(topic, 0, String(timestamp), timestamp));
      }
      const { listener } = await driver.join({
        groupId,
        topics: { names: [topic] },
        start: { at: 'timestamp', timestamp: 1500 },
      });
      await until(() => listener.received.length >= 2, 'two records');
      expect(listener.texts()).toEqual(['2000', '3000']);
    });

    it('goes on exactly at the committed offset after closing and joining again', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'r', 10));
      const first = await driver.join({ groupId, topics: { names: [topic] } });
      await until(() => first.listener.received.length >= 10, 'ten records');
      const offset = (first.listener.received[3]?.record.offset ?? Number.NaN) + 1;
      await first.member.commit([{ topic, partition: 0, offset }]);
      await driver.closeMember(first.member);
      expect((await fixture.log.committed(groupId)).get(`${topic}-0`)).toBe(offset);

      const second = await driver.join({ groupId, topics: { names: [topic] }, start: { at: 'latest' } });
      await until(() => second.listener.received.length >= 6, 'the six records not committed');
      expect(second.listener.texts()).toEqual(names('r', 10).slice(4));
      expect(second.listener.assigned[0]).toMatchObject({ committed: offset, position: offset });
    });

    it('does not look at committed offsets with `ignoreCommitted`', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'r', 4));
      const first = await driver.join({ groupId, topics: { names: [topic] } });
      await until(() => first.listener.received.length >= 4, 'four records');
      await first.member.commit([{ topic, partition: 0, offset: first.listener.batches.at(-1)?.nextOffset ?? 0 }]);
      await driver.closeMember(first.member);
      const second = await driver.join({ groupId, topics: { names: [topic] }, ignoreCommitted: true });
      await until(() => second.listener.received.length >= 4, 'the same four records');
      expect(second.listener.texts()).toEqual(names('r', 4));
      expect(second.listener.assigned[0]).toMatchObject({ committed: null, position: 0 });
    });

    it('starts where the listener says', async () => {
      const topic = await fixture.newTopic(2);
      await driver.send(...series(topic, 0, 'a', 10), ...series(topic, 1, 'b', 3));
      const offset = (await driver.readAll(topic))[6]?.offset ?? Number.NaN;
      const { listener } = await driver.join(
        { groupId, topics: { names: [topic] } },
        { onAssigned: async () => new Map([[`${topic}-0`, offset]]) },
      );
      await until(() => listener.received.length >= 7, 'four records of one partition and three of the other');
      expect(listener.texts(0)).toEqual(names('a', 10).slice(6));
      expect(listener.texts(1)).toEqual(names('b', 3));
    });

    it('delivers nothing before onAssigned has resolved', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(outgoing(topic, 0, 'r'));
      const gate = new Gate();
      const { listener } = await driver.joinAndHold({ groupId, topics: { names: [topic] } }, 1, {
        onAssigned: async () => {
          await gate.passed;
          return undefined;
        },
      });
      expect(await driver.readTexts({ topic, partition: 0 })).toEqual(['r']);
      expect(listener.received).toEqual([]);
      gate.open();
      await until(() => listener.received.length === 1, 'the record');
    });
  });

  describe('backpressure', () => {
    it('delivers the next batch of a partition only after the one before it was taken', async () => {
      const topic = await fixture.newTopic(1);
      const gate = new Gate();
      let running = 0;
      let most = 0;
      const { listener } = await driver.joinAndHold({ groupId, topics: { names: [topic] } }, 1, {
        onBatch: async () => {
          most = Math.max(most, ++running);
          await gate.passed;
          running--;
        },
      });
      await driver.send(outgoing(topic, 0, 'r0'));
      await until(() => listener.received.length >= 1, 'the first record');
      const before = listener.batches.length;
      for (let i = 1; i < 20; i++) {
        await driver.send(outgoing(topic, 0, `r${i}`));
      }
      expect(await driver.readTexts({ topic, partition: 0 })).toHaveLength(20);
      expect(listener.batches.length).toBe(before);
      gate.open();
      await until(() => listener.received.length >= 20, 'all records');
      expect(listener.texts()).toEqual(names('r', 20));
      expect(most).toBe(1);
    });

    it('delivers nothing of a paused partition until it is resumed', async () => {
      const topic = await fixture.newTopic(2);
      const { listener, member } = await driver.joinAndHold({ groupId, topics: { names: [topic] } }, 2);
      await driver.send(outgoing(topic, 0, 'a0'), outgoing(topic, 1, 'b0'));
      await until(() => listener.received.length === 2, 'one record of each partition');
      member.pause([{ topic, partition: 0 }]);
      await driver.send(...series(topic, 0, 'later', 5));
      for (let i = 1; i <= 5; i++) {
        await driver.send(outgoing(topic, 1, `b${i}`));
        await until(() => listener.texts(1).length === i + 1, 'the partition that is not paused');
      }
      expect(listener.texts(0)).toEqual(['a0']);
      member.resume([{ topic, partition: 0 }]);
      await until(() => listener.texts(0).length === 6, 'the resumed partition');
      expect(listener.texts(0)).toEqual(['a0', ...names('later', 5)]);
      expect(listener.texts(1)).toEqual(names('b', 6));
    });
  });

  describe('topics by regular expression', () => {
    it('takes in topics that are made while it runs, and only those whose whole name fits', async () => {
      const prefix = `found-${randomUUID()}`;
      await fixture.log.createTopic({ name: `${prefix}-a`, partitions: 1 });
      const { listener } = await driver.joinAndHold(
        { groupId, topics: { pattern: new RegExp(`${prefix}-[a-z]+`) } },
        1,
      );
      await fixture.log.createTopic({ name: `${prefix}-b`, partitions: 2 });
      await fixture.log.createTopic({ name: `${prefix}-c7`, partitions: 1 });
      await driver.send(
        outgoing(`${prefix}-c7`, 0, 'not this'),
        outgoing(`${prefix}-b`, 1, 'new'),
        outgoing(`${prefix}-a`, 0, 'known'),
      );
      await until(() => listener.received.length >= 2, 'a record of each topic that fits');
      expect(listener.texts().sort()).toEqual(['known', 'new']);
      expect([...listener.held].sort()).toEqual([`${prefix}-a-0`, `${prefix}-b-0`, `${prefix}-b-1`]);
    });
  });

  describe('failure and closing', () => {
    it('reports what onBatch throws to onFatal and delivers no more', async () => {
      const topic = await fixture.newTopic(1);
      const failure = new Error('the listener failed');
      const { listener, member } = await driver.joinAndHold({ groupId, topics: { names: [topic] } }, 1, {
        onBatch: () => {
          throw failure;
        },
      });
      await driver.send(outgoing(topic, 0, 'poison'));
      await until(() => listener.fatal.length > 0, 'onFatal');
      expect([listener.fatal[0], listener.fatal[0]?.cause]).toContain(failure);
      const delivered = listener.received.length;
      await driver.send(outgoing(topic, 0, 'more'));
      await until(() => member.assignment().length === 0, 'the member to be closed');
      expect(await driver.readTexts({ topic, partition: 0 })).toEqual(['poison', 'more']);
      expect(listener.received).toHaveLength(delivered);
      expect(listener.fatal).toHaveLength(1);
    });

    it('reports what onAssigned throws to onFatal', async () => {
      const topic = await fixture.newTopic(1);
      const failure = new Error('restoring failed');
      const { listener } = await driver.join(
        { groupId, topics: { names: [topic] } },
        {
          onAssigned: async () => {
            throw failure;
          },
        },
      );
      await until(() => listener.fatal.length > 0, 'onFatal');
      expect([listener.fatal[0], listener.fatal[0]?.cause]).toContain(failure);
      expect(listener.received).toEqual([]);
    });

    it('revokes once and takes a last commit when it is closed while a batch is being taken', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'r', 3));
      const gate = new Gate();
      const joined = await driver.join(
        { groupId, topics: { names: [topic] } },
        {
          onBatch: async () => gate.passed,
          onRevoked: async () => joined.member.commit([{ topic, partition: 0, offset: 2 }]),
        },
      );
      const { listener, member } = joined;
      await until(() => listener.received.length > 0, 'the first batch');
      const closing = driver.closeMember(member);
      gate.open();
      await closing;
      expect(listener.journal.filter((entry) => entry.startsWith('revok'))).toEqual([
        `revoking ${topic}-0`,
        `revoked ${topic}-0`,
      ]);
      const delivered = listener.received.length;
      await driver.send(outgoing(topic, 0, 'after closing'));
      expect(await driver.readTexts({ topic, partition: 0 })).toHaveLength(4);
      expect(listener.received).toHaveLength(delivered);
      expect(member.assignment()).toEqual([]);
      expect((await fixture.log.committed(groupId)).get(`${topic}-0`)).toBe(2);
    });

    it('may be closed twice', async () => {
      const topic = await fixture.newTopic(1);
      const { listener, member } = await driver.joinAndHold({ groupId, topics: { names: [topic] } }, 1);
      await Promise.all([member.close(), member.close()]);
      await member.close();
      expect(listener.journal.filter((entry) => entry.startsWith('revoked'))).toHaveLength(1);
    });
  });

  it('keeps the offsets of groups apart', async () => {
    const topic = await fixture.newTopic(1);
    await driver.send(...series(topic, 0, 'r', 6));
    const { member } = await driver.joinAndHold({ groupId, topics: { names: [topic] } }, 1);
    await member.commit([{ topic, partition: 0, offset: 3 }]);
    const other = `${groupId}-other`;
    expect([...(await fixture.log.committed(other))]).toEqual([]);
    const { listener } = await driver.join({ groupId: other, topics: { names: [topic] } });
    await until(() => listener.received.length >= 6, 'all records in the other group');
    expect(listener.texts()).toEqual(names('r', 6));
  });
}
