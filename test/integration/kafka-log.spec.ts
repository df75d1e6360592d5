import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { Admin, Producer } from '@platformatic/kafka';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { GroupMember, LogProducer } from '../../src/runtime/ports/log.js';
import { FencedError } from '../../src/runtime/ports/log.js';
import { type ListenerHooks, RecordingListener } from '../harness/recording-listener.js';
import { type KafkaCluster, SERVER_START_MS, sharedKafka, startKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';

const bytes = (text: string) => Buffer.from(text);
const TIMINGS = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 100 };

/** Writes down trouble too. */
class Listener extends RecordingListener {
  readonly troubles: string[] = [];

  constructor(hooks: ListenerHooks = {}) {
    super(hooks);
  }

  override onTrouble(error?: Error): void {
    this.troubles.push(`trouble ${(error as { code?: string }).code}`);
  }

  override onRecovered(): void {
    this.troubles.push('recovered');
  }
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i));

/** Sends numbered records, one a millisecond whether or not those before were taken, until told to stop. */
function sendSteadily(producer: LogProducer, topic: string, partitions: number) {
  const sends: Promise<void>[] = [];
  const timer = setInterval(() => {
    const number = sends.length;
    const value = bytes(String(number));
    sends.push(producer.send([{ topic, partition: number % partitions, key: null, value }]));
  }, 1);
  return {
    count: () => sends.length,
    /** Resolves with how many there were, when all are durable. */
    stop: async () => {
      clearInterval(timer);
      await Promise.all(sends);
      return sends.length;
    },
  };
}

