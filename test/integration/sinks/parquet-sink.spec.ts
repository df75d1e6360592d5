import { randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { jest } from '@jest/globals';
import { parquetReadObjects } from 'hyparquet';
import { DirectoryObjectStore } from '../../../src/connectors/file/directory-object-store.js';
import { ParquetSink, type ParquetSinkOptions } from '../../../src/connectors/parquet/parquet-sink.js';
import { S3ObjectStore } from '../../../src/connectors/s3/s3-object-store.js';
import { systemClock } from '../../../src/connectors/system-clock.js';
import type { ClaimingStore } from '../../../src/runtime/ports/object-store.js';
import type { PlacedAlert } from '../../../src/runtime/sinks/alert-sink.js';
import { ManualClock } from '../../../src/runtime/testing/manual-clock.js';
import { describeSink, someAlert } from '../../contracts/sink-contract.js';
import { type S3, SERVER_START_MS, startS3 } from '../../harness/servers/index.js';
import { TcpProxy } from '../../harness/tcp-proxy.js';

jest.setTimeout(SERVER_START_MS);

const openFolder = (directory: string) => () => DirectoryObjectStore.open({ directory, unfinished: '_unfinished' });
const sinkFor = (open: () => Promise<ClaimingStore>, over: Partial<ParquetSinkOptions> = {}) =>
  new ParquetSink({ name: 'lake', open, clock: systemClock, everyMs: 50, rows: 1_000, ...over });

type Row = Readonly<Record<string, unknown>>;

/** All rows of the table, by file. */
async function filesOf(store: ClaimingStore): Promise<ReadonlyMap<string, readonly Row[]>> {
  const files = new Map<string, readonly Row[]>();
  for (const name of await store.list('dt=')) {
    const bytes = await store.get(name);
    files.set(name, await parquetReadObjects({ file: new Uint8Array(bytes!).buffer }));
  }
  return files;
}

async function writtenIn(store: ClaimingStore) {
  const rows = [...(await filesOf(store)).values()].flat();
  return rows.map(({ id, key_value }) => ({ id: String(id), key: String(key_value) }));
}

describeSink('a table of Parquet files in a folder', {
  place: async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'stakeout-table-'));
    const aside = `${directory}-aside`;
    const reader = await openFolder(directory)();
    return {
      sink: async () => sinkFor(openFolder(directory)),
      written: () => writtenIn(reader),
      away: async () => {
        renameSync(directory, aside);
        writeFileSync(directory, 'no folder');
      },
      back: async () => {
        rmSync(directory);
        renameSync(aside, directory);
      },
      close: async () => rmSync(directory, { recursive: true }),
    };
  },
});

describe('in a bucket', () => {
  let server: S3;
  const bucket = `table-${randomUUID()}`;

  beforeAll(async () => {
    server = await startS3();
    const { endpoint, ...credentials } = server;
    const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
  });
  afterAll(() => server.stop());

  describeSink('a table of Parquet files in S3', {
    place: async () => {
      const { accessKeyId, secretAccessKey, endpoint } = server;
      const { proxy, url } = await TcpProxy.before(endpoint);
      const at = { bucket, prefix: randomUUID(), region: 'us-east-1', pathStyle: true, accessKeyId, secretAccessKey };
      const reader = new S3ObjectStore({ ...at, endpoint });
      return {
        sink: async () => sinkFor(async () => new S3ObjectStore({ ...at, endpoint: url, attempts: 1 })),
        written: () => writtenIn(reader),
        away: async () => proxy.cut(),
        back: async () => proxy.mend(),
        close: async () => {
          await reader.close();
          await proxy.close();
        },
      };
    },
  });
});

