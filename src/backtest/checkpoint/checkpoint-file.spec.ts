import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointFile } from './checkpoint-file.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = join(folder, 'lane.checkpoint');
let clock = 0;
const fileOf = (identity = 'this'): CheckpointFile =>
  new CheckpointFile({ path, identity, intervalMs: 1000, now: () => clock });
const pieces = (...texts: string[]): Uint8Array[] => texts.map((text) => Buffer.from(text));
const read = async (identity?: string) => (await fileOf(identity).load())?.map(String) ?? null;

describe('a file of what a lane has kept', () => {
  it('gives back the last pieces, and nothing before there are any', async () => {
    expect(await read()).toBeNull();
    await fileOf().save(pieces('one', 'two'));
    await fileOf().save(pieces('three', 'four', 'five'));
    expect(await read()).toEqual(['three', 'four', 'five']);
  });

  it('is of no use to another back-test', async () => {
    await fileOf().save(pieces('one'));
    expect(await read('another')).toBeNull();
  });

  it('is the one before where the process ended while it was written', async () => {
    await fileOf().save(pieces('whole'));
    const failing = function* (): Generator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('the process ended');
    };
    await expect(fileOf().save(failing())).rejects.toThrow('the process ended');
    expect(await read()).toEqual(['whole']);
  });

  it('is not used where it is not whole', async () => {
    await fileOf().save(pieces('one', 'two'));
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(await read()).toBeNull();
    }
    writeFileSync(path, whole);
    expect(await read()).toEqual(['one', 'two']);
  });

  it('is due once an interval, and later where writing takes long', async () => {
    const file = fileOf();
    expect(file.isDue()).toBe(false);
    clock += 1000;
    expect(file.isDue()).toBe(true);
    const slow = function* (): Generator<Uint8Array> {
      clock += 200;
      yield Buffer.from('x');
    };
    await file.save(slow());
    clock += 3999;
    expect(file.isDue()).toBe(false);
    clock += 1;
    expect(file.isDue()).toBe(true);
  });
});
