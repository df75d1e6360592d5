import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { append, LogUnderTest } from '../../../../test/harness/log-folder.js';
import type { LogReader } from '../../../runtime/ports/log.js';
import { ManualClock } from '../../../runtime/testing/manual-clock.js';
import { LogFolderReader } from './log-folder-reader.js';

const P = { topic: 't', partition: 0 };
const values = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

async function valuesOf(log: LogReader, from = 0, to?: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { records } of log.read(P, from, to === undefined ? {} : { to })) {
    found.push(...records.map(({ value }) => String(Buffer.from(value!))));
  }
  return found;
}

describe('reading the folder of an embedded log beside the process that has it open', () => {
  let folder: LogUnderTest;

  beforeEach(async () => {
    folder = await LogUnderTest.make();
  });

  afterEach(() => folder.remove());

  it('gives what was written, segment by segment, from any offset and up to any', async () => {
    const log = await folder.open({ segmentBytes: 300 });
    await log.createTopic({ name: 't', partitions: 1 });
    for (const value of values('v', 40)) await append(log, [value]);
    const reader = new LogFolderReader(folder.directory);
    expect(await reader.topics()).toEqual([{ name: 't', partitions: 1 }]);
    expect(await reader.offsets(P)).toEqual({ begin: 0, end: 40 });
    expect(await valuesOf(reader)).toEqual(values('v', 40));
    expect(await valuesOf(reader, 13, 31)).toEqual(values('v', 40).slice(13, 31));
    await append(log, ['later']);
    expect(await valuesOf(reader)).toEqual(values('v', 40));
    expect((await valuesOf(new LogFolderReader(folder.directory))).at(-1)).toBe('later');
    await log.close();
  });

  it('finds the first record at or after a time', async () => {
    const log = await folder.open({ clock: new ManualClock(5000), segmentBytes: 200 });
    await log.createTopic({ name: 't', partitions: 1 });
    const producer = await log.producer();
    for (let i = 0; i < 20; i++) await producer.send([{ ...P, key: null, value: Buffer.from('x'), timestamp: i * 10 }]);
    const reader = new LogFolderReader(folder.directory);
    for (const time of [0, 1, 95, 190, 191]) {
      expect(await reader.offsetAt(P, time)).toBe(await log.offsetAt(P, time));
    }
    await log.close();
  });

  it('leaves a batch alone that is not whole yet', async () => {
    const log = await folder.open({});
    await log.createTopic({ name: 't', partitions: 1 });
    await append(log, ['a', 'b']);
    const partition = join(folder.directory, 'topics', 't', '0');
    const file = join(partition, (await readdir(partition)).find((name) => name.endsWith('.log'))!);
    await appendFile(file, Buffer.from('a batch that is being written'));
    expect(await valuesOf(new LogFolderReader(folder.directory))).toEqual(['a', 'b']);
    await log.close();
  });

  it('has no topics where there is no folder, and refuses a folder that is something else', async () => {
    expect(await new LogFolderReader(join(folder.directory, 'none')).topics()).toEqual([]);
    await appendFile(join(folder.directory, 'other.txt'), 'x');
    await expect(new LogFolderReader(folder.directory).topics()).rejects.toMatchObject({ code: 'LOG_FOREIGN' });
  });
});
