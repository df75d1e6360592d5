import { appendFile, readFile, rm, stat, truncate } from 'node:fs/promises';
import { Child } from '../../../test/harness/child.js';
import { append, LogUnderTest, readValues } from '../../../test/harness/log-folder.js';

const values = (count: number): string[] => Array.from({ length: count }, (_, i) => `value ${i}`);

describe('the embedded log after a crash or damage', () => {
  let folder: LogUnderTest;

  beforeEach(async () => {
    folder = await LogUnderTest.make();
  });

  afterEach(() => folder.remove());

  /** Writes values and leaves the files as a killed process does: no index of the last segment, the lock still there. */
  const writeUncleanly = async (count: number, segmentBytes?: number) => {
    const log = await folder.open({ segmentBytes });
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, values(count));
    await log.close();
    const last = (await folder.segments()).at(-1) as string;
    await rm(last.replace('.log', '.index'));
    return last;
  };

  it('has every acknowledged record, in order, after the process was killed, and goes on', async () => {
    const child = Child.start('append-records.ts', [folder.directory, '20', '3000']);
    await child.untilLines(600);
    await child.kill();
    const acknowledged = child.lines.slice(1).map(Number);

    const log = await folder.open();
    const numbers = (await readValues(log)).map(Number);
    expect(numbers.length).toBeGreaterThanOrEqual(acknowledged.length);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect(numbers).toEqual(expect.arrayContaining(acknowledged));
    expect((await folder.segments()).length).toBeGreaterThan(3);
    await append(log, ['later']);
    expect((await readValues(log)).at(-1)).toBe('later');
    await log.close();
  });

  it('says that the disk is full, forgets what did not fit, and keeps what was acknowledged', async () => {
    const child = Child.start('append-records.ts', [folder.directory, '5000', '10000000'], 400_000);
    await child.end();
    const failed = child.lines.find((line) => line.startsWith('failed'));
    expect(failed).toMatch(/^failed LOG_DISK_FULL no room to write .*Free space/);
    const acknowledged = child.lines.map(Number).filter((n) => !Number.isNaN(n));
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(child.lines.at(-1)).toBe(`end ${acknowledged.length}`);
    const log = await folder.open();
    const numbers = (await readValues(log)).map(Number);
    expect(numbers).toEqual(acknowledged);
    await append(log, ['fits again']);
    expect(await readValues(log, numbers.length)).toEqual(['fits again']);
    await log.close();
  });

  it('keeps a second process out, says which has it, and takes over when that was killed', async () => {
    const child = Child.start('append-records.ts', [folder.directory]);
    await child.untilLines(1);
    await expect(folder.open()).rejects.toMatchObject({
      code: 'LOG_LOCKED',
      message: expect.stringMatching(/in use by process \d+\. Stop that process, or name another folder\./),
    });
    await child.kill();
    await (await folder.open()).close();
  });

  it('keeps this process from opening it twice', async () => {
    const log = await folder.open();
    await expect(folder.open()).rejects.toMatchObject({
      code: 'LOG_LOCKED',
      message: expect.stringContaining(`in use by process ${process.pid}`),
    });
    await log.close();
    await (await folder.open()).close();
  });

  it('cuts off a write that was cut short, and says so', async () => {
    const last = await writeUncleanly(10);
    const whole = await stat(last);
    await appendFile(last, (await readFile(last)).subarray(0, 60));
    const log = await folder.open();
    expect(folder.troubles).toEqual([expect.stringContaining(`cut 60 bytes off ${last}`)]);
    expect(await readValues(log)).toEqual(values(10));
    await append(log, ['later']);
    await log.close();
    expect((await stat(last)).size).toBeGreaterThan(whole.size);
    const again = await folder.open();
    expect(await readValues(again)).toEqual([...values(10), 'later']);
    await again.close();
  });

  it('cuts at each byte at which the last write may have been cut short', async () => {
    const last = await writeUncleanly(3);
    const content = await readFile(last);
    const batchBytes = content.length / 3;
    for (let size = content.length - 1; size > content.length - batchBytes; size -= 7) {
      await folder.damage(last, () => content.subarray(0, size));
      const log = await folder.open();
      expect(await readValues(log)).toEqual(values(2));
      await log.close();
      await rm(last.replace('.log', '.index'));
    }
  });

  it('cuts off a whole flush of which only the later half reached the disk', async () => {
    const log = await folder.open();
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, ['kept']);
    const last = (await folder.segments())[0] as string;
    const kept = (await stat(last)).size;
    const producer = await log.producer();
    await producer.send(
      values(3000).map((value) => ({ topic: 't', partition: 0, key: null, value: Buffer.from(value) })),
    );
    await log.close();
    await rm(last.replace('.log', '.index'));
    await folder.damage(last, (content) => content.fill(0, kept, kept + 4096));
    const again = await folder.open();
    expect(await readValues(again)).toEqual(['kept']);
    expect(folder.troubles).toHaveLength(1);
    await again.close();
  });

  it('does not open when a record that was acknowledged is broken, and says where and what to do', async () => {
    const last = await writeUncleanly(10);
    await folder.damage(last, (content) => {
      content[(content.length / 10) * 4 + 70] = 0xff;
      return content;
    });
    await expect(folder.open()).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      message: expect.stringMatching(
        /is damaged at byte \d+, from record offset 4 on: .*move this file and all later ones/,
      ),
    });
  });

  it('does not open when a file is shorter than what was written to it', async () => {
    const log = await folder.open();
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, values(10));
    await log.close();
    const last = (await folder.segments()).at(-1) as string;
    await truncate(last, (await stat(last)).size - 10);
    await expect(folder.open()).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      message: expect.stringContaining(last),
    });
  });

  it('does not open when a file in the middle is missing, and opens when all later ones were moved away too', async () => {
    await writeUncleanly(20, 200);
    const segments = await folder.segments();
    expect(segments.length).toBeGreaterThan(4);
    await rm(segments[2] as string);
    await expect(folder.open()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await Promise.all(segments.slice(3).map((s) => rm(s)));
    const log = await folder.open();
    const left = await readValues(log);
    expect(left.length).toBeGreaterThan(0);
    expect(left).toEqual(values(20).slice(0, left.length));
    await log.close();
  });

  it('finds a flipped bit when the record is read, and delivers nothing from there on', async () => {
    const log = await folder.open({ segmentBytes: 200 });
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, values(20));
    await log.close();
    const second = (await folder.segments())[1] as string;
    await folder.damage(second, (content) => {
      content[60] = (content[60] as number) ^ 1;
      return content;
    });
    const again = await folder.open();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { records } of again.read({ topic: 't', partition: 0 }, 0)) {
        seen.push(...records.map((r) => Buffer.from(r.value ?? []).toString()));
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'LOG_CORRUPT', message: expect.stringContaining(second) });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual(values(20).slice(0, seen.length));
    await again.close();
  });

  it('builds an index again that is missing or broken', async () => {
    await writeUncleanly(40, 300);
    const segments = await folder.segments();
    await rm((segments[0] as string).replace('.log', '.index'));
    await folder.damage((segments[1] as string).replace('.log', '.index'), (content) => content.fill(7, 20, 40));
    const log = await folder.open();
    expect(await readValues(log)).toEqual(values(40));
    expect(await readValues(log, 7)).toEqual(values(40).slice(7));
    await log.close();
    expect(folder.troubles).toEqual([]);
  });
});