describe('the log on Kafka', () => {
  let brokers: string[];
  let log: KafkaLog;
  let topic: string;
  let groupId: string;

  const make = async (partitions: number) => {
    topic = `kafka-${randomUUID()}`;
    groupId = `group-${topic}`;
    await log.createTopic({ name: topic, partitions });
  };

  beforeAll(async () => {
    brokers = [...(await sharedKafka())];
  }, SERVER_START_MS);

  beforeEach(() => {
    log = new KafkaLog({ brokers, clientId: 'spec', ...TIMINGS });
  });

  afterEach(() => log.close());

  describe('transactions of others', () => {
    /** Transactions of several producers, one after the other and interleaved; returns what was committed. */
    async function writeTransactions(rounds: number): Promise<string[]> {
      const open = () =>
        new Producer<Buffer, Buffer, Buffer, Buffer>({
          clientId: 'tx',
          bootstrapBrokers: brokers,
          idempotent: true,
          transactionalId: `tx-${randomUUID()}`,
          retryDelay: 20,
        });
      const producers = [open(), open()];
      const committed: string[] = [];
      const plain = await log.producer();
      for (let round = 0; round < rounds; round++) {
        const transactions = await Promise.all(producers.map((producer) => producer.beginTransaction()));
        for (let i = 0; i < 5; i++) {
          for (const [which, transaction] of transactions.entries()) {
            const abort = (round + which) % 2 === 0;
            const value = `${abort ? 'aborted' : 'committed'}-${round}-${which}-${i}`;
            await transaction.send({ messages: [{ topic, partition: 0, value: bytes(value) }] });
            if (!abort) committed.push(value);
          }
          await plain.send([{ topic, partition: 0, key: null, value: bytes(`plain-${round}-${i}`) }]);
          committed.push(`plain-${round}-${i}`);
        }
        for (const [which, transaction] of transactions.entries()) {
          if ((round + which) % 2 === 0) await transaction.abort();
          else await transaction.commit();
        }
      }
      await Promise.all(producers.map((producer) => producer.close()));
      return committed;
    }

    it('shows every committed record and not one of an aborted transaction, however the fetches are cut', async () => {
      await make(1);
      const committed = await writeTransactions(6);
      const listener = new Listener();
      await log.join({ groupId, topics: { names: [topic] }, start: { at: 'earliest' } }, listener);
      await until(() => listener.received.length >= committed.length, 'the committed records');
      const { end } = await log.offsets({ topic, partition: 0 });
      await until(() => listener.positions.get(`${topic}-0`) === end, 'the position to pass the last marker');
      expect(listener.texts()).toEqual(expect.arrayContaining(committed));
      expect(listener.texts()).toHaveLength(committed.length);

      // One batch a fetch: the marker of a transaction always comes with a later fetch than its records.
      const slow = new KafkaLog({ brokers, clientId: 'spec', partitionMaxBytes: 1, fetchMaxBytes: 1 });
      const seen: string[] = [];
      let batches = 0;
      for await (const batch of slow.read({ topic, partition: 0 }, 0)) {
        batches++;
        seen.push(...batch.records.map((r) => String(r.value)));
      }
      await slow.close();
      expect(batches).toBeGreaterThan(committed.length);
      expect(seen).toEqual(listener.texts());
    });
  });

  describe('a group', () => {
    it('loses and doubles nothing while members come and go under load', async () => {
      await make(6);
      const producer = await log.producer();
      const load = sendSteadily(producer, topic, 6);
      const seen: string[] = [];
      const join = async () => {
        const held: { member?: GroupMember; listener?: Listener } = {};
        const listener: Listener = new Listener({
          onBatch: (batch) => {
            seen.push(...batch.records.map((r) => String(r.value)));
          },
          onRevoked: async (partitions) => {
            const offsets = partitions.flatMap((p) => {
              const offset = listener.positions.get(`${p.topic}-${p.partition}`);
              return offset === undefined ? [] : [{ ...p, offset }];
            });
            await held.member?.commit(offsets);
          },
        });
        const member = await log.join({ groupId, topics: { names: [topic] }, start: { at: 'earliest' } }, listener);
        Object.assign(held, { member, listener });
        return { member, listener };
      };
      const a = await join();
      await until(() => a.listener.held.size === 6, 'the first member to hold all');
      await until(() => seen.length > 100, 'the first records');
      const b = await join();
      await until(() => a.listener.held.size === 3 && b.listener.held.size === 3, 'two members to share');
      const c = await join();
      const members = [a, b, c];
      await until(() => members.every((m) => m.listener.held.size === 2), 'three members to share');
      await a.member.close();
      await until(() => b.listener.held.size === 3 && c.listener.held.size === 3, 'two members to share again');
      const sent = await load.stop();
      await until(
        () => seen.length >= sent,
        () => `all ${sent} records (${seen.length} seen)`,
      );
      expect(seen.map(Number).sort((x, y) => x - y)).toEqual(numbers(0, sent).map(Number));
      expect(members.flatMap((m) => m.listener.journal).filter((entry) => entry.startsWith('lost'))).toEqual([]);
    });

    it('takes everything over from a member that was put out of the group, whose commits are refused', async () => {
      await make(2);
      const listener = new Listener();
      const member = await log.join({ groupId, topics: { names: [topic] }, start: { at: 'earliest' } }, listener);
      await until(() => listener.held.size === 2, 'both partitions');
      const admin = new Admin({ clientId: 'spec', bootstrapBrokers: brokers });
      const described = await admin.describeGroups({ groups: [groupId] });
      const memberIds = [...(described.get(groupId)?.members.keys() ?? [])];
      await admin.removeMembersFromConsumerGroup({ groupId, members: memberIds.map((memberId) => ({ memberId })) });
      await admin.close();
      await expect(member.commit([{ topic, partition: 0, offset: 1 }])).rejects.toThrow(FencedError);
      expect([...(await log.committed(groupId))]).toEqual([]);
      await until(
        () => listener.journal.filter((e) => e.startsWith('assigned')).length === 4,
        'joining as a new member',
      );
      expect(listener.journal.filter((e) => e.startsWith('lost')).sort()).toEqual([
        `lost ${topic}-0`,
        `lost ${topic}-1`,
      ]);
      await member.commit([{ topic, partition: 0, offset: 1, metadata: 'again' }]);
      expect((await log.committed(groupId)).get(`${topic}-0`)).toBe(1);
    });

    it('reads a topic made later from its first record even where it starts at the latest', async () => {
      const prefix = `late-${randomUUID()}`;
      await log.createTopic({ name: `${prefix}-a`, partitions: 1 });
      const listener = new Listener();
      const topics = { pattern: new RegExp(`${prefix}-.*`) };
      const options = { groupId: prefix, topics, start: { at: 'latest' }, discoveryIntervalMs: 200 } as const;
      await log.join(options, listener);
      await until(() => listener.held.size === 1, 'the first topic');
      await log.createTopic({ name: `${prefix}-b`, partitions: 1 });
      const producer = await log.producer();
      await producer.send([{ topic: `${prefix}-b`, key: null, value: bytes('before it was found') }]);
      await until(() => listener.received.length === 1, 'the record of the new topic');
      expect(listener.texts()).toEqual(['before it was found']);
    });

    it('finds partitions that are added to a topic', async () => {
      await make(1);
      const listener = new Listener();
      const names = {
        groupId,
        topics: { names: [topic] },
        start: { at: 'earliest' },
        discoveryIntervalMs: 200,
      } as const;
      await log.join(names, listener);
      await until(() => listener.held.size === 1, 'the first partition');
      const admin = new Admin({ clientId: 'spec', bootstrapBrokers: brokers });
      await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: null }] });
      await admin.close();
      await until(() => listener.held.size === 3, 'the added partitions');
    });

    it('says when retention took records away that it had not read, and goes on', async () => {
      await make(1);
      const producer = await log.producer();
      await producer.send(numbers(0, 10).map((n) => ({ topic, partition: 0, key: null, value: bytes(n) })));
      const listener = new Listener({ onAssigned: async () => new Map([[`${topic}-0`, 2]]) });
      const admin = new Admin({ clientId: 'spec', bootstrapBrokers: brokers });
      await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 7n }] }] });
      await admin.close();
      await log.join({ groupId, topics: { names: [topic] }, start: { at: 'earliest' } }, listener);
      await until(() => listener.received.length >= 3, 'the records that are left');
      expect(listener.texts()).toEqual(['7', '8', '9']);
      expect(listener.assigned[0]).toMatchObject({ beginOffset: 7, position: 7 });
      await until(() => listener.troubles.length === 2, 'trouble and recovery');
      expect(listener.troubles).toEqual(['trouble KAFKA_RECORDS_GONE', 'recovered']);
      const gone = (async () => {
        for await (const batch of log.read({ topic, partition: 0 }, 0)) expect(batch).toBeUndefined();
      })();
      await expect(gone).rejects.toMatchObject({ code: 'KAFKA_RECORDS_GONE' });
    });
  });

  describe('a producer', () => {
    it('fails a record that no broker will ever take, and takes the others', async () => {
      await make(1);
      const producer = await log.producer();
      const large = producer.send([{ topic, partition: 0, key: null, value: Buffer.alloc(3_000_000) }]);
      const small = producer.send([{ topic, partition: 0, key: null, value: bytes('small') }]);
      await expect(large).rejects.toMatchObject({ code: 'KAFKA_RECORD_TOO_LARGE' });
      await small;
      expect((await log.offsets({ topic, partition: 0 })).end).toBe(1);
      const nowhere = producer.send([{ topic, partition: 9, key: null, value: null }]);
      await expect(nowhere).rejects.toMatchObject({ code: 'KAFKA_UNKNOWN_PARTITION' });
    });

    it('splits a batch that is too large for the topic', async () => {
      topic = `small-${randomUUID()}`;
      const admin = new Admin({ clientId: 'spec', bootstrapBrokers: brokers });
      const configs = [{ name: 'max.message.bytes', value: '2000' }];
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: -1, configs });
      await admin.close();
      const producer = await log.producer();
      await producer.send(numbers(0, 100).map((n) => ({ topic, key: null, value: bytes(n.padStart(200)) })));
      const seen: number[] = [];
      for await (const batch of log.read({ topic, partition: 0 }, 0)) {
        seen.push(...batch.records.map((r) => Number(String(r.value))));
      }
      expect(seen).toEqual(numbers(0, 100).map(Number));
    });

    it('fails a send to a topic that does not come to be, and waits for one that does', async () => {
      const patient = new KafkaLog({ brokers, clientId: 'spec', unknownTopicMs: 1_500 });
      const producer = await patient.producer();
      const name = `later-${randomUUID()}`;
      const never = producer.send([{ topic: `never-${randomUUID()}`, key: null, value: null }]);
      const later = producer.send([{ topic: name, key: null, value: bytes('x') }]);
      await log.createTopic({ name, partitions: 1 });
      await later;
      await expect(never).rejects.toMatchObject({ code: 'KAFKA_UNKNOWN_TOPIC' });
      await patient.close();
    });
  });
});

