import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeClaimingStoreContract,
  describeObjectStoreContract,
} from '../../../test/contracts/object-store-contract.js';
import { Child } from '../../../test/harness/child.js';
import { DirectoryObjectStore } from './directory-object-store.js';

const inFolder = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stakeout-objects-'));
  const another = () => DirectoryObjectStore.open({ directory });
  return { store: await another(), another, dispose: () => rm(directory, { recursive: true }) };
};
describeObjectStoreContract('the objects in a folder', inFolder);
describeClaimingStoreContract('the objects in a folder', inFolder);

describe('the objects in a folder', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stakeout-objects-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('are files of their names', async () => {
    const store = await DirectoryObjectStore.open({ directory: join(directory, 'made', 'here') });
    await store.put('a/b', Buffer.from('x'));
    expect(await readdir(join(directory, 'made', 'here', 'a'))).toEqual(['b']);
    expect(await readdir(join(directory, 'made', 'here', '~unfinished'))).toEqual([]);
  });

  it('do not show what a crash has left unfinished, and delete it when it is old', async () => {
    await DirectoryObjectStore.open({ directory });
    const [old, young] = ['old', 'young'].map((name) => join(directory, '~unfinished', name)) as [string, string];
    await writeFile(old, 'half');
    await writeFile(young, 'half');
    const hourAgo = Date.now() / 1000 - 3700;
    await utimes(old, hourAgo, hourAgo);
    const store = await DirectoryObjectStore.open({ directory });
    expect(await store.list('')).toEqual([]);
    expect(await readdir(join(directory, '~unfinished'))).toEqual(['young']);
  });

  it('are there whole or not at all when the process is killed, and there once the put has resolved', async () => {
    const child = Child.start('put-objects.ts', [directory]);
    await child.untilLines(8);
    await child.kill();
    const store = await DirectoryObjectStore.open({ directory });
    const names = await store.list('');
    expect(names).toEqual(expect.arrayContaining(child.lines));
    for (const name of names) {
      const content = Buffer.from((await store.get(name)) ?? []);
      expect(content.equals(Buffer.alloc(3_000_000, name))).toBe(true);
    }
  });

  it('say that the disk is full, and show nothing of what did not fit', async () => {
    const child = Child.start('put-objects.ts', [directory], 1_000_000);
    await child.end();
    expect(child.lines).toEqual([
      expect.stringMatching(/^failed OBJECTS_FULL cannot write .*: free space on its disk$/),
    ]);
    const store = await DirectoryObjectStore.open({ directory });
    expect(await store.list('')).toEqual([]);
    expect(await readdir(join(directory, '~unfinished'))).toEqual([]);
  });

  it('say what is wrong with a folder that cannot be used', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(DirectoryObjectStore.open({ directory: join(directory, 'file') })).rejects.toMatchObject({
      code: 'OBJECTS_IO',
      message: expect.stringContaining('cannot open'),
    });
  });
});
