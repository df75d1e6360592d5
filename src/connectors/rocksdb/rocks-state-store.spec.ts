import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStateStoreContract } from '../../../test/contracts/state-store-contract.js';
import { Child } from '../../../test/harness/child.js';
import type { PartitionState } from '../../runtime/ports/state-store.js';
import { RocksStateStore } from './rocks-state-store.js';

const P = { topic: 't', partition: 0 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describeStateStoreContract('the state store on RocksDB', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stakeout-state-'));
  let store = await RocksStateStore.open({ directory });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await RocksStateStore.open({ directory });
      return store;
    },
    dispose: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

describe('the state store on RocksDB', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stakeout-state-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  const writeSome = async () => {
    const store = await RocksStateStore.open({ directory });
    await (await store.partition(P)).write({
      position: 1,
      cut: bytes('1'),
      puts: [{ key: bytes('k'), value: bytes('v') }],
      deletes: [],
    });
    await store.close();
  };

  /** So many that they are in tables once the store is closed. */
  const writeMany = async (count: number) => {
    const store = await RocksStateStore.open({ directory, writeBufferBytes: 256 * 1024 });
    const state = await store.partition(P);
    for (let i = 0; i < count; i += 500) {
      const puts = Array.from({ length: 500 }, (_, k) => ({ key: bytes(`k${i + k}`), value: randomBytes(200) }));
      await state.write({ position: 1, cut: bytes('1'), puts, deletes: [] });
    }
    await store.close();
  };

  it('says who has the folder, and can be opened once that has closed it', async () => {
    const first = await RocksStateStore.open({ directory });
    await expect(RocksStateStore.open({ directory })).rejects.toMatchObject({
      code: 'STATE_LOCKED',
      message: expect.stringContaining(`in use by process ${process.pid}`),
    });
    await first.close();
    await (await RocksStateStore.open({ directory })).close();
  });

  it('touches no folder that is not its own', async () => {
    await writeFile(join(directory, 'photo.jpg'), 'precious');
    await expect(RocksStateStore.open({ directory })).rejects.toMatchObject({
      code: 'STATE_FOREIGN',
      message: expect.stringContaining('photo.jpg'),
    });
    expect(await readdir(directory)).toEqual(['photo.jpg']);
  });

  it('refuses a format that it does not know', async () => {
    await writeFile(join(directory, 'stakeout-state.json'), '{"format":"stakeout-state","version":99}');
    await expect(RocksStateStore.open({ directory })).rejects.toMatchObject({
      code: 'STATE_FOREIGN',
      message: expect.stringContaining('version 99'),
    });
  });

  it('says that it is damaged, and what to do, when the database cannot be read', async () => {
    await writeSome();
    const manifest = (await readdir(join(directory, 'db'))).find((name) => name.startsWith('MANIFEST'));
    await writeFile(join(directory, 'db', manifest as string), 'no manifest at all, but bytes enough for a header');
    await expect(RocksStateStore.open({ directory })).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringContaining('Delete the folder and start again'),
    });
  });

  it('opens at an earlier whole batch when the tail of the write-ahead log is torn', async () => {
    const store = await RocksStateStore.open({ directory });
    const state = await store.partition(P);
    for (let i = 1; i <= 20; i++) {
      await state.write({
        position: 1,
        cut: bytes(`${i}`),
        puts: [{ key: bytes('k'), value: bytes(`${i}`) }],
        deletes: [],
      });
    }
    const copy = await copyWithTornLog(directory);
    await store.close();
    expect(await valuesAndCut(copy)).toEqual({ cut: '19', values: ['19'] });
    await rm(copy, { recursive: true });
  });

  it('has each batch that resolved, whole, after the process was killed', async () => {
    const child = Child.start('write-state.ts', [directory]);
    await child.untilLines(200);
    await child.kill();
    const acknowledged = Number(child.lines.at(-1));
    const { cut, values } = await valuesAndCut(directory);
    expect(Number(cut)).toBeGreaterThanOrEqual(acknowledged);
    expect(values).toEqual([cut.padStart(20)]);
  });

  it('takes no more batches when the disk is full, and has all that resolved', async () => {
    const child = Child.start('write-state.ts', [directory, '4000'], 2_000_000);
    await child.end();
    expect(child.lines.at(-1)).toMatch(
      /^failed STATE_DISK_FULL .*Free space on its disk: storing then goes on by itself/,
    );
    const { cut, values } = await valuesAndCut(directory);
    expect(cut).toBe(child.lines.at(-2));
    expect(values).toEqual([cut.padStart(4000)]);
  });

  it('goes on by itself when there is space again, with all that resolved', async () => {
    // No file may grow beyond this: what is written anew after the failure has space again, until it is full again.
    const child = Child.start('write-state.ts', [directory, '4000', '2'], 2_000_000);
    await child.end();
    const failures = child.lines.flatMap((line, i) => (line.startsWith('failed STATE_DISK_FULL') ? [i] : []));
    expect(failures).toHaveLength(3);
    expect(failures[1]! - failures[0]!).toBeGreaterThan(2);
    const { cut, values } = await valuesAndCut(directory);
    expect(cut).toBe(child.lines.findLast((line) => !line.startsWith('failed')));
    expect(values).toEqual([cut.padStart(4000)]);
  });

  it('finds out while it is in use that it is damaged, and says so at the next start too', async () => {
    await writeMany(5000);
    await damageTables(directory);
    const store = await RocksStateStore.open({ directory });
    await expect(all(await store.partition(P))).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await store.close();
    await expect(RocksStateStore.open({ directory })).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringContaining('Delete the folder and start again'),
    });
  });

  it.each([
    ['found at the start', 'MANIFEST'],
    ['found in use', '.sst'],
  ])('puts a damaged database aside and begins anew when told to: damage that is %s', async (_, file) => {
    await writeMany(5000);
    if (file === '.sst') {
      await damageTables(directory);
      const store = await RocksStateStore.open({ directory });
      await expect(all(await store.partition(P))).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
      await store.close();
    } else {
      const name = (await readdir(join(directory, 'db'))).find((n) => n.startsWith(file)) as string;
      await writeFile(join(directory, 'db', name), 'no manifest at all, but bytes enough for a header');
    }
    const reports: string[] = [];
    const report = (text: string) => void reports.push(text);
    const store = await RocksStateStore.open({ directory, whenDamaged: 'rebuild', report });
    const state = await store.partition(P);
    expect(await state.cut()).toBeNull();
    await state.write({ position: 1, cut: bytes('1'), puts: [{ key: bytes('k'), value: bytes('v') }], deletes: [] });
    await store.close();
    expect(reports).toEqual([expect.stringContaining('its database was put aside as ')]);
    expect(await valuesAndCut(directory)).toEqual({ cut: '1', values: ['v'] });
    expect(await readdir(join(directory, 'db-damaged'))).not.toEqual([]);
  });

  it('takes nothing more from one that has released a partition, and gives it out again', async () => {
    const store = await RocksStateStore.open({ directory });
    const state = await store.partition(P);
    const under = state.write({ position: 1, cut: bytes('1'), puts: [], deletes: [] });
    await state.release!();
    await under;
    const late = state.write({ position: 2, cut: bytes('2'), puts: [], deletes: [] });
    await expect(late).rejects.toMatchObject({ code: 'STATE_IO', message: 'the partition was given up' });
    const again = await store.partition(P);
    await again.write({ position: 3, cut: bytes('3'), puts: [], deletes: [] });
    expect(await state.cut()).toEqual(Buffer.from('3'));
    await store.close();
  });

  it('refuses all use after closing, and ends a listing that was under way', async () => {
    const store = await RocksStateStore.open({ directory });
    const state = await store.partition(P);
    const puts = Array.from({ length: 5000 }, (_, i) => ({ key: bytes(`k${i}`), value: bytes('v') }));
    await state.write({ position: 1, cut: bytes('1'), puts, deletes: [] });
    const listing = state.entries()[Symbol.asyncIterator]();
    await listing.next();
    await store.close();
    await expect(readOn(listing)).rejects.toMatchObject({ code: 'STATE_IO' });
    await expect(state.cut()).rejects.toMatchObject({ code: 'STATE_IO' });
    await expect(state.write({ position: 1, cut: bytes('2'), puts: [], deletes: [] })).rejects.toThrow('closed');
    await expect(store.partition(P)).rejects.toMatchObject({ code: 'STATE_IO' });
  });
});

