import { BLOCK_ENTRIES, EntryBlock } from '../ports/entry-block.js';
import type { StateEntry } from '../ports/state-store.js';
import { dice } from '../testing/dice.js';
import { EntryImage } from './entry-image.js';

const turn = async (): Promise<void> => undefined;
const entry = (key: string, value: string): StateEntry => ({ key: Buffer.from(key), value: Buffer.from(value) });
const numbered = (from: number, to: number, value: string): StateEntry[] =>
  Array.from({ length: to - from }, (_, i) => entry(String(from + i).padStart(6, '0'), value));

async function contents(image: EntryImage): Promise<[string, string][]> {
  await image.settle();
  return image
    .take()
    .flatMap((block) => [...block].map(({ key, value }) => [`${key}`, `${value}`] as [string, string]));
}

describe('an image of the entries of a partition', () => {
  it('takes entries that come in order as they come, in blocks of the usual size', async () => {
    const image = new EntryImage(turn);
    for (let from = 0; from < 3 * BLOCK_ENTRIES; from += 256) await image.change(numbered(from, from + 256, 'v'), []);
    await image.settle();
    expect(image.take().map(({ count }) => count)).toEqual([BLOCK_ENTRIES, BLOCK_ENTRIES, BLOCK_ENTRIES]);
  });

  it('does not touch blocks in which nothing changes', async () => {
    const image = new EntryImage(turn);
    const blocks = [numbered(0, 3000, 'a'), numbered(3000, 6000, 'b'), numbered(6000, 9000, 'c')].map(EntryBlock.of);
    for (const block of blocks) image.append(block);
    await image.change([entry('003500', 'new')], []);
    await image.settle();
    const after = image.take();
    expect(after.map((block) => blocks.indexOf(block))).toEqual([0, -1, 2]);
    expect(`${after[1]!.valueAt(500)}`).toBe('new');
  });

  it('keeps copies of what it is given', async () => {
    const image = new EntryImage(turn);
    const [one, two] = [entry('b', '1'), entry('a', '2')];
    await image.change([one], []);
    await image.change([two], []);
    for (const { key, value } of [one, two]) for (const bytes of [key, value]) bytes.fill(0);
    expect(await contents(image)).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
  });

  it.each([1, 2, 3, 4, 5, 6])('is what a store is after the same batches, seed %d', async (seed) => {
    const below = dice(seed);
    const image = new EntryImage(turn);
    const expected = new Map<string, string>();
    const keys = [40, 20_000][seed % 2]!;
    for (const { key, value } of seed < 4 ? [] : numbered(0, keys / 2, 'first')) {
      expected.set(`${key}`, `${value}`);
      await image.change([{ key, value }], []);
    }
    for (let batch = 0; batch < 60; batch++) {
      const some = (): string => String(below(keys)).padStart(6, '0');
      const deletes = Array.from({ length: below(20) }, some);
      const puts = new Map(Array.from({ length: below(200) }, () => [some(), `${batch}`.repeat(below(9))]));
      await image.change(
        [...puts].map(([key, value]) => entry(key, value)),
        deletes.map((key) => Buffer.from(key)),
      );
      for (const key of deletes) expected.delete(key);
      for (const [key, value] of puts) expected.set(key, value);
      if (below(4) === 0) await image.settle();
    }
    expect(image.bytes).toBeGreaterThan(0);
    expect(await contents(image)).toEqual([...expected].sort(([a], [b]) => (a < b ? -1 : 1)));
    expect(image.bytes).toBe(0);
  });
});
