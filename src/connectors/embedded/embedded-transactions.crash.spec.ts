import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../../../test/harness/child.js';
import { LogUnderTest } from '../../../test/harness/log-folder.js';
import { RecordingListener } from '../../../test/harness/recording-listener.js';
import { until } from '../../../test/harness/until.js';
import type { EmbeddedLog } from './embedded-log.js';

const TARGETS = [
  { topic: 'a', partition: 0 },
  { topic: 'a', partition: 1 },
  { topic: 'b', partition: 0 },
];
const FIRST = '00000000000000000000-0000.log';
const FILES = ['topics/a/0', 'topics/a/1', 'topics/b/0', 'offsets'].map((folder) => join(folder, FIRST));

/** From one size to another, both included, in steps that fall on all kinds of fields; `transaction-format.spec.ts` takes each byte. */
function sizes(from: number, to: number): number[] {
  const result = [to];
  for (let size = from; size < to; size += 7) result.unshift(size);
  return result;
}

async function valuesOf(log: EmbeddedLog, target: { topic: string; partition: number }): Promise<string[]> {
  const values: string[] = [];
  for await (const { records } of log.read(target, 0)) {
    values.push(...records.map((r) => Buffer.from(r.value ?? []).toString()));
  }
  return values;
}

/** What each partition has, and the committed offset. */
async function contents(log: EmbeddedLog): Promise<{ values: string[][]; committed: number | undefined }> {
  const values = await Promise.all(TARGETS.map((target) => valuesOf(log, target)));
  return { values, committed: (await log.committed('g')).get('source-0') };
}

async function opened(log: EmbeddedLog) {
  await log.createTopic({ name: 'source', partitions: 1 });
  await log.createTopic({ name: 'a', partitions: 2 });
  await log.createTopic({ name: 'b', partitions: 1 });
  const listener = new RecordingListener();
  const member = await log.join({ groupId: 'g', topics: { names: ['source'] }, start: { at: 'earliest' } }, listener);
  await until(() => listener.held.size === 1, 'the partition of the source');
  const transactions = await log.transactionalProducer();
  /** `count` records to each partition; the offset is `offset`. */
  const commit = (name: string, count: number, offset: number) =>
    transactions.commit(
      member,
      TARGETS.flatMap((target) =>
        Array.from({ length: count }, (_, i) => ({ ...target, key: null, value: Buffer.from(`${name}${i}`) })),
      ),
      [{ topic: 'source', partition: 0, offset }],
    );
  return { commit };
}