describe('the log on a Kafka whose broker is killed', () => {
  jest.setTimeout(SERVER_START_MS);
  let cluster: KafkaCluster;

  beforeAll(async () => {
    cluster = await startKafka({ own: true });
  }, SERVER_START_MS);
  beforeEach(() => cluster.startNode(1));
  afterAll(() => cluster.stop());

  it('writes and reads everything once, in order, over two crashes of the only broker', async () => {
    const log = new KafkaLog({ brokers: cluster.brokers, clientId: 'spec', ...TIMINGS });
    const topic = 'crash';
    await log.createTopic({ name: topic, partitions: 2 });
    const listener = new Listener();
    const member = await log.join(
      { groupId: 'crash', topics: { names: [topic] }, start: { at: 'earliest' } },
      listener,
    );
    await until(() => listener.held.size === 2, 'both partitions');
    const load = sendSteadily(await log.producer(), topic, 2);
    for (let crash = 0; crash < 2; crash++) {
      const seen = listener.received.length;
      await until(() => listener.received.length > seen + 200, 'records to flow');
      await cluster.kill9(1);
      await until(() => listener.troubles.length === 2 * crash + 1, 'trouble to be told');
      const whileAway = load.count();
      await until(() => load.count() > whileAway + 50, 'records to wait while the broker is away');
      const committing = member.commit([{ topic, partition: 0, offset: crash + 1 }]);
      await cluster.startNode(1);
      await until(() => listener.troubles.length === 2 * crash + 2, 'recovery to be told');
      await committing;
    }
    const sent = await load.stop();
    await until(
      () => listener.received.length >= sent,
      () => `all ${sent} records (${listener.received.length} seen)`,
    );
    for (const partition of [0, 1]) {
      expect(listener.texts(partition)).toEqual(numbers(0, sent).filter((n) => Number(n) % 2 === partition));
    }
    expect(listener.troubles.filter((what) => what !== 'recovered')).toEqual(
      Array.from({ length: 2 }, () => 'trouble KAFKA_UNAVAILABLE'),
    );
    expect(listener.fatal).toEqual([]);
    expect((await log.committed('crash')).get(`${topic}-0`)).toBe(2);
    await log.close();
  });

  it('closes in bounded time while the broker is away, failing what was not sent', async () => {
    const log = new KafkaLog({ brokers: cluster.brokers, clientId: 'spec', ...TIMINGS, closeTimeoutMs: 500 });
    await log.createTopic({ name: 'away', partitions: 1 });
    const listener = new Listener({
      onRevoked: async () => {
        await expect(member.commit([{ topic: 'away', partition: 0, offset: 0 }])).rejects.toMatchObject({
          code: 'KAFKA_UNAVAILABLE',
        });
      },
    });
    const member = await log.join(
      { groupId: 'away', topics: { names: ['away'] }, start: { at: 'earliest' } },
      listener,
    );
    await until(() => listener.held.size === 1, 'the partition');
    const producer = await log.producer();
    await producer.send([{ topic: 'away', key: null, value: bytes('there') }]);
    await cluster.kill9(1);
    const unsent = producer.send([{ topic: 'away', key: null, value: bytes('lost in time') }]);
    const refused = expect(unsent).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
    await log.close();
    await refused;
    expect(listener.journal).toContain('revoked away-0');
  });
});

