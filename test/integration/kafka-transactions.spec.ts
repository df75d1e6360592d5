import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import type { KafkaOptions } from '../../src/connectors/kafka/client/options.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { OutgoingRecord } from '../../src/runtime/ports/log.js';
import { FencedError, TransactionAbortedError } from '../../src/runtime/ports/log.js';
import { Child } from '../harness/child.js';
import { KafkaProxy, type Verdict } from '../harness/kafka-proxy.js';
import { RecordingListener } from '../harness/recording-listener.js';
import { type KafkaCluster, SERVER_START_MS, sharedKafka, startKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';

const PRODUCE = 0;
const HEARTBEAT = 12;
const ADD_PARTITIONS = 24;
const END_TXN = 26;
const TXN_OFFSET_COMMIT = 28;
const PARTITIONS = 12;
/** A transaction is soon ended by the brokers, and yet one that goes on at once is through before, on a slow machine too. */
const SOON_MS = 5_000;
const ALL = Array.from({ length: PARTITIONS }, (_, i) => i);

/** Requests of one kind, each held back until it is let go; those after `open` pass. */
class Holder {
  arrived = 0;
  readonly #passed = Promise.withResolvers<Verdict>();

  constructor(
    proxy: KafkaProxy,
    private readonly apiKey: number,
  ) {
    proxy.intercept = ({ apiKey }) => {
      if (apiKey !== this.apiKey) return 'forward';
      this.arrived++;
      return this.#passed.promise;
    };
  }

  async held(): Promise<void> {
    await until(() => this.arrived > 0, `a request ${this.apiKey}`);
  }

  release(verdict: Verdict = 'forward'): void {
    this.#passed.resolve(verdict);
  }
}

describe('transactions on Kafka', () => {
  jest.setTimeout(SERVER_START_MS);
  let brokers: readonly string[];
  let log: KafkaLog;
  let source: string;
  let target: string;
  const opened: { close(): Promise<unknown> }[] = [];

  const open = (options: Partial<KafkaOptions> = {}): KafkaLog => {
    const timings = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 100, transactionTimeoutMs: 60_000 };
    const one = new KafkaLog({ brokers, clientId: 'spec', ...timings, ...options });
    opened.push(one);
    return one;
  };
  /** A log that reaches the broker through a proxy. */
  const openBehind = async (options: Partial<KafkaOptions> = {}) => {
    const proxy = await KafkaProxy.start(brokers[0] ?? '');
    opened.push(proxy);
    return { proxy, log: open({ ...options, brokers: [proxy.address] }) };
  };
  const join = async (by: KafkaLog, partitions = PARTITIONS) => {
    const listener = new RecordingListener();
    const options = { groupId: source, topics: { names: [source] }, start: { at: 'earliest' } } as const;
    const member = await by.join(options, listener);
    await until(() => listener.held.size === partitions, `${partitions} partitions`);
    return { member, listener };
  };
  const records = (value: string, partitions = ALL): OutgoingRecord[] =>
    partitions.map((partition) => ({ topic: target, partition, key: null, value: Buffer.from(value) }));
  const offsets = (offset: number, partitions = ALL) =>
    partitions.map((partition) => ({ topic: source, partition, offset }));
  const values = async (partition: number, by = log) => {
    const found: string[] = [];
    for await (const batch of by.read({ topic: target, partition }, 0)) {
      found.push(...batch.records.map((r) => String(r.value)));
    }
    return found;
  };
  const everywhere = async () => [...new Set((await Promise.all(ALL.map((p) => values(p)))).map(String))];
  const committed = async () => {
    const all = await log.committed(source);
    return [...new Set(ALL.map((p) => all.get(`${source}-${p}`)))];
  };
  const setUp = async () => {
    log = open();
    source = `source-${randomUUID()}`;
    target = `target-${randomUUID()}`;
    await log.createTopic({ name: source, partitions: PARTITIONS });
    await log.createTopic({ name: target, partitions: PARTITIONS });
  };

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  describe('with a broker that stays', () => {
    beforeAll(async () => {
      brokers = await sharedKafka();
    }, SERVER_START_MS);

    beforeEach(setUp);

    it('commits the offsets of twelve partitions and their records, always all of them', async () => {
      const { member } = await join(log);
      const transactions = await log.transactionalProducer();
      const seen = new Set<string>();
      const done = new AbortController();
      const watching = (async () => {
        while (!done.signal.aborted) seen.add(String(await committed()));
      })();
      for (let i = 1; i <= 30; i++) await transactions.commit(member, records(`r${i}`), offsets(i));
      done.abort();
      await watching;
      expect([...seen].filter((one) => one.includes(','))).toEqual([]);
      expect(await committed()).toEqual([30]);
      expect(await everywhere()).toEqual([Array.from({ length: 30 }, (_, i) => `r${i + 1}`).join()]);
    });

    it('splits what is large into batches and requests, and keeps its order', async () => {
      const small = open({ batchMaxBytes: 20_000 });
      const { member } = await join(small);
      const transactions = await small.transactionalProducer();
      const value = (i: number) => Buffer.from(String(i).padStart(4_000));
      const large = Array.from({ length: 3_000 }, (_, i) => ({
        topic: target,
        partition: i % 2,
        key: null,
        value: value(i),
      }));
      await transactions.commit(member, large, offsets(1));
      const seen = [...(await values(0)), ...(await values(1))].map(Number);
      const numbers = large.map((_, i) => i);
      expect(seen).toEqual([...numbers.filter((i) => i % 2 === 0), ...numbers.filter((i) => i % 2 === 1)]);
    });

    it('does nothing of a transaction with a record that no broker takes, and goes on', async () => {
      const { member } = await join(log);
      const transactions = await log.transactionalProducer();
      const tooLarge = { topic: target, partition: 0, key: null, value: Buffer.alloc(3_000_000) };
      const refused = transactions.commit(member, [...records('with it'), tooLarge], offsets(1));
      await expect(refused).rejects.toMatchObject({ code: 'KAFKA_RECORD_TOO_LARGE' });
      expect(await committed()).toEqual([undefined]);
      await transactions.commit(member, records('next'), offsets(2));
      expect(await everywhere()).toEqual(['next']);
      expect(await committed()).toEqual([2]);
    });

    it('refuses a zombie whose partitions another took while its transaction was open: nothing of it is seen', async () => {
      const { proxy, log: behind } = await openBehind({ sessionTimeoutMs: 1_000 });
      const zombie = await join(behind);
      const transactions = await behind.transactionalProducer();
      const release = Promise.withResolvers<Verdict>();
      let written = 0;
      let offered = 0;
      proxy.intercept = ({ apiKey }) => {
        if (apiKey === PRODUCE) written++;
        if (apiKey === TXN_OFFSET_COMMIT) offered++;
        return apiKey === TXN_OFFSET_COMMIT || apiKey === HEARTBEAT ? release.promise : 'forward';
      };
      const late = transactions.commit(zombie.member, records('zombie'), offsets(7)).catch((error: unknown) => error);
      await until(() => written > 0 && offered > 0, 'the transaction to be under way');
      const next = await join(log);
      expect(next.listener.assigned.map((p) => p.committed)).toEqual(ALL.map(() => null));
      // Before the zombie comes back, and gets a share of the partitions.
      await (await log.transactionalProducer()).commit(next.member, records('next'), offsets(3));
      release.resolve('forward');
      expect(await late).toBeInstanceOf(FencedError);
      expect(await everywhere()).toEqual(['next']);
      expect(await committed()).toEqual([3]);
      expect(zombie.listener.fatal).toEqual([]);
      await until(() => zombie.listener.held.size === 6, 'the zombie to have its share again');
      const [mine] = zombie.member.assignment();
      await transactions.commit(
        zombie.member,
        records('again', [0]),
        mine === undefined ? [] : [{ ...mine, offset: 4 }],
      );
      expect(await values(0)).toEqual(['next', 'again']);
    });

    it('lets a transaction whose offsets were taken in time be finished, and the next owner wait for it', async () => {
      const { proxy, log: behind } = await openBehind({ sessionTimeoutMs: 1_000 });
      const former = await join(behind);
      const transactions = await behind.transactionalProducer();
      const release = Promise.withResolvers<Verdict>();
      let ending = false;
      proxy.intercept = ({ apiKey }) => {
        ending ||= apiKey === END_TXN;
        return apiKey === END_TXN || apiKey === HEARTBEAT ? release.promise : 'forward';
      };
      const commit = transactions.commit(former.member, records('in time'), offsets(7));
      await until(() => ending, 'the transaction to be ended');
      const listener = new RecordingListener();
      const options = { groupId: source, topics: { names: [source] }, start: { at: 'earliest' } } as const;
      const next = await log.join(options, listener);
      await until(() => next.assignment().length === PARTITIONS, 'the next owner to be given the partitions');
      expect(listener.assigned).toEqual([]);
      release.resolve('forward');
      await commit;
      await until(() => listener.assigned.length > 0, 'the next owner to begin');
      expect(listener.assigned.map((p) => p.committed)).toEqual(listener.assigned.map(() => 7));
      expect(await everywhere()).toEqual(['in time']);
    });

    it('carries a transaction through a rebalance in which its member keeps the partition', async () => {
      const { proxy, log: behind } = await openBehind();
      const first = await join(behind);
      const second = await join(log, 6);
      await until(() => first.listener.held.size === 6, 'the first to share');
      const transactions = await behind.transactionalProducer();
      const holder = new Holder(proxy, TXN_OFFSET_COMMIT);
      const kept = first.member.assignment().map((p) => p.partition);
      const commit = transactions.commit(first.member, records('kept', kept.slice(0, 1)), offsets(5, kept.slice(0, 1)));
      await holder.held();
      await second.member.close();
      await until(() => first.listener.held.size === PARTITIONS, 'the first to have everything again');
      holder.release();
      await commit;
      expect(await values(kept[0] ?? -1)).toEqual(['kept']);
      expect((await log.committed(source)).get(`${source}-${kept[0]}`)).toBe(5);
    });

    it('leaves nothing of a process killed in mid-transaction; the next producer of its id frees readers at once', async () => {
      const proxy = await KafkaProxy.start(brokers[0] ?? '');
      opened.push(proxy);
      const holder = new Holder(proxy, END_TXN);
      const id = `id-${randomUUID()}`;
      const child = Child.start('commit-transaction.ts', [proxy.address, id, source, source, target]);
      await holder.held();
      await child.kill();
      expect(child.lines).toEqual([`committing ${PARTITIONS}`]);
      const plain = await log.producer();
      await plain.send(records('after'));
      const reader = new RecordingListener();
      await log.join({ groupId: target, topics: { names: [target] }, start: { at: 'earliest' } }, reader);
      await until(() => reader.held.size === PARTITIONS, 'the reader to begin');
      expect(reader.texts()).toEqual([]);
      await log.transactionalProducer(id);
      // The dead one's transaction would have stayed open for five minutes.
      await until(() => reader.received.length === PARTITIONS, 'the records behind the open transaction');
      expect(new Set(reader.texts())).toEqual(new Set(['after']));
      const { listener } = await join(log);
      expect(listener.assigned.map((p) => p.committed)).toEqual(ALL.map(() => null));
      const end = new Map(
        await Promise.all(ALL.map(async (p) => [p, (await log.offsets({ topic: target, partition: p })).end] as const)),
      );
      // The child's record, ours, and the marker of the abort.
      expect([...end.values()]).toEqual(ALL.map(() => 3));
      await until(
        () => ALL.every((p) => reader.positions.get(`${target}-${p}`) === 3),
        'positions to pass the markers',
      );
    });

    it('knows a commit whose answer was lost, and does it once', async () => {
      const { proxy, log: behind } = await openBehind();
      const { member } = await join(behind);
      const transactions = await behind.transactionalProducer();
      for (const apiKey of [END_TXN, PRODUCE, TXN_OFFSET_COMMIT, ADD_PARTITIONS]) {
        for (const verdict of ['lose-answer', 'lose'] as const) {
          let cuts = 0;
          proxy.intercept = (request) => (request.apiKey === apiKey && cuts++ === 0 ? verdict : 'forward');
          await transactions.commit(member, records(`${apiKey}/${verdict}`), offsets(apiKey));
          expect(cuts).toBeGreaterThan(1);
        }
      }
      const cases = [END_TXN, PRODUCE, TXN_OFFSET_COMMIT, ADD_PARTITIONS];
      expect(await everywhere()).toEqual([cases.flatMap((key) => [`${key}/lose-answer`, `${key}/lose`]).join()]);
      expect(await committed()).toEqual([ADD_PARTITIONS]);
    });

    describe('whose last answer was lost, and whose id another producer took before it could ask again', () => {
      const takeOver = async (verdict: Verdict) => {
        const { proxy, log: behind } = await openBehind();
        const { member } = await join(behind);
        const id = `id-${randomUUID()}`;
        const transactions = await behind.transactionalProducer(id);
        proxy.intercept = ({ apiKey }) => {
          if (apiKey !== END_TXN || !proxy.reachable) return 'forward';
          proxy.reachable = false;
          return verdict;
        };
        const commit = transactions.commit(member, records('in doubt'), offsets(1)).then(
          () => 'committed',
          (error: unknown) => error,
        );
        await until(() => !proxy.reachable, 'the end of the transaction to be asked for');
        if (verdict === 'lose-answer') await until(async () => (await committed())[0] === 1, 'the commit to be done');
        await log.transactionalProducer(id);
        proxy.intercept = () => 'forward';
        proxy.reachable = true;
        return { outcome: await commit, again: transactions.commit(member, records('zombie'), offsets(2)) };
      };
      const fenced = { code: 'KAFKA_PRODUCER_FENCED', message: expect.stringContaining('two instances share') };

      it('has committed where the brokers had done so', async () => {
        const { outcome, again } = await takeOver('lose-answer');
        expect(outcome).toBe('committed');
        await expect(again).rejects.toMatchObject(fenced);
        expect(await everywhere()).toEqual(['in doubt']);
        expect(await committed()).toEqual([1]);
      });

      it('has done nothing where they had not, and says that two share the id', async () => {
        const { outcome, again } = await takeOver('lose');
        expect(outcome).toMatchObject(fenced);
        await expect(again).rejects.toMatchObject(fenced);
        expect(await everywhere()).toEqual(['']);
        expect(await committed()).toEqual([undefined]);
      });
    });

    it('says that nothing happened where a transaction took too long, and goes on', async () => {
      const { proxy, log: behind } = await openBehind({ transactionTimeoutMs: SOON_MS });
      const { member } = await join(behind);
      const transactions = await behind.transactionalProducer();
      const holder = new Holder(proxy, END_TXN);
      const slow = transactions.commit(member, records('too slow'), offsets(1)).catch((error: unknown) => error);
      await holder.held();
      // Reading to the end waits for the transaction to be ended.
      expect(await everywhere()).toEqual(['']);
      holder.release();
      expect(await slow).toBeInstanceOf(TransactionAbortedError);
      await transactions.commit(member, records('next'), offsets(2));
      expect(await everywhere()).toEqual(['next']);
      expect(await committed()).toEqual([2]);
    });

    it('aborts by itself what cannot be written within the time of a transaction', async () => {
      const { proxy, log: behind } = await openBehind({ transactionTimeoutMs: SOON_MS });
      const { member } = await join(behind);
      const transactions = await behind.transactionalProducer();
      proxy.intercept = ({ apiKey }) => (apiKey === PRODUCE ? 'lose' : 'forward');
      const stuck = transactions.commit(member, records('stuck'), offsets(1));
      await expect(stuck).rejects.toThrow(TransactionAbortedError);
      proxy.intercept = () => 'forward';
      await transactions.commit(member, records('next'), offsets(2));
      expect(await everywhere()).toEqual(['next']);
    });

    it('reads on where a partition holds nothing but what was aborted', async () => {
      const { member } = await join(log);
      const transactions = await log.transactionalProducer();
      const tooLarge = { topic: target, partition: 1, key: null, value: Buffer.alloc(3_000_000) };
      await expect(transactions.commit(member, [...records('aborted', [0]), tooLarge], [])).rejects.toThrow();
      const of = { topic: target, partition: 0 };
      const { begin, end } = await log.offsets(of);
      expect(begin).toBe(0);
      expect(end).toBeGreaterThan(0);
      const batches = [];
      for await (const batch of log.read(of, 0, { to: end })) batches.push(batch);
      expect(batches.flatMap((b) => b.records)).toEqual([]);
      expect(batches.at(-1)).toMatchObject({ nextOffset: end, endOffset: end });
      const listener = new RecordingListener();
      await log.join({ groupId: target, topics: { names: [target] }, start: { at: 'earliest' } }, listener);
      await until(() => listener.positions.get(`${target}-0`) === end, 'the position to reach the end');
    });
  });

  describe('with a broker that is killed', () => {
    let cluster: KafkaCluster;

    beforeAll(async () => {
      cluster = await startKafka({ own: true });
      brokers = cluster.brokers;
    }, SERVER_START_MS);
    afterAll(() => cluster.stop());

    beforeEach(async () => {
      await cluster.startNode(1);
      await setUp();
    });

    it.each([
      ['its records', PRODUCE],
      ['its offsets', TXN_OFFSET_COMMIT],
      ['its end', END_TXN],
    ])('does a transaction once when the broker dies before it got %s', async (_, apiKey) => {
      const { proxy, log: behind } = await openBehind();
      const { member } = await join(behind);
      const transactions = await behind.transactionalProducer();
      await transactions.commit(member, records('before'), offsets(1));
      const holder = new Holder(proxy, apiKey);
      const commit = transactions.commit(member, records('over the crash'), offsets(2));
      await holder.held();
      await cluster.kill9(1);
      holder.release();
      await cluster.startNode(1);
      await commit;
      await transactions.commit(member, records('after'), offsets(3));
      expect(await everywhere()).toEqual(['before,over the crash,after']);
      expect(await committed()).toEqual([3]);
    });

    it('goes on after a time-out also where the broker has been restarted since', async () => {
      const { proxy, log: behind } = await openBehind({ transactionTimeoutMs: SOON_MS });
      const { member } = await join(behind);
      const transactions = await behind.transactionalProducer();
      const holder = new Holder(proxy, END_TXN);
      const slow = transactions.commit(member, records('too slow'), offsets(1)).catch((error: unknown) => error);
      await holder.held();
      expect(await everywhere()).toEqual(['']);
      await cluster.kill9(1);
      holder.release();
      await cluster.startNode(1);
      expect(await slow).toBeInstanceOf(TransactionAbortedError);
      await transactions.commit(member, records('next'), offsets(2));
      expect(await everywhere()).toEqual(['next']);
      expect(await committed()).toEqual([2]);
    });

    it('closes in bounded time in mid-transaction while the broker is away', async () => {
      const { proxy, log: behind } = await openBehind({ closeTimeoutMs: 500 });
      const { member } = await join(behind);
      const transactions = await behind.transactionalProducer();
      const holder = new Holder(proxy, END_TXN);
      const commit = transactions.commit(member, records('in doubt'), offsets(1)).catch((error: unknown) => error);
      await holder.held();
      await cluster.kill9(1);
      holder.release();
      await behind.close();
      expect(await commit).toMatchObject({ code: 'KAFKA_UNAVAILABLE' });
    });
  });

  describe('with three brokers', () => {
    let cluster: KafkaCluster;

    beforeAll(async () => {
      cluster = await startKafka({ own: true, nodes: 3 });
      brokers = cluster.brokers;
      await setUp();
    }, SERVER_START_MS);
    afterAll(() => cluster.stop());

    it('does each of many transactions once while two of three brokers are killed in turn', async () => {
      const { member } = await join(log);
      const transactions = await log.transactionalProducer('id');
      let done = 0;
      let stop = false;
      let aborted = 0;
      const work = (async () => {
        while (!stop) {
          try {
            await transactions.commit(member, records(String(done)), offsets(done + 1));
            done++;
          } catch (error) {
            if (!(error instanceof TransactionAbortedError)) throw error;
            aborted++;
          }
        }
      })();
      // A failure is met below; until then nobody may wait for it.
      work.catch(() => {});
      for (const node of [1, 2]) {
        const before = done;
        await until(() => done > before + 20, 'transactions to go on');
        await cluster.kill9(node);
        const whileAway = done;
        await until(() => done > whileAway + 20, 'transactions to go on without it');
        await cluster.startNode(node);
      }
      stop = true;
      await work;
      expect(aborted).toBeLessThan(5);
      expect(await everywhere()).toEqual([Array.from({ length: done }, (_, i) => String(i)).join()]);
      expect(await committed()).toEqual([done]);
    });
  });
});