describe('a table of Parquet files', () => {
  const partition = { topic: 'alerts', partition: 3 };
  const JANUARY = Date.UTC(2026, 0, 31, 23);
  let directory: string;
  let store: ClaimingStore;
  let clock: ManualClock;

  beforeEach(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'stakeout-table-'));
    store = await openFolder(directory)();
    clock = new ManualClock(1_000);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const sinkOf = (over: Partial<ParquetSinkOptions> = {}) =>
    sinkFor(openFolder(directory), { clock, everyMs: 60_000, rows: 10, ...over });
  /** Alerts at these offsets, one an hour. */
  const placed = (...offsets: number[]): PlacedAlert[] =>
    offsets.map((offset) => ({ offset, alert: someAlert(offset, { detectedAt: JANUARY + offset * 3_600_000 }) }));
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const idsIn = async () => (await writtenIn(store)).map(({ id }) => Number.parseInt(id, 16)).sort((a, b) => a - b);
  const file = (day: string, from: number, to: number) =>
    `dt=${day}/alerts-3-${String(from).padStart(16, '0')}-${String(to).padStart(16, '0')}.parquet`;

  it('has a folder for each day of detection, and files named by their offsets', async () => {
    const sink = sinkOf();
    expect(await sink.take(partition, placed(0, 2), 4)).toBe(0);
    expect(await filesOf(store)).toEqual(new Map());
    clock.advance(60_000);
    expect(await sink.flush(partition)).toBe(4);
    const files = await filesOf(store);
    expect([...files.keys()]).toEqual([file('2026-01-31', 0, 4), file('2026-02-01', 0, 4)]);
    expect(files.get(file('2026-01-31', 0, 4))).toMatchObject([
      {
        ...{ id: someAlert(0).id, pattern_id: 'spend-by-hour', score: 0, key_value: 'acc-0', severity: 'high' },
        detected_at: new Date(JANUARY),
        features: JSON.stringify(someAlert(0).features),
      },
    ]);
    expect(files.get(file('2026-02-01', 0, 4))).toMatchObject([{ features: null }]);
  });

  it('has a file finished when there are enough alerts, also where they come one by one', async () => {
    const sink = sinkOf();
    for (const n of range(0, 9)) expect(await sink.take(partition, placed(n), n + 1)).toBe(0);
    expect(await sink.take(partition, placed(9), 10)).toBe(10);
    expect(await sink.take(partition, [], 17)).toBe(17);
  });

  it('takes nothing twice that comes again after a failure', async () => {
    const sink = sinkOf();
    await sink.take(partition, placed(...range(0, 5)), 5);
    await sink.take(partition, placed(...range(0, 7)), 7);
    await sink.flush(partition);
    expect(await idsIn()).toEqual(range(0, 7));
  });

  it.each([0, 1, 2])('has each alert once when a member dies after %s of its files', async (written) => {
    let puts = 0;
    const dying = await openFolder(directory)();
    const put = dying.put.bind(dying);
    dying.put = async (name, bytes) => {
      if (puts++ >= written) throw new Error('killed');
      await put(name, bytes);
    };
    // Three days.
    const first = sinkFor(async () => dying, { clock, rows: 30 });
    await expect(first.take(partition, placed(...range(0, 30)), 31)).rejects.toThrow('killed');
    // Whoever is next gets the same in other pieces.
    const second = sinkOf({ rows: 1_000 });
    expect(await second.take(partition, placed(...range(0, 20)), 20)).toBe(0);
    expect(await second.take(partition, placed(...range(20, 40)), 40)).toBe(31);
    expect(await second.flush(partition)).toBe(40);
    expect(await idsIn()).toEqual(range(0, 40));
    expect([...(await filesOf(store)).keys()]).toContain(file('2026-01-31', 0, 31));
  });

  it('has each alert once when two members hold the partition at the same time', async () => {
    const [one, two] = [sinkOf({ rows: 1_000 }), sinkOf({ rows: 1_000 })];
    await one.take(partition, placed(...range(5, 12)), 12);
    await two.take(partition, [], 5);
    await two.take(partition, placed(...range(5, 20)), 20);
    expect(await two.flush(partition)).toBe(20);
    // The first claims the same beginning, finds the second's claim, and waits for the rest of it.
    expect(await one.flush(partition)).toBe(5);
    expect(await one.take(partition, placed(...range(12, 25)), 25)).toBe(20);
    expect(await one.flush(partition)).toBe(25);
    expect(await two.take(partition, placed(...range(20, 30)), 30)).toBe(20);
    expect(await two.flush(partition)).toBe(25);
    expect(await two.flush(partition)).toBe(30);
    expect(await idsIn()).toEqual(range(5, 30));
  });

  it('begins anew with what it is given after the partition was elsewhere', async () => {
    const sink = sinkOf();
    await sink.take(partition, placed(0, 1), 2);
    sink.release(partition);
    expect(await sink.flush(partition)).toBe(0);
    const other = sinkOf();
    await other.take(partition, placed(0, 1, 2), 3);
    await other.flush(partition);
    await sink.take(partition, placed(3), 4);
    await sink.flush(partition);
    expect(await idsIn()).toEqual([0, 1, 2, 3]);
  });
});
