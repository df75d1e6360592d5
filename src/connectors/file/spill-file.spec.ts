import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSpillFile } from './spill-file.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-spill-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a spill file', () => {
  it('reads what was written where it was written, and leaves nothing behind', () => {
    const file = openSpillFile(join(folder, 'spill'), 'lane-0');
    file.write(0, Uint8Array.of(1, 2, 3));
    file.write(100_000, Uint8Array.of(4, 5));
    file.write(1, Uint8Array.of(9));
    const [begin, far] = [new Uint8Array(3), new Uint8Array(2)];
    file.read(0, begin);
    file.read(100_000, far);
    expect([...begin, ...far]).toEqual([1, 9, 3, 4, 5]);
    expect(() => file.read(200_000, far)).toThrow('ends at 200000');
    if (process.platform !== 'win32') expect(readdirSync(join(folder, 'spill'))).toEqual([]);
    file.close();
  });
});
