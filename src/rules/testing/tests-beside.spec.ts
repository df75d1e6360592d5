import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withTestsBeside } from './tests-beside.js';

describe('tests beside rules', () => {
  it('go with the rule of their folder; rules under names of their own have none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stakeout-tests-beside-'));
    await mkdir(join(folder, 'with'));
    await writeFile(join(folder, 'with', 'tests.yaml'), 'tests: []\n');
    const rule = (...path: string[]) => ({ file: join(folder, ...path), text: 'id: a\n' });
    const [own, without, named] = [rule('with', 'pattern.yaml'), rule('pattern.yaml'), rule('with', 'other.yaml')];
    expect(await withTestsBeside([own, without, named])).toEqual([{ ...own, tests: 'tests: []\n' }, without, named]);
    await rm(folder, { recursive: true });
  });
});
