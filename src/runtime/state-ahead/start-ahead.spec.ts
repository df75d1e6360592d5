import { until } from '../../../test/harness/until.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import type { TopicPartition } from '../ports/log.js';
import { ManualClock } from '../testing/manual-clock.js';
import { AheadStore } from './ahead-store.js';
import { StartAhead, type StartAheadOptions } from './start-ahead.js';

const [A, B, C] = [0, 1, 2].map((partition) => ({ topic: 'payments', partition })) as [
  TopicPartition,
  TopicPartition,
  TopicPartition,
];

describe('a start that waits for its partitions', () => {
  const kit = async (more: Partial<StartAheadOptions> = {}) => {
    const store = new AheadStore(new MemoryStateStore(), 1_000_000, async () => undefined);
    const put = async (of: TopicPartition): Promise<void> => {
      const puts = [{ key: Buffer.from('k'), value: Buffer.from('v') }];
      await (await store.partition(of)).write({ position: 1, cut: Buffer.from('1'), puts, deletes: [] });
    };
    await put(C);
    const [read, reports]: [number[], string[]] = [[], []];
    const readAhead = store.readAhead.bind(store);
    store.readAhead = async (partition) => {
      read.push(partition.partition);
      await readAhead(partition);
    };
    const clock = new ManualClock();
    const start = new StartAhead({
      ...{ store, clock, partitions: async () => [A, B, C], report: (text) => reports.push(text) },
      ...more,
    });
    return { start, store, put, read, reports, clock };
  };

  it('reads what is here, and then what it can have from elsewhere', async () => {
    const followed: number[] = [];
    const it = await kit({
      follow: async (partition) => {
        followed.push(partition.partition);
        if (partition === A) await it.put(A);
        return partition === A;
      },
    });
    it.start.start();
    await it.start.settled();
    expect([followed, it.read]).toEqual([
      [2, 0, 1],
      [2, 0, 1],
    ]);
    expect(it.store.bytesAhead).toBeGreaterThan(0);
    await it.start.stop();
    expect(it.store.bytesAhead).toBe(0);
  });

  it('begins with no other partition once the first have come, and forgets what nobody took', async () => {
    const gate = Promise.withResolvers<void>();
    const { start, store, read, clock } = await kit({ follow: () => gate.promise.then(() => false) });
    start.start();
    start.listener.onPartitions!([], 'assigned');
    start.listener.onPartitions!([B], 'assigned');
    gate.resolve();
    await start.settled();
    expect(read).toEqual([]);
    await store.readAhead(C);
    clock.advance(60_000);
    expect(store.bytesAhead).toBe(0);
  });

  it('keeps what a standby keeps up to date', async () => {
    const { start, store, clock } = await kit({ keeps: true });
    start.start();
    await start.settled();
    start.listener.onPartitions!([B], 'assigned');
    clock.advance(60_000);
    expect(store.bytesAhead).toBeGreaterThan(0);
    await start.stop();
    expect(store.bytesAhead).toBe(0);
  });

  it('does not make a partition that came wait long for a place of copies that does not answer', async () => {
    let asked = false;
    const follow = (_: TopicPartition, stopped: AbortSignal) =>
      new Promise<boolean>((_resolve, reject) => {
        asked = true;
        stopped.addEventListener('abort', () => reject(stopped.reason));
      });
    const { start, clock } = await kit({ follow });
    start.start();
    await until(() => asked, 'the place to be asked');
    start.listener.onPartitions!([C], 'assigned');
    clock.advance(3000);
    await start.settled();
  });

  it('reads what is here where the copies cannot be had, and says so', async () => {
    const { start, read, reports } = await kit({ follow: () => Promise.reject(new Error('no bucket')) });
    start.start();
    await start.settled();
    expect(read).toEqual([2, 0, 1]);
    expect(reports[0]).toContain('no bucket');
    await start.stop();
  });
});
