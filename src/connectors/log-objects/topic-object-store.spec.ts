import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeObjectStoreContract } from '../../../test/contracts/object-store-contract.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { Log, LogProducer, LogRecord, OutgoingRecord } from '../../runtime/ports/log.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { EmbeddedLog } from '../embedded/embedded-log.js';
import { CHUNK_BYTES, chunkKey, headKey } from './object-format.js';
import { TopicObjectStore } from './topic-object-store.js';

const TOPIC = 'objects';

async function over(log: Log, partitions: number, dispose: () => Promise<void>) {
  const opened: TopicObjectStore[] = [];
  const another = async () => {
    const store = await TopicObjectStore.open({ log, topic: TOPIC, partitions });
    opened.push(store);
    return store;
  };
  return {
    store: await another(),
    another,
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await dispose();
    },
  };
}

describeObjectStoreContract('the objects in a topic of the log in memory', () => {
  const log = new MemoryLog({ batchRecordsMax: 3, offsetGaps: true });
  return over(log, 3, () => log.close());
});

describeObjectStoreContract(
  'the objects in a topic of the embedded log, whose segments are compacted all the time',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stakeout-log-'));
    const log = await EmbeddedLog.open({ directory, segmentBytes: 1_000_000, retentionCheckMs: 5, fsync: 'interval' });
    return over(log, 2, async () => {
      await log.close();
      await rm(directory, { recursive: true });
    });
  },
);

/** A log whose next sends fail, or stop short, as its test wants it. */
class FailingLog extends MemoryLog {
  sendsLeft = Number.POSITIVE_INFINITY;
  failure: Error & { code?: string } = new Error('killed');

  override async producer(): Promise<LogProducer> {
    const producer = await super.producer();
    return {
      close: () => producer.close(),
      send: async (records: readonly OutgoingRecord[]) => {
        if (this.sendsLeft-- <= 0) throw this.failure;
        await producer.send(records);
      },
    };
  }
}

