import { until } from '../../../test/harness/until.js';
import type { PartitionStatus } from '../../runtime/detector.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { aService } from '../testing/a-service.js';
import { FakeDetector } from '../testing/fake-detector.js';
import { SavepointJobs, type SavepointSource } from './savepoint-jobs.js';

const memory = { hotKeys: 0, coldKeys: 0, coldBytes: 0, tableBytes: 0 };
const partition: PartitionStatus = {
  ...{
    topic: 'rows',
    partition: 0,
    phase: 'live',
    position: 5,
    endOffset: 5,
    watermark: 1,
    recordTime: 1,
    maxEventTime: 2,
  },
  ...{ idle: false, keys: 1, runs: 1, buffered: 0, memory },
};

function kit(take: SavepointSource['take'], over: Partial<PartitionStatus> = {}) {
  const detector = new FakeDetector();
  detector.set({ partitions: [{ ...partition, ...over }] });
  const calls: string[] = [];
  const withStore = Object.assign(detector, { storeNow: async () => void calls.push('stored') });
  const failures: unknown[] = [];
  const jobs = new SavepointJobs({
    source: {
      take: (path, ...rest) => {
        calls.push(path);
        return take(path, ...rest);
      },
    },
    ...{ detector: () => withStore, clock: new ManualClock(0), folder: '/data/savepoints' },
    onFailure: (error) => void failures.push(error),
  });
  return { jobs, calls, failures };
}

const NAME = '1970-01-01T00-00-00-000Z.savepoint';
const header = { release: '1', createdAt: '1970-01-01T00:00:00.000Z', group: 'g', stream: 's', keyField: null };

describe('savepoints of a running service', () => {
  it('are of what is stored just then, one at a time, and can be asked for by name', async () => {
    const gate = Promise.withResolvers<void>();
    const { jobs, calls } = kit(async (path, partitions, { onProgress }) => {
      onProgress(7);
      await gate.promise;
      const held = partitions.map(({ topic, partition: number }) => ({
        ...{ topic, partition: number, position: 5, committed: 5, watermark: 1 },
        ...{ rules: null, cut: new Uint8Array(), journal: [] },
      }));
      const topics = [{ name: 'rows', partitions: 1 }];
      return {
        path,
        leftOut: [],
        bytes: 99,
        header: { ...header, topics, partitions: held, ruleSets: [] },
        totals: { keys: [7], records: [0] },
      };
    });
    expect(jobs.start()).toMatchObject({ name: NAME, state: 'running' });
    expect(jobs.start()?.name).toBe(NAME);
    await until(() => jobs.get(NAME)?.keysWritten === 7, 'progress');
    gate.resolve();
    await until(() => jobs.get(NAME)?.state === 'done', 'the end');
    expect(calls).toEqual(['stored', `/data/savepoints/${NAME}`]);
    expect(jobs.list()).toEqual([
      {
        ...{ name: NAME, state: 'done', keysWritten: 7, error: null },
        savepoint: {
          ...{ path: `/data/savepoints/${NAME}`, bytes: 99, createdAt: header.createdAt, keys: 7 },
          partitions: [{ topic: 'rows', partition: 0, position: 5, committed: 5, watermark: 1, keys: 7 }],
        },
      },
    ]);
  });

  it('say why they failed, and are given up when the service stops', async () => {
    const { jobs, calls, failures } = kit(
      (_path, _partitions, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    jobs.start();
    await until(() => calls.length === 2, 'the writing to begin');
    await jobs.close();
    expect(jobs.get(NAME)).toMatchObject({ state: 'failed', error: 'the service stops', savepoint: null });
    expect(failures.length).toBe(1);
    expect(jobs.start()).toBeNull();
  });

  it('are not begun while partitions are being restored', () => {
    expect(kit(() => Promise.reject(new Error('unused')), { phase: 'restoring' }).jobs.start()).toBeNull();
  });
});

describe('/v1/savepoints', () => {
  it('says that none can be taken now, and which were asked for', async () => {
    const { service } = await aService();
    await service.start();
    const ask = async (url: string, method: 'GET' | 'POST' = 'GET') => {
      const answer = await service.app.inject({ method, url });
      return [answer.statusCode, answer.json<unknown>()] as const;
    };
    expect(await ask('/v1/savepoints')).toEqual([200, { items: [], nextCursor: null }]);
    expect(await ask('/v1/savepoints', 'POST')).toEqual([503, expect.objectContaining({ code: 'NOT_LIVE' })]);
    expect(await ask(`/v1/savepoints/${NAME}`)).toEqual([404, expect.objectContaining({ code: 'NOT_FOUND' })]);
    await service.stop();
  });
});