describe('the log on a Kafka of three brokers', () => {
  jest.setTimeout(SERVER_START_MS);
  let cluster: KafkaCluster;

  beforeAll(async () => {
    cluster = await startKafka({ own: true, nodes: 3 });
  }, SERVER_START_MS);
  afterAll(() => cluster.stop());

  it('goes on with the other brokers, each record once and in order, when two of three are killed in turn', async () => {
    const log = new KafkaLog({ brokers: cluster.brokers, clientId: 'spec', ...TIMINGS });
    await log.createTopic({ name: 'three', partitions: 6 });
    const listener = new Listener();
    const member = await log.join({ groupId: 'g3', topics: { names: ['three'] }, start: { at: 'earliest' } }, listener);
    await until(() => listener.held.size === 6, 'all partitions');
    const load = sendSteadily(await log.producer(), 'three', 6);
    for (const node of [1, 2]) {
      await until(() => listener.received.length > 200 * node, 'records to flow');
      await cluster.kill9(node);
      const sent = load.count();
      const later = (n: string) => Number(n) > sent + 200;
      await until(
        () => [0, 1, 2, 3, 4, 5].every((p) => listener.texts(p).some(later)),
        'records sent after the crash to come from every partition',
      );
      await member.commit([{ topic: 'three', partition: 0, offset: node }]);
      await cluster.startNode(node);
    }
    const sent = await load.stop();
    await until(() => listener.received.length >= sent, `all ${sent} records`);
    for (let partition = 0; partition < 6; partition++) {
      expect(listener.texts(partition)).toEqual(numbers(0, sent).filter((n) => Number(n) % 6 === partition));
    }
    expect(listener.fatal).toEqual([]);
    expect((await log.committed('g3')).get('three-0')).toBe(2);
    await log.close();
  });
});