describe('the objects in a topic', () => {
  const large = Buffer.alloc(CHUNK_BYTES * 10, 7);
  let log: FailingLog;
  let store: TopicObjectStore;
  let clock: ManualClock;

  const open = () => TopicObjectStore.open({ log, topic: TOPIC, partitions: 1, clock });

  beforeEach(async () => {
    clock = new ManualClock(1_700_000_000_000);
    log = new FailingLog({ clock });
    store = await open();
  });

  afterEach(() => log.close());

  const records = async (): Promise<LogRecord[]> => {
    const all: LogRecord[] = [];
    for await (const batch of log.read({ topic: TOPIC, partition: 0 }, 0)) all.push(...batch.records);
    return all;
  };
  /** Keys that compaction would leave, in order of their last records. */
  const live = async () => {
    const last = new Map<string, LogRecord>();
    for (const record of await records()) {
      const key = Buffer.from(record.key ?? []).toString();
      last.delete(key);
      last.set(key, record);
    }
    return [...last].filter(([, record]) => record.value !== null).map(([key]) => key);
  };
  const withoutIds = (keys: readonly string[]) => keys.map((key) => key.replace(/#[^#]+#/, '#'));

  it('are chunks of at most 900 KB and then a head; small ones are a head alone', async () => {
    await store.put('small', Buffer.alloc(CHUNK_BYTES));
    await store.put('large', Buffer.alloc(CHUNK_BYTES * 2 + 1));
    expect(withoutIds(await live())).toEqual(['small', 'large#0', 'large#1', 'large#2', 'large']);
    for (const { value } of await records()) expect(value?.length).toBeLessThan(CHUNK_BYTES + 1000);
  });

  it('are not seen, and leave what had the name, when the process dies anywhere in a put', async () => {
    await store.put('a', Buffer.from('before'));
    // Ten chunks in three sends, then the head.
    for (let sends = 0; sends < 4; sends++) {
      log.sendsLeft = sends;
      await expect((await open()).put('a', large)).rejects.toThrow('killed');
      log.sendsLeft = Number.POSITIVE_INFINITY;
      for (const each of [store, await open()]) {
        expect(Buffer.from((await each.get('a')) ?? []).toString()).toBe('before');
        expect(await each.list('')).toEqual(['a']);
      }
    }
    await store.put('a', large);
    expect(large.equals((await (await open()).get('a')) ?? Buffer.alloc(0))).toBe(true);
  });

  it('leave no chunks behind when they are replaced or deleted', async () => {
    await store.put('a', large);
    await store.put('a', Buffer.from('small'));
    await store.put('b', large);
    // What is of no use is found when the partition is read, and goes with the next write.
    await store.list('');
    await store.put('c', Buffer.from('c'));
    expect(withoutIds(await live())).toEqual(['a', ...Array.from({ length: 10 }, (_, i) => `b#${i}`), 'b', 'c']);
    await store.delete('b');
    expect(await live()).toEqual(['a', 'c']);
  });

  it('leave no chunks behind of a put that died, a day later', async () => {
    log.sendsLeft = 2;
    await expect(store.put('a', large)).rejects.toThrow('killed');
    log.sendsLeft = Number.POSITIVE_INFINITY;
    const other = await open();
    await other.list('');
    clock.advance(23 * 3_600_000);
    await other.put('b', Buffer.from('b'));
    expect(await live()).toHaveLength(8 + 1);
    clock.advance(2 * 3_600_000);
    await other.list('');
    await other.put('b', Buffer.from('b'));
    expect(await live()).toEqual(['b']);
  });

  it('are read by what is new alone', async () => {
    await store.put('a', large);
    await store.get('a');
    const reads: number[] = [];
    const read = log.read.bind(log);
    log.read = (partition, from, options) => {
      reads.push(from);
      return read(partition, from, options);
    };
    await store.list('');
    expect(reads).toEqual([]);
    await store.put('b', Buffer.from('b'));
    await store.list('');
    expect(reads).toEqual([11]);
  });

  it('lie together in one partition by the first two parts of their names', async () => {
    await log.createTopic({ name: 'many', partitions: 16 });
    const spread = await TopicObjectStore.open({ log, topic: 'many', clock });
    for (let i = 0; i < 20; i++) {
      for (const file of ['manifest-1', 'base-1', 'deep/er'])
        await spread.put(`group/t-${i}/${file}`, Buffer.from('x'));
    }
    const ends = await Promise.all(
      Array.from({ length: 16 }, async (_, partition) => (await log.offsets({ topic: 'many', partition })).end),
    );
    expect(ends.every((end) => end % 3 === 0)).toBe(true);
    expect(ends.filter((end) => end > 0).length).toBeGreaterThan(6);
    expect(await spread.list('group/t-7/')).toHaveLength(3);
    expect(await spread.list('group/t-1')).toHaveLength(3 * 11);
  });

  it('are not given back when they are damaged, and say so', async () => {
    await store.put('a', large);
    const broken = (await live())[4] as string;
    const producer = await log.producer();
    const [, id = '', index] = broken.split('#');
    await producer.send([
      { topic: TOPIC, partition: 0, key: chunkKey('a', id, Number(index)), value: Buffer.from('x') },
    ]);
    await expect(store.get('a')).rejects.toMatchObject({
      code: 'OBJECTS_IO',
      message: expect.stringMatching(/^a in topic objects is damaged: .*Delete it\.$/),
    });
    await store.delete('a');
    expect(await store.get('a')).toBeNull();
  });

  it('leave records alone that are none of theirs', async () => {
    const producer = await log.producer();
    const foreign = ['x#y', 'x#1#y', 'x#1#2#3'].map((key) => ({ key: Buffer.from(key), value: Buffer.from('v') }));
    const head = { key: headKey('odd'), value: Buffer.from('no head') };
    const records = [...foreign, head, { key: null, value: Buffer.from('v') }];
    await producer.send(records.map((r) => ({ topic: TOPIC, partition: 0, ...r })));
    expect(await store.list('')).toEqual([]);
    expect(await store.get('odd')).toBeNull();
  });

  it('are looked up anew by who has not looked for so long that deletions may be forgotten', async () => {
    await store.put('a', Buffer.from('a'));
    expect(await store.list('')).toEqual(['a']);
    const later = new FailingLog({ clock });
    await later.createTopic({ name: TOPIC, partitions: 1 });
    // As after compaction: neither the object nor what deleted it is in the log.
    Object.assign(log, { read: later.read.bind(later), offsets: later.offsets.bind(later) });
    expect(await store.list('')).toEqual(['a']);
    clock.advance(13 * 3_600_000);
    expect(await store.list('')).toEqual([]);
  });

  it('say in the port’s words what the log has said', async () => {
    log.sendsLeft = 0;
    log.failure = Object.assign(new Error('no broker answers'), { code: 'KAFKA_UNAVAILABLE' });
    await expect(store.put('a', large)).rejects.toMatchObject({
      code: 'OBJECTS_AWAY',
      message: 'cannot write a to topic objects: no broker answers; see whether the brokers can be reached',
    });
    log.failure = Object.assign(new Error('no room'), { code: 'LOG_DISK_FULL' });
    await expect(store.put('a', large)).rejects.toMatchObject({ code: 'OBJECTS_FULL' });
  });

  it('end what is under way when they are closed, or the signal aborts, also where the log never answers', async () => {
    log.producer = () => new Promise(() => undefined);
    const stop = new AbortController();
    const stuck = (await open()).put('a', large, stop.signal);
    stop.abort(new Error('given up'));
    await expect(stuck).rejects.toThrow('given up');
    const closed = await open();
    await closed.close();
    await expect(closed.get('a')).rejects.toThrow('the object store is closed');
  });
});
