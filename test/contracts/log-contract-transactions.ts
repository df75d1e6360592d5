import { randomUUID } from 'node:crypto';
import {
  FencedError,
  type GroupMember,
  TransactionAbortedError,
  type TransactionalProducer,
} from '../../src/runtime/ports/log.js';
import { Gate } from '../harness/recording-listener.js';
import { until } from '../harness/until.js';
import { bytes, LogDriver, type LogFixture, names, outgoing, series, text } from './log-fixture.js';

/** What the contract of transactions needs besides that of the log. */
export interface TransactionFixture extends LogFixture {
  /** Ends a member's session as a broker does that has not heard of it for too long. Absent: cannot be done from here. */
  expireSession?(groupId: string, member: GroupMember): void;
}

/** Records and offsets as one: `Log.transactionalProducer`. */
export function describeTransactionContract(name: string, make: () => Promise<TransactionFixture>): void {
  describe(`${name} keeps the contract of transactions`, () => {
    let fixture: TransactionFixture;
    let driver: LogDriver;
    let groupId: string;
    let source: string;
    let target: string;
    const producers: TransactionalProducer[] = [];

    beforeEach(async () => {
      fixture = await make();
      driver = new LogDriver(fixture);
      groupId = `group-${randomUUID()}`;
      source = await fixture.newTopic(2);
      target = await fixture.newTopic(3);
    });

    afterEach(async () => {
      await driver.close();
      await Promise.all(producers.splice(0).map((p) => p.close()));
      await fixture.dispose();
    });

    const producer = async (id?: string): Promise<TransactionalProducer> => {
      const made = await fixture.log.transactionalProducer(id);
      producers.push(made);
      return made;
    };
    const joinAll = () => driver.joinAndHold({ groupId, topics: { names: [source] } }, 2);
    const offset = (partition: number, at: number) => ({ topic: source, partition, offset: at });
    const committed = async () => {
      const all = await fixture.log.committed(groupId);
      return [all.get(`${source}-0`), all.get(`${source}-1`)];
    };
    const values = (partition: number, topic = target) => driver.readTexts({ topic, partition });

    it('shows all records, and has all offsets, once the commit has resolved', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      const records = [0, 1, 2].flatMap((p) => series(target, p, `p${p}-`, 20));
      await transactions.commit(member, records, [offset(0, 7), offset(1, 9)]);
      expect([await values(0), await values(1), await values(2)]).toEqual([
        names('p0-', 20),
        names('p1-', 20),
        names('p2-', 20),
      ]);
      expect(await committed()).toEqual([7, 9]);
    });

    it('keeps key, value, headers and time of a record, and the place that its key gives it', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      const record = { topic: target, key: bytes('foobar'), value: bytes('v'), headers: new Map([['h', bytes('x')]]) };
      await transactions.commit(
        member,
        [
          { ...record, timestamp: 1234 },
          { ...record, value: null },
        ],
        [],
      );
      await driver.send(record);
      const partitions = await Promise.all([0, 1, 2].map((p) => driver.readAll(target, p)));
      const found = partitions.filter((records) => records.length > 0);
      expect(found).toHaveLength(1);
      expect(found[0]?.map((r) => [text(r.key), text(r.value), text(r.headers?.get('h') ?? null)])).toEqual([
        ['foobar', 'v', 'x'],
        ['foobar', null, 'x'],
        ['foobar', 'v', 'x'],
      ]);
      expect(found[0]?.[0]?.timestamp).toBe(1234);
    });

    it('keeps the order of one partition, also of commits that do not wait for one another', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      await Promise.all(
        names('', 12).map((round, i) =>
          transactions.commit(
            member,
            [0, 1].flatMap((p) => series(target, p, `${round}/`, 3)),
            [offset(0, i + 1)],
          ),
        ),
      );
      const expected = names('', 12).flatMap((round) => names(`${round}/`, 3));
      expect([await values(0), await values(1)]).toEqual([expected, expected]);
      expect((await committed())[0]).toBe(12);
    });

    it('commits offsets alone, records alone, and nothing at all', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      await transactions.commit(member, [], [offset(1, 3)]);
      expect(await committed()).toEqual([undefined, 3]);
      await transactions.commit(member, [outgoing(target, 2, 'alone')], []);
      expect(await values(2)).toEqual(['alone']);
      expect(await committed()).toEqual([undefined, 3]);
      await transactions.commit(member, [], []);
      expect([await values(0), await values(1), await values(2)]).toEqual([[], [], ['alone']]);
    });

    it('hands committed records on to members and to readers that follow', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      const other = await driver.joinAndHold({ groupId: `${groupId}-other`, topics: { names: [target] } }, 3);
      const stop = new AbortController();
      const seen: (string | null)[] = [];
      const following = (async () => {
        const reading = fixture.log.read({ topic: target, partition: 0 }, 0, { follow: true, signal: stop.signal });
        for await (const { records } of reading) seen.push(...records.map((r) => text(r.value)));
      })();
      for (let i = 0; i < 5; i++) {
        await transactions.commit(member, series(target, 0, `${i}/`, 4), [offset(0, i)]);
      }
      const expected = names('', 5).flatMap((round) => names(`${round}/`, 4));
      await until(() => seen.length >= 20 && other.listener.received.length >= 20, 'all records at both');
      stop.abort();
      await following;
      expect(seen).toEqual(expected);
      expect(other.listener.texts()).toEqual(expected);
    });

    it('refuses a partition that was given to another member, and writes nothing of it, ever', async () => {
      const first = await joinAll();
      const second = await driver.joinAndHold({ groupId, topics: { names: [source] } }, 1);
      await until(() => first.listener.held.size === 1, 'the first member to give up a partition');
      const [mine = 0] = first.member.assignment().map((p) => p.partition);
      const transactions = await producer();
      const records = [0, 1, 2].map((p) => outgoing(target, p, 'stale'));
      const stale = transactions.commit(first.member, records, [offset(mine, 1), offset(1 - mine, 1)]);
      await expect(stale).rejects.toThrow(FencedError);
      await transactions.commit(first.member, [outgoing(target, 0, 'mine')], [offset(mine, 2)]);
      const others = await producer();
      await others.commit(second.member, [outgoing(target, 1, 'the other')], [offset(1 - mine, 3)]);
      expect([await values(0), await values(1), await values(2)]).toEqual([['mine'], ['the other'], []]);
      expect(await committed()).toEqual(mine === 0 ? [2, 3] : [3, 2]);
    });

    it('refuses everything of a member that was closed', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      await driver.closeMember(member);
      const late = transactions.commit(member, [outgoing(target, 0, 'late')], [offset(0, 1)]);
      await expect(late).rejects.toThrow(FencedError);
      expect(await values(0)).toEqual([]);
      expect(await committed()).toEqual([undefined, undefined]);
    });

    it('refuses a member whose session is over, and takes what it commits once it has joined again', async () => {
      if (fixture.expireSession === undefined) return;
      const { member, listener } = await joinAll();
      const transactions = await producer();
      fixture.expireSession(groupId, member);
      const late = transactions.commit(member, [outgoing(target, 0, 'late')], [offset(0, 1)]);
      await expect(late).rejects.toThrow(FencedError);
      await until(() => listener.held.size === 2 && member.assignment().length === 2, 'the partitions again');
      await transactions.commit(member, [outgoing(target, 0, 'again')], [offset(0, 2)]);
      expect(await values(0)).toEqual(['again']);
      expect(await committed()).toEqual([2, undefined]);
    });

    it('counts a commit made while partitions are given up, and the next owner begins there', async () => {
      const transactions = await producer();
      const joined: { member?: GroupMember } = {};
      const first = await driver.joinAndHold({ groupId, topics: { names: [source] } }, 2, {
        onRevoked: async (partitions) => {
          const last = partitions.map((p) => outgoing(target, p.partition, 'last'));
          const offsets = partitions.map((p) => ({ ...p, offset: 2 }));
          await transactions.commit(joined.member as GroupMember, last, offsets);
        },
      });
      joined.member = first.member;
      await driver.send(...series(source, 0, 's', 4), ...series(source, 1, 's', 4));
      const second = await driver.joinAndHold({ groupId, topics: { names: [source] } }, 1);
      const [given] = second.listener.assigned;
      expect(given).toMatchObject({ committed: 2, position: 2 });
      expect(await values(given?.partition ?? -1)).toEqual(['last']);
    });

    it('lets a commit that nobody waits for either happen before the next owner begins, or not at all', async () => {
      const transactions = await producer();
      const joined: { member?: GroupMember; commit?: Promise<boolean> } = {};
      const first = await driver.joinAndHold({ groupId, topics: { names: [source] } }, 2, {
        onRevoked: async (partitions) => {
          joined.commit ??= transactions
            .commit(
              joined.member as GroupMember,
              partitions.map((p) => outgoing(target, p.partition, 'last')),
              partitions.map((p) => ({ ...p, offset: 2 })),
            )
            .then(
              () => true,
              () => false,
            );
        },
      });
      joined.member = first.member;
      await driver.send(...series(source, 0, 's', 4), ...series(source, 1, 's', 4));
      const second = await driver.joinAndHold({ groupId, topics: { names: [source] } }, 1);
      const happened = await joined.commit;
      const [given] = second.listener.assigned;
      expect(given?.committed).toBe(happened ? 2 : null);
      expect(await values(given?.partition ?? -1)).toEqual(happened ? ['last'] : []);
    });

    it('lets a second producer of one id take over: the first can commit nothing any more', async () => {
      const { member } = await joinAll();
      const id = `producer-${randomUUID()}`;
      const first = await producer(id);
      await first.commit(member, [outgoing(target, 0, 'first')], [offset(0, 1)]);
      const second = await producer(id);
      const zombie = await first.commit(member, [outgoing(target, 0, 'zombie')], [offset(0, 2)]).catch((e) => e);
      expect(zombie).toBeInstanceOf(Error);
      // Tried again, it would fail again.
      expect(zombie).not.toBeInstanceOf(TransactionAbortedError);
      await second.commit(member, [outgoing(target, 0, 'second')], [offset(0, 3)]);
      expect(await values(0)).toEqual(['first', 'second']);
      expect((await committed())[0]).toBe(3);
    });

    it('leaves producers of other ids, and without one, alone', async () => {
      const { member } = await joinAll();
      const made = [await producer(randomUUID()), await producer(randomUUID()), await producer(), await producer()];
      for (const [i, one] of made.entries()) await one.commit(member, [outgoing(target, 0, `${i}`)], [offset(0, i)]);
      expect(await values(0)).toEqual(names('', 4));
    });

    it('waits, when it is closed, for the transaction under way, and takes none after it', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      const commit = transactions.commit(member, series(target, 0, 'r', 50), [offset(0, 1)]);
      await transactions.close();
      expect(await values(0)).toEqual(names('r', 50));
      expect((await committed())[0]).toBe(1);
      await commit;
      await expect(transactions.commit(member, [outgoing(target, 0, 'late')], [offset(0, 2)])).rejects.toThrow();
      expect(await values(0)).toEqual(names('r', 50));
    });

    it('does nothing of a transaction with a topic or partition that is not there, and goes on after it', async () => {
      const { member } = await joinAll();
      const transactions = await producer();
      const known = outgoing(target, 0, 'half');
      const noTopic = transactions.commit(member, [known, outgoing(`none-${randomUUID()}`, 0, 'x')], [offset(0, 1)]);
      await expect(noTopic).rejects.toThrow();
      const noPartition = transactions.commit(member, [known, outgoing(target, 99, 'x')], [offset(0, 1)]);
      await expect(noPartition).rejects.toThrow();
      expect(await values(0)).toEqual([]);
      expect((await committed())[0]).toBeUndefined();
      await transactions.commit(member, [outgoing(target, 0, 'next')], [offset(0, 2)]);
      expect(await values(0)).toEqual(['next']);
      expect((await committed())[0]).toBe(2);
    });

    it('loses and doubles nothing where plain producers and other transactions write the same partitions', async () => {
      const { member } = await joinAll();
      const [one, two] = [await producer(), await producer()];
      const rounds = 15;
      const transact = async (by: TransactionalProducer, name: string, partition: number) => {
        for (let i = 0; i < rounds; i++) {
          const records = [0, 1, 2].flatMap((p) => series(target, p, `${name}${i}/`, 2));
          await by.commit(member, records, [offset(partition, i + 1)]);
        }
      };
      const send = async () => {
        for (let i = 0; i < rounds; i++) await driver.send(...[0, 1, 2].map((p) => outgoing(target, p, `plain${i}`)));
      };
      await Promise.all([transact(one, 'one', 0), transact(two, 'two', 1), send()]);
      for (const partition of [0, 1, 2]) {
        const all = await values(partition);
        const of = (name: string) => all.filter((value) => value?.startsWith(name));
        expect(of('one')).toEqual(names('one', rounds).flatMap((n) => names(`${n}/`, 2)));
        expect(of('two')).toEqual(names('two', rounds).flatMap((n) => names(`${n}/`, 2)));
        expect(of('plain')).toEqual(names('plain', rounds));
        expect(all).toHaveLength(rounds * 5);
      }
      expect(await committed()).toEqual([rounds, rounds]);
    });

    it('still has what was committed when the log is opened again', async () => {
      if (fixture.reopen === undefined) return;
      const { member } = await joinAll();
      const transactions = await producer();
      for (let i = 0; i < 3; i++) {
        const records = [0, 1].map((p) => outgoing(target, p, `r${i}`));
        await transactions.commit(member, records, [offset(0, i + 1), offset(1, i + 5)]);
      }
      await transactions.close();
      fixture.log = await driver.reopen();
      expect([await values(0), await values(1), await values(2)]).toEqual([names('r', 3), names('r', 3), []]);
      expect(await committed()).toEqual([3, 7]);
    });

    it('takes commits while a batch of the same member waits', async () => {
      const gate = new Gate();
      const { member, listener } = await driver.joinAndHold({ groupId, topics: { names: [source] } }, 2, {
        onBatch: () => gate.passed,
      });
      await driver.send(outgoing(source, 0, 's'));
      await until(() => listener.received.length === 1, 'the batch that waits');
      await (await producer()).commit(member, [outgoing(target, 0, 'meanwhile')], [offset(0, 1)]);
      expect(await values(0)).toEqual(['meanwhile']);
      gate.open();
    });
  });
}
