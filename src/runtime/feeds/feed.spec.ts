import { until } from '../../../test/harness/until.js';
import { mixBits } from '../../engine/index.js';
import { MemoryLog } from '../memory/memory-log.js';
import { type AssignedPartition, type Log, TransactionAbortedError, type TransactionalProducer } from '../ports/log.js';
import { ManualClock } from '../testing/manual-clock.js';
import { Feed, FeedError, type FeedOptions, type RowSource } from './feed.js';
import { FeedBook } from './feed-book.js';

const TOPIC = { name: 'payments', partitions: 3 };
const BOOK = 'feeds';
const text = new TextEncoder();
const utf8 = new TextDecoder();

/** `count` rows of 4 keys, in portions of 700; the last ones come when it is open already, and are not read. */
function rowsOf(count: number, more = 0): (last: readonly string[] | null | undefined) => Promise<RowSource> {
  return async (known) => {
    const last = known === undefined ? (count === 0 ? null : [String(count - 1)]) : known;
    const end = last === null ? 0 : Math.min(Number(last[0]) + 1, count + more);
    return {
      last,
      async *rowsAfter(after) {
        for (let from = after === null ? 0 : Number(after[0]) + 1; from < end; from += 700) {
          const portion = Array.from({ length: Math.min(700, end - from) }, (_, n) => from + n);
          yield portion.map((n) => ({
            ...{ key: text.encode(`A${n % 4}`), value: text.encode(`row ${n}`), place: [String(n)] },
          }));
        }
      },
      close: async () => undefined,
    };
  };
}

class World {
  readonly log = new MemoryLog();
  readonly clock = new ManualClock(1000);
  readonly troubles: string[] = [];

  /** A process that owns the book's partition, with a log that fails as `failing` says. */
  async process(open: FeedOptions['open'], more: Partial<FeedOptions> = {}, failing: (log: Log) => Log = (log) => log) {
    const log = failing(this.log);
    const book = new FeedBook({ log, clock: this.clock, topic: BOOK, onTrouble: () => undefined });
    await book.open();
    const assigned = Promise.withResolvers<AssignedPartition>();
    const member = await log.join(
      { groupId: 'g-feeds', topics: { names: [BOOK] }, start: { at: 'latest' } },
      {
        onAssigned: async ([partition]) => {
          assigned.resolve(partition!);
          return undefined;
        },
        ...{ onRevoked: async () => undefined, onLost: async () => undefined, onBatch: () => undefined },
        ...{ onTrouble: () => undefined, onRecovered: () => undefined, onFatal: () => undefined },
      },
    );
    const { topic, partition, endOffset } = await assigned.promise;
    const feed = new Feed(
      {
        ...{ log, clock: this.clock, book, topic: TOPIC, transactionalId: 'feed', from: 'the table payments', open },
        onTrouble: (error) => error !== null && this.troubles.push(error.message),
        ...more,
      },
      member,
      { topic, partition, offset: endOffset },
    );
    const stop = async () => {
      await feed.stop();
      await member.close();
      await book.stop();
    };
    return { book, feed, member, stop };
  }

  async fed(): Promise<readonly number[]> {
    const found: number[] = [];
    for (let partition = 0; partition < TOPIC.partitions; partition++)
      for await (const { records } of this.log.read({ topic: TOPIC.name, partition }, 0))
        for (const { value } of records) found.push(Number(utf8.decode(value!).slice(4)));
    return found.sort((a, b) => a - b);
  }