async function readOn(listing: AsyncIterator<unknown>): Promise<void> {
  while ((await listing.next()).done !== true);
}

function all(state: PartitionState): Promise<void> {
  return readOn(state.entries()[Symbol.asyncIterator]());
}

/** Changes bytes in the middle of all tables. */
async function damageTables(directory: string): Promise<void> {
  const tables = (await readdir(join(directory, 'db'))).filter((name) => name.endsWith('.sst'));
  expect(tables).not.toEqual([]);
  for (const table of tables) {
    const path = join(directory, 'db', table);
    const content = await readFile(path);
    content.fill(7, content.length >> 2, content.length >> 1);
    await writeFile(path, content);
  }
}

/** The cut, and the distinct values of all entries. */
async function valuesAndCut(directory: string): Promise<{ cut: string; values: string[] }> {
  const store = await RocksStateStore.open({ directory });
  const state = await store.partition(P);
  const cut = new TextDecoder().decode((await state.cut()) as Uint8Array);
  const values = new Set<string>();
  for await (const { value } of state.entries()) {
    values.add(new TextDecoder().decode(value));
  }
  await store.close();
  return { cut, values: [...values] };
}

/** A copy as a crash leaves it: the last byte of the write-ahead log is missing. */
async function copyWithTornLog(directory: string): Promise<string> {
  const copy = `${directory}-copy`;
  await cp(directory, copy, { recursive: true, filter: (source) => !source.endsWith('LOCK') });
  const logs = (await readdir(join(copy, 'db'))).filter((name) => name.endsWith('.log')).sort();
  const log = join(copy, 'db', logs.at(-1) as string);
  await truncate(log, (await stat(log)).size - 1);
  return copy;
}
