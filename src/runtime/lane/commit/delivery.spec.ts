import { FencedError, type GroupMember, type OutgoingRecord, TransactionAbortedError } from '../../ports/log.js';
import { Delivery, type DeliveryMode } from './delivery.js';

const member = { commit: async () => undefined } as unknown as GroupMember;
const at = (offset: number, partition = 0) => ({ topic: 't', partition, offset });
const record = (name: string): OutgoingRecord => ({ topic: 'alerts', key: null, value: Buffer.from(name) });
const names = (records: readonly OutgoingRecord[]): string[] => records.map((r) => String(r.value));

/** A log that says what it was asked for; `fail` is thrown by the next transaction. */
function fakeLog() {
  const sent: string[][] = [];
  const transactions: { records: string[]; offsets: number[] }[] = [];
  const log = { fail: null as Error | null, ack: Promise.resolve() };
  return {
    ...{ sent, transactions, log },
    producer: {
      send: (records: readonly OutgoingRecord[]) => {
        sent.push(names(records));
        return log.ack;
      },
      close: async () => undefined,
    },
    transactional: {
      commit: async (_: GroupMember, records: readonly OutgoingRecord[], offsets: readonly { offset: number }[]) => {
        const failure = log.fail;
        log.fail = null;
        if (failure !== null) throw failure;
        transactions.push({ records: names(records), offsets: offsets.map((o) => o.offset) });
      },
      close: async () => undefined,
    },
  };
}

function deliveryOf(mode: DeliveryMode) {
  const fake = fakeLog();
  const failures: Error[] = [];
  const delivery = new Delivery(mode, fake.producer, fake.transactional, (error) => failures.push(error));
  return { ...fake, delivery, failures };
}

describe('delivery, exactly once', () => {
  it('writes nothing before the commit, and then all in one transaction with the offsets', async () => {
    const { delivery, sent, transactions } = deliveryOf('exactly-once');
    const seen: string[] = [];
    delivery.add('t-0', record('a'), () => seen.push('a'));
    delivery.add('t-0', record('b'), () => seen.push('b'));
    delivery.flush();
    expect({ sent, transactions, size: delivery.size }).toEqual({ sent: [], transactions: [], size: 2 });
    await delivery.commit(member, [at(7)], [record('entry')]);
    expect(transactions).toEqual([{ records: ['a', 'b', 'entry'], offsets: [7] }]);
    expect({ seen, size: delivery.size }).toEqual({ seen: ['a', 'b'], size: 0 });
  });

  it.each([new TransactionAbortedError('too slow'), new FencedError('rebalancing')])(
    'keeps what a transaction did not write for the next one, in its order: %s',
    async (failure) => {
      const { delivery, transactions, log } = deliveryOf('exactly-once');
      delivery.add('t-0', record('a'));
      log.fail = failure;
      const failing = delivery.commit(member, [at(1)]);
      delivery.add('t-0', record('b'));
      await expect(failing).rejects.toBe(failure);
      await delivery.commit(member, [at(2)]);
      expect(transactions).toEqual([{ records: ['a', 'b'], offsets: [2] }]);
    },
  );

  it('cannot go on when nobody can say what became of a transaction', async () => {
    const { delivery, log, failures } = deliveryOf('exactly-once');
    delivery.add('t-0', record('a'));
    log.fail = new Error('the log was closed meanwhile');
    await expect(delivery.commit(member, [at(1)])).rejects.toThrow('closed meanwhile');
    expect(failures.map((e) => e.message)).toEqual(['the log was closed meanwhile']);
  });

  it('leaves what follows from other partitions for their own commit', async () => {
    const { delivery, transactions } = deliveryOf('exactly-once');
    delivery.add('t-0', record('a'));
    delivery.add('t-1', record('b'));
    await delivery.commit(member, [at(1, 1)]);
    expect(transactions).toEqual([{ records: ['b'], offsets: [1] }]);
    expect([delivery.waits('t-0'), delivery.waits('t-1'), delivery.size]).toEqual([true, false, 1]);
  });

  it('forgets what a partition gave out that was given up, also when its transaction fails afterwards', async () => {
    const { delivery, transactions, log } = deliveryOf('exactly-once');
    delivery.add('t-0', record('a'));
    log.fail = new FencedError('given to another');
    const failing = delivery.commit(member, [at(1)]);
    delivery.drop('t-0');
    delivery.add('t-0', record('of the next ownership'));
    await expect(failing).rejects.toThrow('given to another');
    await delivery.commit(member, [at(2)]);
    expect(transactions).toEqual([{ records: ['of the next ownership'], offsets: [2] }]);
  });
});

describe('delivery, at least once', () => {
  it('sends what a batch gave out right after it, and commits when that is durable', async () => {
    const { delivery, sent, transactions, log } = deliveryOf('at-least-once');
    const { promise, resolve } = Promise.withResolvers<void>();
    log.ack = promise;
    delivery.add('t-0', record('a'));
    delivery.flush();
    expect(sent).toEqual([['a']]);
    const commits: number[] = [];
    const counting = { commit: async () => void commits.push(1) } as unknown as GroupMember;
    const commit = delivery.commit(counting, [at(1)]);
    await Promise.resolve();
    expect(commits).toEqual([]);
    resolve();
    await commit;
    expect({ commits, transactions }).toEqual({ commits: [1], transactions: [] });
  });

  it('takes over from exactly once while it runs, when what waited has got its transaction', async () => {
    const { delivery, sent, transactions } = deliveryOf('exactly-once');
    delivery.add('t-0', record('a'));
    delivery.setMode('at-least-once');
    // It may follow from an entry of the journal that waits.
    delivery.add('t-0', record('b'));
    delivery.add('t-1', record('c'));
    delivery.flush();
    expect(sent).toEqual([['c']]);
    await delivery.commit(member, [at(2)]);
    expect(transactions).toEqual([{ records: ['a', 'b'], offsets: [2] }]);
    delivery.add('t-0', record('d'));
    delivery.flush();
    expect(sent).toEqual([['c'], ['d']]);
  });
});
