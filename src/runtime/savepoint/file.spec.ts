import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RELEASE, scratch, World } from '../../../test/savepoints/kit.js';
import { BEFORE } from '../../../test/savepoints/scenario.js';
import { DIGEST_BYTES, FRAME_HEAD_BYTES, MAGIC } from './file-format.js';
import { openSavepoint } from './file-reader.js';
import { planSameTopics } from './plan-same.js';

const signal = new AbortController().signal;

async function aSavepoint(): Promise<{ readonly world: World; readonly path: string }> {
  const world = await World.of(2);
  await world.run(BEFORE);
  return { world, path: (await world.take()).path };
}

/** The file with another header, whole. */
function rewritten(path: string, change: (header: Record<string, unknown>) => object): string {
  const bytes = readFileSync(path);
  const at = MAGIC.length + FRAME_HEAD_BYTES;
  const length = bytes.readUInt32LE(MAGIC.length + 1);
  const header = JSON.parse(bytes.toString('utf8', at, at + length)) as Record<string, unknown>;
  const other = Buffer.from(JSON.stringify(change(header)));
  const head = Buffer.from(bytes.subarray(MAGIC.length, at));
  head.writeUInt32LE(other.length, 1);
  const content = Buffer.concat([MAGIC, head, other, bytes.subarray(at + length, bytes.length - DIGEST_BYTES)]);
  const changed = join(scratch(), 'changed.savepoint');
  writeFileSync(changed, Buffer.concat([content, createHash('sha256').update(content).digest()]));
  return changed;
}

describe('the file of a savepoint', () => {
  it('says whose it is, of which topics, where each partition stands, and what the rules were', async () => {
    const { path } = await aSavepoint();
    const { header, totals, bytes } = await openSavepoint(path, RELEASE);
    expect(bytes).toBe(readFileSync(path).length);
    expect(header).toMatchObject({
      ...{ release: RELEASE, createdAt: '1970-01-01T00:00:00.000Z', group: 'g', stream: 'rows', keyField: 'account' },
      topics: [{ name: 'rows', partitions: 2 }],
    });
    const positions = header.partitions.map(({ position }) => position);
    expect(positions.reduce((sum, n) => sum + n, 0)).toBe(BEFORE.length);
    expect(header.partitions.map(({ committed }) => committed)).toEqual(positions);
    expect(header.partitions.map(({ watermark }) => watermark)).toEqual([expect.any(Number), expect.any(Number)]);
    expect(totals.keys.length).toBe(2);
    const digests = new Set(header.partitions.map(({ rules }) => rules));
    expect(header.ruleSets.map(({ digest }) => digest)).toEqual([...digests]);
    expect(header.ruleSets[0]!.rules).toContainEqual({ id: 'graph', revision: 'graph-1' });
  });

  it('is refused with any byte changed, and nothing is touched', async () => {
    const { path } = await aSavepoint();
    const whole = readFileSync(path);
    const damaged = join(scratch(), 'damaged.savepoint');
    for (let at = 0; at < whole.length; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ (1 << (at % 8));
      writeFileSync(damaged, bytes);
      const code = at < MAGIC.length ? 'SAVEPOINT_FOREIGN' : 'SAVEPOINT_DAMAGED';
      await expect(openSavepoint(damaged, RELEASE)).rejects.toMatchObject({ code });
    }
  });

  it('is refused at any length but its own', async () => {
    const { path } = await aSavepoint();
    const whole = readFileSync(path);
    const damaged = join(scratch(), 'cut-off.savepoint');
    for (const length of [
      0,
      5,
      MAGIC.length,
      MAGIC.length + 3,
      60,
      whole.length - 33,
      whole.length - 32,
      whole.length - 1,
    ]) {
      writeFileSync(damaged, whole.subarray(0, length));
      await expect(openSavepoint(damaged, RELEASE)).rejects.toMatchObject({
        code: length < MAGIC.length ? 'SAVEPOINT_FOREIGN' : 'SAVEPOINT_DAMAGED',
      });
    }
    writeFileSync(damaged, Buffer.concat([whole, Buffer.of(0)]));
    await expect(openSavepoint(damaged, RELEASE)).rejects.toMatchObject({ code: 'SAVEPOINT_DAMAGED' });
  });

  it('is told from other files, and from none', async () => {
    const other = join(scratch(), 'other.savepoint');
    writeFileSync(other, '{"hello": "world, this is a text of some length"}');
    await expect(openSavepoint(other, RELEASE)).rejects.toMatchObject({ code: 'SAVEPOINT_FOREIGN' });
    await expect(openSavepoint(`${other}.gone`, RELEASE)).rejects.toMatchObject({ code: 'SAVEPOINT_IO' });
  });

  it('of a later version is refused, naming both versions', async () => {
    const { path } = await aSavepoint();
    const later = rewritten(path, (header) => ({ ...header, version: 2, release: '9.0.0' }));
    await expect(openSavepoint(later, RELEASE)).rejects.toMatchObject({
      code: 'SAVEPOINT_VERSION',
      message: `${later} has version 2 of the format, written by stakeout 9.0.0; this release, ${RELEASE}, reads up to version 1. Restore it with 9.0.0 or later.`,
    });
  });

  it('with state of a later version is refused, naming both versions', async () => {
    const { path, world } = await aSavepoint();
    const cut = Buffer.of(99, 2).toString('base64');
    const later = rewritten(path, (header) => ({
      ...header,
      release: '9.0.0',
      partitions: (header.partitions as object[]).map((p) => ({ ...p, cut })),
    }));
    const file = await openSavepoint(later, RELEASE);
    await expect(planSameTopics([file], { log: world.log, release: RELEASE, signal })).rejects.toMatchObject({
      code: 'SAVEPOINT_VERSION',
      message: expect.stringMatching(/written by stakeout 9\.0\.0.*1\.2\.3-test.*version 99\.2.*reads \d+\.\d+/),
    });
  });

  it('is not there when it could not be written to its end', async () => {
    const { world, path } = await aSavepoint();
    const again = join(dirname(path), 'again.savepoint');
    const failing = world.take({
      stateOf: async (partition) => {
        const state = await world.store.partition(partition);
        return {
          cut: () => state.cut(),
          async *entries() {
            for await (const entry of state.entries()) {
              yield entry;
              throw new Error('the disk broke');
            }
          },
        };
      },
    });
    await expect(failing).rejects.toThrow('the disk broke');
    expect(existsSync(again)).toBe(false);
    expect(readdirSync(dirname(path))).toEqual(['a.savepoint']);
  });
});