  async done(book: FeedBook): Promise<void> {
    await until(async () => {
      this.clock.advance(30_000);
      await book.refresh();
      return book.get(TOPIC.name)?.doneAt != null;
    }, 'the end of the rows');
  }
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

/** A log whose transactions fail by a seed: before they happen, or after they did. */
function unreliable(seed: number): (log: Log) => Log {
  let drawn = seed;
  const draw = (): number => (mixBits(drawn++) >>> 0) / 2 ** 32;
  const producerOf = (inner: TransactionalProducer): TransactionalProducer => ({
    async commit(...what) {
      if (draw() < 0.2) throw new TransactionAbortedError('it did not happen');
      await inner.commit(...what);
      if (draw() < 0.2) throw new Error('it happened, and nobody heard of it');
    },
    close: () => inner.close(),
  });
  return (log) =>
    new Proxy(log, {
      get(target, name) {
        if (name === 'transactionalProducer')
          return async (id: string) => producerOf(await log.transactionalProducer(id));
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
}

describe('a feed', () => {
  it('puts each row into the topic once, by its key and in order, and says that it is done', async () => {
    const world = new World();
    const one = await world.process(rowsOf(2345));
    await world.done(one.book);
    expect(await world.fed()).toEqual(upTo(2345));
    expect(one.book.get(TOPIC.name)).toMatchObject({
      rows: 2345,
      after: ['2344'],
      last: ['2344'],
      from: 'the table payments',
    });
    for (let partition = 0; partition < TOPIC.partitions; partition++) {
      const keys = new Map<string, number>();
      for await (const { records } of world.log.read({ topic: TOPIC.name, partition }, 0))
        for (const { key, value } of records) {
          const n = Number(utf8.decode(value!).slice(4));
          expect(keys.get(utf8.decode(key!)) ?? -1).toBeLessThan(n);
          keys.set(utf8.decode(key!), n);
        }
    }
    await one.stop();
  });

  it('neither loses nor repeats a row whatever its transactions come to, and whenever it dies', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const world = new World();
      let last: FeedBook | null = null;
      for (let life = 0; life < 3; life++) {
        const one = await world.process(rowsOf(3000), {}, unreliable(seed * 1000 + life * 100));
        last = one.book;
        if (life < 2) {
          // It dies somewhere in the middle.
          for (let turn = 0; turn < (mixBits(seed + life) >>> 0) % 200; turn++) await Promise.resolve();
          world.clock.advance(60_000);
          await one.stop();
        } else {
          await world.done(last);
          await one.stop();
        }
      }
      expect(await world.fed()).toEqual(upTo(3000));
    }
  });

  it('is fenced by the one that comes after it, though it does not know', async () => {
    const world = new World();
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const rows = await rowsOf(3000)(undefined);
    const opened = Promise.withResolvers<void>();
    const zombie = await world.process(async () => ({
      ...rows,
      async *rowsAfter(after) {
        for await (const portion of rows.rowsAfter(after)) {
          yield portion;
          opened.resolve();
          await held;
        }
      },
    }));
    await opened.promise;
    const before = (await world.fed()).length;
    expect(before).toBe(700);
    // The group has given up on it; the feed itself stands still and knows nothing of it.
    await zombie.member.close();
    const other = await world.process(rowsOf(3000));
    await world.done(other.book);
    goOn();
    await until(() => world.troubles.length > 0, 'the zombie to be told');
    await zombie.stop();
    await other.stop();
    expect(await world.fed()).toEqual(upTo(3000));
  });

  it('ends where it would have ended, though more rows have come; of no rows it is done at once', async () => {
    const world = new World();
    const one = await world.process(async (last, signal) => {
      const rows = await rowsOf(1500)(last);
      return {
        ...rows,
        async *rowsAfter(after) {
          for await (const portion of rows.rowsAfter(after)) {
            yield portion;
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
          }
        },
      };
    });
    await until(async () => (await world.fed()).length > 0, 'the first rows');
    await one.stop();
    const other = await world.process(rowsOf(1500, 500));
    await world.done(other.book);
    expect(await world.fed()).toEqual(upTo(1500));
    await other.stop();
    const none = new World();
    const empty = await none.process(rowsOf(0));
    await none.done(empty.book);
    expect([await none.fed(), empty.book.get(TOPIC.name)]).toMatchObject([[], { rows: 0, last: null }]);
    await empty.stop();
  });

  it('says why it does not go on, and goes on when it can; what is fed from one table is fed from no other', async () => {
    const world = new World();
    let isAway = true;
    const one = await world.process(async (last) => {
      if (isAway) throw new FeedError('the database is away');
      return rowsOf(10)(last);
    });
    await until(() => world.troubles.length > 0, 'the trouble');
    isAway = false;
    await world.done(one.book);
    expect([await world.fed(), world.troubles[0]]).toEqual([upTo(10), 'the database is away']);
    await one.stop();
    const other = await world.process(rowsOf(10), { from: 'the table refunds' });
    await until(() => world.troubles.length > 1, 'the other table to be refused');
    expect(world.troubles.at(-1)).toContain('was fed from the table payments and cannot go on with the table refunds');
    await other.stop();
    expect(await world.fed()).toEqual(upTo(10));
  });
});