describe('transactions of the embedded log after a crash or damage', () => {
  let folder: LogUnderTest;
  const at = (name: string) => join(folder.directory, name);

  beforeEach(async () => {
    folder = await LogUnderTest.make();
  });

  afterEach(() => folder.remove());

  /** Files as they are now, by name; what a process that dies now leaves. */
  const snapshot = async (): Promise<Map<string, Buffer>> =>
    new Map(await Promise.all([...FILES, 'transactions'].map(async (f) => [f, await readFile(at(f))] as const)));

  /** Puts files back as they were, without any index. */
  const restore = async (files: ReadonlyMap<string, Buffer>) => {
    for (const [name, content] of files) {
      await rm(at(name.replace('.log', '.index')), { force: true });
      await writeFile(at(name), content);
    }
  };

  /** One transaction of two records a partition is there for good; `before` and `after` a second of three. */
  const aroundCommit = async () => {
    const log = await folder.open();
    const { commit } = await opened(log);
    await commit('old', 2, 1);
    const before = await snapshot();
    await commit('new', 3, 2);
    const after = await snapshot();
    await log.close();
    return { before, after };
  };

  const old = ['old0', 'old1'];
  const nothing = { values: [old, old, old], committed: 1 };
  const all = { values: TARGETS.map(() => [...old, 'new0', 'new1', 'new2']), committed: 2 };

  const reopened = async () => {
    const log = await folder.open();
    const found = await contents(log);
    await log.close();
    return found;
  };

  it('has nothing of a transaction whose record was cut short, wherever that was', async () => {
    const { before, after } = await aroundCommit();
    const whole = after.get('transactions') as Buffer;
    const start = (before.get('transactions') as Buffer).length;
    expect(whole.length).toBeGreaterThan(start + 400);
    for (const size of sizes(start, whole.length - 1)) {
      await restore(new Map(before).set('transactions', whole.subarray(0, size)));
      expect({ size, ...(await reopened()) }).toEqual({ size, ...nothing });
    }
    await restore(new Map(before).set('transactions', whole));
    expect(await reopened()).toEqual(all);
    expect((await readFile(at('transactions'))).length).toBe(0);
  });

  it('has all of a transaction whose record is whole, wherever the writing of its partitions stopped', async () => {
    const { before, after } = await aroundCommit();
    for (const torn of FILES) {
      const whole = after.get(torn) as Buffer;
      for (const size of sizes((before.get(torn) as Buffer).length, whole.length)) {
        const files = new Map(before).set('transactions', after.get('transactions') as Buffer);
        // Others are there already, whole: the first two of the list.
        for (const other of FILES.slice(0, 2)) files.set(other, after.get(other) as Buffer);
        await restore(files.set(torn, whole.subarray(0, size)));
        expect({ torn, size, ...(await reopened()) }).toEqual({ torn, size, ...all });
      }
    }
  });

  it('has all of it when the folder is opened again after a crash while it was being opened', async () => {
    const { before, after } = await aroundCommit();
    const redo = after.get('transactions') as Buffer;
    await restore(new Map(before).set('transactions', redo));
    await reopened();
    const repaired = await snapshot();
    for (const torn of FILES) {
      const files = new Map(before).set(torn, (repaired.get(torn) as Buffer).subarray(0, -5));
      await restore(files.set('transactions', redo));
      expect(await reopened()).toEqual(all);
    }
  });

  it('changes nothing when all is there already, and goes on after it', async () => {
    const { after } = await aroundCommit();
    await restore(after);
    const log = await folder.open();
    expect(await contents(log)).toEqual(all);
    await (await opened(log)).commit('next', 1, 3);
    await log.close();
    expect(await reopened()).toEqual({ values: all.values.map((v) => [...v, 'next0']), committed: 3 });
  });

  it('keeps what plain producers wrote after a transaction, and does not apply it twice', async () => {
    const log = await folder.open();
    const { commit } = await opened(log);
    await commit('t', 2, 1);
    const plain = await log.producer();
    await plain.send(TARGETS.map((target) => ({ ...target, key: null, value: Buffer.from('plain') })));
    await commit('u', 1, 2);
    const files = await snapshot();
    await log.close();
    await restore(files);
    const expected = { values: TARGETS.map(() => ['t0', 't1', 'plain', 'u0']), committed: 2 };
    expect(await reopened()).toEqual(expected);
    // The last write of one partition did not reach the disk.
    await restore(new Map(files).set(FILES[0] as string, (files.get(FILES[0] as string) as Buffer).subarray(0, -1)));
    expect(await reopened()).toEqual(expected);
  });

  it('does not open when a transaction is damaged that others were committed after, and opens without the file', async () => {
    const { after } = await aroundCommit();
    await restore(after);
    await folder.damage(at('transactions'), (content) => {
      content[30] = (content[30] as number) ^ 1;
      return content;
    });
    await expect(folder.open()).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      message: expect.stringMatching(/transactions is damaged at byte 0, .*move the file away and start again/),
    });
    // Trying to open it took nothing away.
    expect((await readFile(at('transactions'))).length).toBe((after.get('transactions') as Buffer).length);
    await rm(at('transactions'));
    expect(await reopened()).toEqual(all);
  });

  it('says so and goes on when records before a transaction are gone, and when its topic is', async () => {
    const { before, after } = await aroundCommit();
    await restore(new Map(before).set('transactions', after.get('transactions') as Buffer));
    await rm(at('topics/b'), { recursive: true });
    await truncate(at(FILES[0] as string), 0);
    // As after a power failure with `fsync: interval`: only the last transaction is left in the file.
    const start = (before.get('transactions') as Buffer).length;
    await folder.damage(at('transactions'), (content) => content.subarray(start));
    const log = await folder.open();
    expect(folder.troubles).toEqual([
      'topics/a/0 has lost its records from offset 0 to 2; a transaction follows them',
      expect.stringContaining('their partition topics/b/0 is not there any more'),
    ]);
    expect(await valuesOf(log, { topic: 'a', partition: 0 })).toEqual(['new0', 'new1', 'new2']);
    expect(await valuesOf(log, { topic: 'a', partition: 1 })).toEqual([...old, 'new0', 'new1', 'new2']);
    expect(await log.offsets({ topic: 'a', partition: 0 })).toEqual({ begin: 0, end: 5 });
    await log.close();
  });

  it('has each transaction whole or not at all, and each one acknowledged, however often the process is killed', async () => {
    const acknowledged: number[] = [];
    for (let round = 0; round < 6; round++) {
      const child = Child.start('commit-transactions.ts', [folder.directory]);
      await child.untilLines(40 + 37 * round);
      await child.kill();
      acknowledged.push(...child.lines.slice(1).map(Number));
      const log = await folder.open();
      const { values, committed = 0 } = await contents(log);
      const numbers = values.map((v) => v.filter((text) => !text.startsWith('plain')).map(Number));
      expect(numbers).toEqual(numbers.map(() => Array.from({ length: committed }, (_, i) => i)));
      expect(Math.max(...acknowledged)).toBeLessThan(committed);
      await log.close();
    }
    expect((await readdir(at('topics/a/0'))).filter((n) => n.endsWith('.log')).length).toBeGreaterThan(1);
  });

  it('says that the disk is full, and has nothing of what did not fit, when the file of transactions cannot grow', async () => {
    // Values so large that the file, which holds all partitions' records, is the first to reach the limit.
    const child = Child.start('commit-transactions.ts', [folder.directory, '3000', '100000'], 400_000);
    await child.end();
    expect(child.lines.at(-1)).toMatch(/^failed LOG_TRANSACTION_ABORTED no room to write .*transactions .*Free space/);
    const acknowledged = child.lines.slice(1, -1).map(Number);
    expect(acknowledged.length).toBeGreaterThan(20);
    const log = await folder.open();
    const { values, committed } = await contents(log);
    expect(values.map((v) => v.map(Number))).toEqual(TARGETS.map(() => acknowledged));
    expect(committed).toBe(acknowledged.length);
    await log.close();
  });

  it('takes a transaction back whose partitions have no room, and takes it when there is room again', async () => {
    const log = await folder.open();
    const { commit } = await opened(log);
    await commit('old', 2, 1);
    // So large that this partition reaches the limit before the file of transactions does.
    const plain = await log.producer();
    await plain.send([{ topic: 'b', partition: 0, key: null, value: Buffer.alloc(100_000) }]);
    await log.close();
    const child = Child.start('commit-transactions.ts', [folder.directory, '3000', '100000000'], 130_000);
    await child.end();
    expect(child.lines.at(-1)).toMatch(/^failed LOG_TRANSACTION_ABORTED no room/);
    const acknowledged = child.lines.slice(1, -1).map(Number);
    expect(acknowledged.length).toBeGreaterThan(5);
    expect((await readFile(at('transactions'))).length).toBeLessThan(110_000);
    const again = await folder.open();
    const { values, committed } = await contents(again);
    const expected = acknowledged.length + old.length;
    expect(values.map((v) => v.length)).toEqual([expected, expected, expected + 1]);
    expect(committed).toBe((acknowledged.at(-1) as number) + 1);
    await (await opened(again)).commit('fits', 1, 99);
    expect((await contents(again)).committed).toBe(99);
    await again.close();
  });
});
