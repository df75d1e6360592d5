import { randomUUID } from 'node:crypto';
import type { LogRecord } from '../../src/runtime/ports/log.js';
import { until } from '../harness/until.js';
import { bytes, LogDriver, type LogFixture, names, outgoing, series, text } from './log-fixture.js';

/** Kafka's own test vectors (UtilsTest.testMurmur2): the key and its signed 32-bit hash. */
const MURMUR2: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

/** Topics, sending, reading, offsets by time. */
export function describeStorageContract(make: () => Promise<LogFixture>): void {
  let fixture: LogFixture;
  let driver: LogDriver;

  beforeEach(async () => {
    fixture = await make();
    driver = new LogDriver(fixture);
  });

  afterEach(async () => {
    await driver.close();
    await fixture.dispose();
  });

  describe('topics', () => {
    it('lists a topic that was made, with its partitions', async () => {
      const topic = await fixture.newTopic(3);
      const info = await until(
        async () => (await fixture.log.topics()).find((t) => t.name === topic),
        'the new topic to be listed',
      );
      expect(info).toMatchObject({ name: topic, partitions: 3 });
    });

    it('leaves an existing topic as it is when it is made again', async () => {
      const topic = `again-${randomUUID()}`;
      await fixture.log.createTopic({ name: topic, partitions: 2 });
      await driver.send(outgoing(topic, 1, 'kept'));
      await fixture.log.createTopic({ name: topic, partitions: 5 });
      expect((await fixture.log.topics()).find((t) => t.name === topic)?.partitions).toBe(2);
      expect(await driver.readTexts({ topic, partition: 1 })).toEqual(['kept']);
    });

    it('has the first and the end offset of an empty partition at zero', async () => {
      const topic = await fixture.newTopic(1);
      expect(await fixture.log.offsets({ topic, partition: 0 })).toEqual({ begin: 0, end: 0 });
      expect(await driver.readTexts({ topic, partition: 0 })).toEqual([]);
    });
  });

  describe('sending', () => {
    it('keeps the records of one partition in the order of sending, with rising offsets', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'a', 50));
      await driver.send(...series(topic, 0, 'b', 50));
      const records = await driver.readAll(topic);
      expect(records.map((r) => text(r.value))).toEqual([...names('a', 50), ...names('b', 50)]);
      expectRising(records);
      const { end } = await fixture.log.offsets({ topic, partition: 0 });
      expect(end).toBeGreaterThan(records.at(-1)?.offset ?? Number.NaN);
    });

    it('keeps the order of sends that do not wait for one another', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(outgoing(topic, 0, 'first'));
      await Promise.all(names('s', 40).map((name) => driver.send(outgoing(topic, 0, name))));
      expect(await driver.readTexts({ topic, partition: 0 })).toEqual(['first', ...names('s', 40)]);
    });

    it('puts each record into the partition it names', async () => {
      const topic = await fixture.newTopic(3);
      await driver.send(outgoing(topic, 2, 'two'), outgoing(topic, 0, 'zero'), outgoing(topic, 2, 'two again'));
      expect(await driver.readTexts({ topic, partition: 0 })).toEqual(['zero']);
      expect(await driver.readTexts({ topic, partition: 1 })).toEqual([]);
      expect(await driver.readTexts({ topic, partition: 2 })).toEqual(['two', 'two again']);
    });

    it("puts a key where Kafka's default partitioner puts it", async () => {
      const partitions = 7;
      const topic = await fixture.newTopic(partitions);
      await driver.send(...MURMUR2.map(([key]) => ({ topic, key: bytes(key), value: bytes(key) })));
      for (let partition = 0; partition < partitions; partition++) {
        const expected = MURMUR2.filter(([, hash]) => (hash & 0x7fffffff) % partitions === partition).map(([k]) => k);
        expect(await driver.readTexts({ topic, partition })).toEqual(expected);
      }
    });

    it('spreads records without a key', async () => {
      const topic = await fixture.newTopic(2);
      await driver.send(...names('r', 20).map((name) => ({ topic, key: null, value: bytes(name) })));
      await driver.send(...names('s', 20).map((name) => ({ topic, key: null, value: bytes(name) })));
      const first = await driver.readTexts({ topic, partition: 0 });
      const second = await driver.readTexts({ topic, partition: 1 });
      expect([...first, ...second].sort()).toEqual([...names('r', 20), ...names('s', 20)].sort());
      expect(Math.min(first.length, second.length)).toBeGreaterThan(0);
    });

    it('keeps keys, values, headers and timestamps byte for byte', async () => {
      const topic = await fixture.newTopic(1);
      const headers = new Map([
        ['traceparent', bytes('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')],
        ['empty', new Uint8Array(0)],
      ]);
      const value = Uint8Array.from({ length: 256 }, (_, i) => i);
      await driver.send({ topic, partition: 0, key: bytes('clé'), value, headers, timestamp: 1_700_000_000_123 });
      const record = (await driver.readAll(topic))[0];
      expect(text(record?.key ?? null)).toBe('clé');
      expect(Buffer.from(record?.value ?? [])).toEqual(Buffer.from(value));
      expect(record?.timestamp).toBe(1_700_000_000_123);
      expect([...(record?.headers ?? [])].map(([name, content]) => [name, text(content)])).toEqual([
        ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
        ['empty', ''],
      ]);
    });

    it('tells null keys and values from empty ones', async () => {
      const topic = await fixture.newTopic(1);
      const empty = new Uint8Array(0);
      await driver.send(
        { topic, partition: 0, key: null, value: null },
        { topic, partition: 0, key: empty, value: empty },
        { topic, partition: 0, key: bytes('k'), value: null },
      );
      const records = await driver.readAll(topic);
      expect(records.map((r) => [text(r.key), text(r.value)])).toEqual([
        [null, null],
        ['', ''],
        ['k', null],
      ]);
      expect(records.every((r) => (r.headers?.size ?? 0) === 0)).toBe(true);
      expect(records.every((r) => Number.isSafeInteger(r.timestamp) && r.timestamp >= 0)).toBe(true);
    });
  });

  describe('reading', () => {
    it('reads from an offset up to, and not with, another', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'r', 30));
      const records = await driver.readAll(topic);
      const from = records[10]?.offset ?? -1;
      const to = records[20]?.offset ?? -1;
      expect(await driver.readTexts({ topic, partition: 0 }, from, to)).toEqual(names('r', 30).slice(10, 20));
      expect(await driver.readTexts({ topic, partition: 0 }, from)).toEqual(names('r', 30).slice(10));
      expect(await driver.readTexts({ topic, partition: 0 }, from, from)).toEqual([]);
    });

    it('says with each batch where reading goes on and where the log ends', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'r', 100));
      const { end } = await fixture.log.offsets({ topic, partition: 0 });
      let position = 0;
      for await (const batch of fixture.log.read({ topic, partition: 0 }, 0)) {
        expect(batch).toMatchObject({ topic, partition: 0, endOffset: end });
        expect(batch.nextOffset).toBeGreaterThan(position);
        for (const record of batch.records) {
          expect(record.offset).toBeGreaterThanOrEqual(position);
          expect(record.offset).toBeLessThan(batch.nextOffset);
        }
        position = batch.nextOffset;
      }
      expect(position).toBe(end);
    });

    it('follows the end of the log until it is aborted', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(outgoing(topic, 0, 'before'));
      const abort = new AbortController();
      const seen: (string | null)[] = [];
      const following = (async () => {
        for await (const batch of fixture.log.read({ topic, partition: 0 }, 0, {
          follow: true,
          signal: abort.signal,
        })) {
          seen.push(...batch.records.map((r) => text(r.value)));
        }
      })();
      await until(() => seen.length === 1, 'the record that was there');
      await driver.send(outgoing(topic, 0, 'after'));
      await until(() => seen.length === 2, 'the record that came later');
      abort.abort();
      await following;
      expect(seen).toEqual(['before', 'after']);
    });

    it('gives several readers of one partition the same records', async () => {
      const topic = await fixture.newTopic(1);
      await driver.send(...series(topic, 0, 'r', 200));
      const [one, two] = await Promise.all([driver.readAll(topic), driver.readAll(topic)]);
      expect(one.map((r) => text(r.value))).toEqual(names('r', 200));
      expect(two.map((r) => r.offset)).toEqual(one.map((r) => r.offset));
    });
  });

  describe('offsets by time', () => {
    it('finds the first record at or after a time, and the end when there is none', async () => {
      const topic = await fixture.newTopic(1);
      const partition = { topic, partition: 0 };
      for (const [i, timestamp] of [1000, 2000, 3000].entries()) {
        await driver.send(outgoing(topic, 0, `t${i}`, timestamp));
      }
      const [, second, third] = (await driver.readAll(topic)).map((r) => r.offset);
      expect(await fixture.log.offsetAt(partition, 0)).toBe(0);
      expect(await fixture.log.offsetAt(partition, 2000)).toBe(second);
      expect(await fixture.log.offsetAt(partition, 2001)).toBe(third);
      expect(await fixture.log.offsetAt(partition, 3001)).toBe((await fixture.log.offsets(partition)).end);
    });

    it('finds the first in order of offset when times go back and forth', async () => {
      const topic = await fixture.newTopic(1);
      for (const timestamp of [5000, 1000, 9000, 6000]) {
        await driver.send(outgoing(topic, 0, String(timestamp), timestamp));
      }
      const offsets = (await driver.readAll(topic)).map((r) => r.offset);
      expect(await fixture.log.offsetAt({ topic, partition: 0 }, 5000)).toBe(offsets[0]);
      expect(await fixture.log.offsetAt({ topic, partition: 0 }, 6000)).toBe(offsets[2]);
    });
  });

  describe('opening again', () => {
    it('has every record and every committed offset it had before', async () => {
      if (fixture.reopen === undefined) {
        return;
      }
      const topic = await fixture.newTopic(2);
      const groupId = `group-${randomUUID()}`;
      await driver.send(...series(topic, 0, 'a', 20), ...series(topic, 1, 'b', 20));
      const { member } = await driver.joinAndHold({ groupId, topics: { names: [topic] } }, 2);
      await member.commit([{ topic, partition: 1, offset: 7 }]);
      const log = await driver.reopen();
      expect(await driver.readTexts({ topic, partition: 0 })).toEqual(names('a', 20));
      expect(await driver.readTexts({ topic, partition: 1 })).toEqual(names('b', 20));
      expect((await log.committed(groupId)).get(`${topic}-1`)).toBe(7);
      await driver.send(outgoing(topic, 0, 'later'));
      expect((await driver.readTexts({ topic, partition: 0 })).at(-1)).toBe('later');
    });
  });
}

function expectRising(records: readonly LogRecord[]): void {
  for (let i = 1; i < records.length; i++) {
    expect(records[i]?.offset).toBeGreaterThan(records[i - 1]?.offset ?? Number.NaN);
  }
}
