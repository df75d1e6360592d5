import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { append, LogUnderTest, readValues } from '../../../test/harness/log-folder.js';
import { RecordingListener } from '../../../test/harness/recording-listener.js';
import { until } from '../../../test/harness/until.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';

const P = { topic: 't', partition: 0 };
const HOUR_MS = 3_600_000;
const values = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('the embedded log', () => {
  let folder: LogUnderTest;

  beforeEach(async () => {
    folder = await LogUnderTest.make();
  });

  afterEach(() => folder.remove());

  it('deletes whole segments whose records were appended too long ago', async () => {
    const clock = new ManualClock(1_000_000);
    const log = await folder.open({ clock, segmentBytes: 500, retentionMs: 24 * HOUR_MS });
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, values('old', 40));
    clock.advance(20 * HOUR_MS);
    await append(log, values('new', 40));
    expect((await log.offsets(P)).begin).toBe(0);
    clock.advance(10 * HOUR_MS);
    await until(async () => (await log.offsets(P)).begin > 0, 'old segments to be deleted');
    const { begin, end } = await log.offsets(P);
    expect(end).toBe(80);
    expect(begin).toBeGreaterThan(30);
    expect(begin).toBeLessThanOrEqual(40);
    expect((await readValues(log)).slice(-40)).toEqual(values('new', 40));

    clock.advance(30 * HOUR_MS);
    await until(
      async () => (await log.offsets(P)).begin === 80,
      'the segment that was appended to last to be deleted too',
    );
    expect(await readValues(log)).toEqual([]);
    await append(log, ['after']);
    await log.close();
    const again = await folder.open({ clock });
    expect(await again.offsets(P)).toEqual({ begin: 80, end: 81 });
    await again.close();
  });

  it('keeps history that is loaded today, however old its timestamps', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const log = await folder.open({ clock, segmentBytes: 300 });
    await log.createTopic({ name: 't', partitions: 1, retentionMs: HOUR_MS });
    const producer = await log.producer();
    for (const value of values('history', 20)) {
      await producer.send([{ ...P, key: null, value: Buffer.from(value), timestamp: 1_500_000_000_000 }]);
    }
    clock.advance(HOUR_MS / 2);
    expect(await readValues(log)).toEqual(values('history', 20));
    await log.close();
  });

  it('deletes the oldest segments beyond a number of bytes', async () => {
    const log = await folder.open({ segmentBytes: 500, retentionBytes: 2000 });
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, values('r', 100));
    await until(async () => (await folder.segments()).length <= 6, 'old segments to be deleted');
    const { begin, end } = await log.offsets(P);
    expect(end).toBe(100);
    expect(begin).toBeGreaterThan(50);
    expect(await readValues(log)).toEqual(values('r', 100).slice(begin));
    await log.close();
  });

  it('goes on reading at the first record that is left when retention overtakes a reader', async () => {
    const log = await folder.open({ segmentBytes: 300, retentionBytes: 600, tailCacheBytes: 0 });
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, values('r', 50));
    const { begin } = await log.offsets(P);
    expect(begin).toBeGreaterThan(10);
    expect(await readValues(log, 3)).toEqual(values('r', 50).slice(begin));
    await log.close();
  });

  it('keeps the last record of each key of a compacted topic, under its offset', async () => {
    const log = await folder.open({ segmentBytes: 2000 });
    await log.createTopic({ name: 't', partitions: 1, compacted: true });
    for (let round = 0; round < 60; round++) {
      await append(log, [`a${round}`], 'a');
      await append(log, [`b${round}`], 'b');
    }
    await append(log, ['once'], 'c');
    await log.close();
    const again = await folder.open({ segmentBytes: 2000 });
    await until(async () => (await readValues(again)).length < 80, 'superseded records to be gone');
    const left = await readValues(again);
    expect(left).toEqual(expect.arrayContaining(['a59', 'b59', 'once']));
    for await (const { records } of again.read(P, 0)) {
      for (const r of records) {
        const value = Buffer.from(r.value ?? []).toString();
        expect(r.offset).toBe(value === 'once' ? 120 : Number(value.slice(1)) * 2 + (value.startsWith('b') ? 1 : 0));
      }
    }
    await again.close();
    const third = await folder.open({ segmentBytes: 2000 });
    expect((await readValues(third)).slice(-3)).toEqual(['a59', 'b59', 'once']);
    await third.close();
  });

  it('keeps committed offsets through many commits, in bounded space', async () => {
    const log = await folder.open();
    await log.createTopic({ name: 't', partitions: 1 });
    const listener = new RecordingListener();
    const member = await log.join({ groupId: 'g', topics: { names: ['t'] }, start: { at: 'earliest' } }, listener);
    await until(() => listener.held.size === 1, 'the partition');
    const metadata = 'x'.repeat(50_000);
    for (let offset = 1; offset <= 100; offset++) {
      await member.commit([{ ...P, offset, metadata }]);
    }
    await log.close();
    const again = await folder.open();
    expect([...(await again.committed('g'))]).toEqual([['t-0', 100]]);
    await again.close();
    const files = (await readdir(join(folder.directory, 'offsets'))).filter((name) => name.endsWith('.log'));
    expect(files.length).toBeLessThanOrEqual(3);
  });

  it('lets many sends share a flush', async () => {
    const log = await folder.open();
    await log.createTopic({ name: 't', partitions: 1 });
    const producer = await log.producer();
    await Promise.all(
      values('r', 1000).map((value) => producer.send([{ ...P, key: null, value: Buffer.from(value) }])),
    );
    expect(await readValues(log)).toEqual(values('r', 1000));
    await log.close();
    const content = await readFile((await folder.segments())[0] as string);
    expect(content.toString('latin1').split('STKB').length - 1).toBeLessThan(20);
  });

  it('lets others have their turn while a member catches up from memory', async () => {
    const log = await folder.open();
    await log.createTopic({ name: 't', partitions: 1 });
    const producer = await log.producer();
    for (let i = 0; i < 20; i++) {
      await producer.send(values(`${i}-`, 1000).map((value) => ({ ...P, key: null, value: Buffer.from(value) })));
    }
    const listener = new RecordingListener();
    await log.join({ groupId: 'g', topics: { names: ['t'] }, start: { at: 'earliest' } }, listener);
    const seenByTurn: number[] = [];
    while (listener.received.length < 20_000) {
      seenByTurn.push(listener.received.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(seenByTurn).size).toBeGreaterThan(5);
    await log.close();
  });

  it('finds offsets and times in many segments without reading from the start', async () => {
    const log = await folder.open({ segmentBytes: 200_000, tailCacheBytes: 0 });
    await log.createTopic({ name: 't', partitions: 1 });
    const producer = await log.producer();
    for (let i = 0; i < 20; i++) {
      await producer.send(
        Array.from({ length: 500 }, (_, k) => ({
          ...P,
          key: null,
          value: Buffer.from(String(i * 500 + k).padStart(100)),
          timestamp: 10 * (i * 500 + k),
        })),
      );
    }
    for (const offset of [0, 1, 499, 500, 4321, 9998, 9999]) {
      expect((await readValues(log, offset))[0]?.trim()).toBe(String(offset));
      expect(await log.offsetAt(P, offset * 10)).toBe(offset);
      expect(await log.offsetAt(P, offset * 10 - 5)).toBe(offset);
    }
    expect(await log.offsetAt(P, 99_991)).toBe(10_000);
    expect(await readValues(log)).toHaveLength(10_000);
    await log.close();
  });

  it('finds the first record of a time also when a later time came before it', async () => {
    const log = await folder.open({ tailCacheBytes: 0 });
    await log.createTopic({ name: 't', partitions: 1 });
    const producer = await log.producer();
    const value = Buffer.alloc(20_000);
    for (const timestamp of [10, 20, 900, 30, 40, 50, 60, 950, 70, 80]) {
      await producer.send(Array.from({ length: 5 }, () => ({ ...P, key: null, value, timestamp })));
    }
    expect(await log.offsetAt(P, 45)).toBe(10);
    expect(await log.offsetAt(P, 901)).toBe(35);
    expect(await log.offsetAt(P, 15)).toBe(5);
    await log.close();
  });

  it('refuses what it cannot keep, and appends none of it', async () => {
    const log = await folder.open();
    await log.createTopic({ name: 't', partitions: 1 });
    await log.createTopic({ name: 'compacted', partitions: 1, compacted: true });
    const producer = await log.producer();
    const ok = { ...P, key: null, value: Buffer.from('fine') };
    const refused = async (record: Parameters<typeof producer.send>[0][number], code: string) => {
      await expect(producer.send([ok, record])).rejects.toMatchObject({ code });
    };
    await refused({ ...P, key: null, value: Buffer.alloc(17 * 1024 * 1024) }, 'LOG_RECORD_TOO_LARGE');
    await refused({ topic: 'nowhere', key: null, value: null }, 'LOG_UNKNOWN_TOPIC');
    await refused({ topic: 't', partition: 1, key: null, value: null }, 'LOG_UNKNOWN_PARTITION');
    expect((await log.offsets(P)).end).toBe(0);
    await expect(producer.send([{ topic: 'compacted', key: null, value: null }])).rejects.toMatchObject({
      code: 'LOG_KEY_REQUIRED',
    });
    await expect(log.createTopic({ name: '../escape', partitions: 1 })).rejects.toMatchObject({
      code: 'LOG_INVALID_TOPIC',
    });
    await log.close();
    await expect(producer.send([ok])).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  });

  it('touches no folder that is not its own, nor one of a format it does not know', async () => {
    await writeFile(join(folder.directory, 'photo.jpg'), 'precious');
    await expect(folder.open()).rejects.toMatchObject({
      code: 'LOG_FOREIGN',
      message: expect.stringContaining('photo.jpg'),
    });
    expect(await readdir(folder.directory)).toEqual(['photo.jpg']);
    await writeFile(join(folder.directory, 'stakeout-log.json'), '{"format":"stakeout-log","version":99}');
    await expect(folder.open()).rejects.toMatchObject({
      code: 'LOG_FOREIGN',
      message: expect.stringContaining('version 99'),
    });
  });
});
