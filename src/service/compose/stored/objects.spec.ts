import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3ObjectStore } from '../../../connectors/s3/s3-object-store.js';
import { MemoryLog } from '../../../runtime/memory/memory-log.js';
import { loadSettings, type Settings } from '../../../runtime/settings/index.js';
import { openObjectStore } from './objects.js';

describe('the place that the settings name for copies of the state', () => {
  let folder: string;
  let log: MemoryLog;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stakeout-objects-'));
    log = new MemoryLog();
  });

  afterEach(async () => {
    await log.close();
    await rm(folder, { recursive: true });
  });

  const settings = (checkpoint: Record<string, string>): Settings => {
    const env = Object.fromEntries(
      Object.entries(checkpoint).map(([name, value]) => [`STAKEOUT_CHECKPOINT_${name.toUpperCase()}`, value]),
    );
    const loaded = loadSettings({ env: { ...env, STAKEOUT_DATA_DIRECTORY: folder }, cwd: folder });
    if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
    return loaded.settings;
  };

  it('is none by default', async () => {
    expect(await openObjectStore(settings({}), log)).toBeNull();
  });

  it('is a folder, by default in that of the data', async () => {
    await (await openObjectStore(settings({ to: 'directory' }), log))?.put('a', Buffer.from('x'));
    expect(await readdir(join(folder, 'checkpoints'))).toContain('a');
    const directory = join(folder, 'elsewhere');
    await (await openObjectStore(settings({ to: 'directory', directory }), log))?.put('b', Buffer.from('x'));
    expect(await readdir(directory)).toContain('b');
  });

  it('is a topic of the log', async () => {
    const store = await openObjectStore(settings({ to: 'kafka', topic: 'copies' }), log);
    await store?.put('a', Buffer.from('x'));
    expect(await store?.list('')).toEqual(['a']);
    expect(await log.topics()).toEqual([{ name: 'copies', partitions: 8 }]);
    await store?.close();
  });

  it('is a bucket, with both halves of the credentials or neither', async () => {
    const store = await openObjectStore(settings({ to: 's3', s3_bucket: 'b' }), log);
    expect(store).toBeInstanceOf(S3ObjectStore);
    await store?.close();
    const half = settings({ to: 's3', s3_bucket: 'b', s3_access_key_id: 'key' });
    await expect(openObjectStore(half, log)).rejects.toMatchObject({
      code: 'OBJECTS_DENIED',
      message: 'set checkpoint.s3.secretAccessKey too, or leave checkpoint.s3.accessKeyId out',
    });
  });
});
