import type { FileHandle } from 'node:fs/promises';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogError } from '../../../runtime/local-log/log-error.js';
import { ManualClock } from '../../../runtime/testing/manual-clock.js';
import { PartitionLog } from '../partition/partition-log.js';
import { TailCache } from '../partition/tail-cache.js';
import { findTransactions } from './transaction-format.js';
import { TransactionLog } from './transaction-log.js';

const MIB = 1024 * 1024;

describe('transactions over partitions', () => {
  let directory: string;
  let a: PartitionLog;
  let b: PartitionLog;
  let transactions: TransactionLog;
  const troubles: LogError[] = [];
  const path = () => join(directory, 'transactions');

  const settings = {
    clock: new ManualClock(0),
    fsync: 'always' as const,
    fsyncIntervalMs: 100,
    segmentBytes: 8 * MIB,
    retentionMs: Number.POSITIVE_INFINITY,
    retentionBytes: Number.POSITIVE_INFINITY,
    compacted: false,
    cache: new TailCache(MIB),
    onTrouble: (error: LogError) => void troubles.push(error),
  };

  const openPartition = async (name: string) => {
    await mkdir(join(directory, name), { recursive: true });
    return PartitionLog.open(join(directory, name), settings);
  };
  const open = async () => {
    [a, b] = await Promise.all([openPartition('a'), openPartition('b')]);
    transactions = await TransactionLog.open(path(), settings);
    transactions.add('a', a);
    transactions.add('b', b);
    await transactions.recover();
  };
  const close = async () => {
    await transactions.close();
    await Promise.all([a.close(), b.close()]);
  };

  beforeEach(async () => {
    troubles.length = 0;
    directory = await mkdtemp(join(tmpdir(), 'stakeout-log-'));
    await open();
  });

  afterEach(() => rm(directory, { recursive: true }));

  const records = (count: number, bytes = 10) =>
    Array.from({ length: count }, () => ({ timestamp: 0, key: null, value: Buffer.alloc(bytes), headers: null }));
  const commit = (ofA: number, ofB: number, onCommitted: () => void = () => undefined, bytes?: number) =>
    transactions.commit(
      new Map([
        [a, records(ofA, bytes)],
        [b, records(ofB, bytes)],
      ]),
      onCommitted,
    );
  /** What the next writes to the file of transactions meet. */
  const failing = (method: 'datasync' | 'truncate') => {
    const { file } = transactions as unknown as { file: FileHandle };
    file[method] = () => Promise.reject(Object.assign(new Error('the disk is broken'), { code: 'EIO' }));
  };

  it('moves all ends in one turn, and tells so in the same', async () => {
    const seen: number[][] = [];
    const look = () => void seen.push([a.end, b.end]);
    b.subscribe(look);
    await commit(2, 3, look);
    expect(seen).toEqual([
      [2, 3],
      [2, 3],
    ]);
    await close();
  });

  it('writes transactions that come while one is being written as one', async () => {
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((i) => commit(1, 1, () => order.push(i))));
    expect(order).toEqual([1, 2, 3, 4]);
    expect(findTransactions(await readFile(path())).transactions).toHaveLength(1);
    expect([a.end, b.end]).toEqual([4, 4]);
    await close();
  });

  it('commits nothing of a transaction with a record that cannot be kept, and goes on', async () => {
    const large = transactions.commit(
      new Map([
        [a, records(1)],
        [b, records(1, 17 * MIB)],
      ]),
      () => undefined,
    );
    await expect(large).rejects.toMatchObject({ code: 'LOG_RECORD_TOO_LARGE' });
    await commit(1, 1);
    expect([a.end, b.end]).toEqual([1, 1]);
    await close();
  });

  it('empties its file when that is large, with all in the partitions', async () => {
    let largest = 0;
    for (let i = 0; i < 10; i++) {
      await commit(4, 4, undefined, MIB / 2);
      largest = Math.max(largest, (await stat(path())).size);
    }
    expect(largest).toBeGreaterThan(28 * MIB);
    expect((await stat(path())).size).toBeLessThan(12 * MIB);
    await close();
    expect((await stat(path())).size).toBe(0);
    await open();
    expect([a.end, b.end]).toEqual([40, 40]);
    await close();
  });

  it('stops where it cannot be known whether a transaction is on the disk, and knows when it is opened again', async () => {
    await commit(1, 1);
    failing('datasync');
    let committed = false;
    const unknown = commit(2, 2, () => {
      committed = true;
    });
    await expect(unknown).rejects.toMatchObject({ code: 'LOG_IO', message: expect.stringContaining('Start again') });
    expect(committed).toBe(false);
    expect([a.end, b.end]).toEqual([1, 1]);
    // What plain producers appended now would be mistaken for it.
    await expect(a.append(records(1))).rejects.toMatchObject({ code: 'LOG_IO' });
    await expect(commit(1, 1)).rejects.toMatchObject({ code: 'LOG_IO' });
    await close();
    await open();
    expect([a.end, b.end]).toEqual([3, 3]);
    await close();
  });

  it('reports that its file cannot be emptied, and keeps what it holds', async () => {
    failing('truncate');
    for (let i = 0; i < 8; i++) await commit(4, 4, undefined, MIB / 2);
    await expect(commit(1, 1)).rejects.toMatchObject({ code: 'LOG_IO' });
    expect(troubles).toEqual([expect.objectContaining({ code: 'LOG_IO', message: expect.stringContaining('empty') })]);
    await close();
    expect(findTransactions(await readFile(path())).transactions).toHaveLength(8);
    await open();
    expect([a.end, b.end]).toEqual([32, 32]);
    await close();
  });
});
