import { describeStateStoreContract } from '../../../test/contracts/state-store-contract.js';
import { until } from '../../../test/harness/until.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import type { EntryBlock } from '../ports/entry-block.js';
import type { PartitionState, StateEntry, StateStore } from '../ports/state-store.js';
import { AheadStore } from './ahead-store.js';

const P = { topic: 'payments', partition: 0 };
const Q = { topic: 'payments', partition: 1 };
const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const batch = (cut: string, names: readonly string[]) => ({
  ...{ position: 1, cut: text(cut), deletes: [] },
  puts: names.map((name) => ({ key: text(name), value: text(`of ${name}`) })),
});

describeStateStoreContract('AheadStore over MemoryStateStore', async () => ({
  store: new AheadStore(new MemoryStateStore(), 1000, turn),
  dispose: async () => undefined,
}));

/** A store that tells how often it was listed. */
function counting() {
  const inner = new MemoryStateStore();
  const listed: number[] = [];
  const store: StateStore = {
    async partition(partition) {
      const state = await inner.partition(partition);
      const entries = (): AsyncIterable<StateEntry> => {
        listed.push(partition.partition);
        return state.entries();
      };
      return { cut: () => state.cut(), entries, write: (b) => state.write(b), clear: () => state.clear() };
    },
    close: () => inner.close(),
  };
  return { store, listed };
}

async function namesOf(state: PartitionState): Promise<string[]> {
  const blocks: EntryBlock[] = [];
  for await (const block of state.blocks!()) blocks.push(block);
  return blocks.flatMap((block) => [...block].map(({ key }) => Buffer.from(key).toString()));
}

describe('a store that is told to read ahead', () => {
  const opened = async (bytesMax = 1000) => {
    const { store: inner, listed } = counting();
    const store = new AheadStore(inner, bytesMax, turn);
    const state = await store.partition(P);
    await state.write(batch('1', ['a', 'b']));
    return { store, state, listed };
  };

  it('gives out what it read, once', async () => {
    const { store, state, listed } = await opened();
    await store.readAhead(P);
    expect([listed, store.bytesAhead > 0]).toEqual([[0], true]);
    expect(await namesOf(state)).toEqual(['a', 'b']);
    expect([listed, store.bytesAhead]).toEqual([[0], 0]);
    expect(await namesOf(state)).toEqual(['a', 'b']);
    expect(listed).toEqual([0, 0]);
  });

  it('has whoever asks meanwhile wait for the end of it', async () => {
    const { store, state, listed } = await opened();
    const reading = store.readAhead(P);
    await until(() => listed.length === 1, 'the listing');
    expect(await namesOf(state)).toEqual(['a', 'b']);
    await reading;
    expect(listed).toEqual([0]);
  });

  it.each<[string, (state: PartitionState) => Promise<void>, string[]]>([
    ['a write', (state) => state.write(batch('2', ['c'])), ['a', 'b', 'c']],
    ['clear', (state) => state.clear(), []],
    ['release', async (state) => state.release!(), ['a', 'b']],
  ])('forgets it after %s', async (_, act, expected) => {
    const { store, state } = await opened();
    await store.readAhead(P);
    await act(state);
    expect(store.bytesAhead).toBe(0);
    expect(await namesOf(await store.partition(P))).toEqual(expected);
  });

  it('reads no more than there is room for', async () => {
    const { store, state, listed } = await opened(20);
    await (await store.partition(Q)).write(batch('1', ['c']));
    await store.readAhead(P);
    await store.readAhead(Q);
    expect([listed, await namesOf(state)]).toEqual([
      [0, 1],
      ['a', 'b'],
    ]);
    expect(await namesOf(await store.partition(Q))).toEqual(['c']);
    expect(listed).toEqual([0, 1, 1]);
  });

  describe('while a copy is put in', () => {
    const copy = (store: AheadStore, act: (state: PartitionState) => Promise<void>) =>
      store.whileCopied(P, async () => act(await store.partition(P)));

    it('keeps up with what is written', async () => {
      const { store, state, listed } = await opened();
      await store.readAhead(P);
      await copy(store, async (other) => {
        await other.write({ ...batch('2', ['c', 'aa']), deletes: [text('b')] });
      });
      await store.readAhead(P);
      expect(await namesOf(state)).toEqual(['a', 'aa', 'c']);
      expect([listed, store.bytesAhead]).toEqual([[0], 0]);
    });

    it('need not read what is written anew from the first entry on', async () => {
      const { store, state, listed } = await opened();
      await copy(store, async (other) => {
        await other.clear();
        await other.write(batch('2', ['c', 'd']));
        await other.write(batch('3', ['b']));
      });
      expect([await namesOf(state), listed]).toEqual([['b', 'c', 'd'], []]);
    });

    it('keeps nothing of what is more than there is room for, and does not try again before there is', async () => {
      const { store, state, listed } = await opened(4);
      await copy(store, async (other) => {
        await other.clear();
        await other.write(batch('2', ['c']));
      });
      expect(store.bytesAhead).toBe(0);
      await store.readAhead(P);
      expect([await namesOf(state), listed]).toEqual([['c'], [0]]);
    });

    it('throws away what may not be what the store has', async () => {
      const inner = new MemoryStateStore();
      const failing: StateStore = {
        partition: async (partition) => {
          const state = await inner.partition(partition);
          const write = () => Promise.reject(new Error('full'));
          return { cut: () => state.cut(), entries: () => state.entries(), write, clear: () => state.clear() };
        },
        close: () => inner.close(),
      };
      await (await inner.partition(P)).write(batch('1', ['a']));
      const store = new AheadStore(failing, 1000, turn);
      await store.readAhead(P);
      expect(store.bytesAhead).toBeGreaterThan(0);
      await expect(copy(store, (other) => other.write(batch('2', ['b'])))).rejects.toThrow('full');
      expect(store.bytesAhead).toBe(0);
    });
  });

  it('reads nothing where nothing is stored, and forgets what nobody came for', async () => {
    const { store, listed } = await opened();
    await store.readAhead(Q);
    expect(listed).toEqual([]);
    await store.readAhead(P);
    store.forget();
    expect(store.bytesAhead).toBe(0);
  });
});
