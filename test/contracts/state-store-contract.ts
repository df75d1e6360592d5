import type { TopicPartition } from '../../src/runtime/ports/log.js';
import type { PartitionState, StateEntry, StateStore } from '../../src/runtime/ports/state-store.js';

/** One store under test. */
export interface StateStoreFixture {
  store: StateStore;
  /** Closes the store and opens it again over the same data. Absent where nothing outlives the store. */
  reopen?(): Promise<StateStore>;
  dispose(): Promise<void>;
}

const P0: TopicPartition = { topic: 'payments', partition: 0 };
const P1: TopicPartition = { topic: 'payments', partition: 1 };

const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);
const text = (content: Uint8Array | null): string | null =>
  content === null ? null : new TextDecoder().decode(content);
const entry = (key: string, value: string): StateEntry => ({ key: bytes(key), value: bytes(value) });

/** States what every implementation of the state port must do. `make` is called before each test. */
export function describeStateStoreContract(name: string, make: () => Promise<StateStoreFixture>): void {
  describe(`${name} keeps the state store contract`, () => {
    let fixture: StateStoreFixture;

    beforeEach(async () => {
      fixture = await make();
    });

    afterEach(async () => {
      await fixture.dispose();
    });

    it('has no cut and no entries at first', async () => {
      const state = await fixture.store.partition(P0);
      expect(await state.cut()).toBeNull();
      expect(await contents(state)).toEqual([]);
    });

    it('has what was written, with its cut', async () => {
      const state = await fixture.store.partition(P0);
      await state.write({ position: 1, cut: bytes('at 10'), puts: [entry('a', '1'), entry('b', '2')], deletes: [] });
      expect(text(await state.cut())).toBe('at 10');
      expect(await contents(state)).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
    });

    it('overwrites, deletes and moves the cut in later batches', async () => {
      const state = await fixture.store.partition(P0);
      await state.write({
        position: 1,
        cut: bytes('1'),
        puts: [entry('a', '1'), entry('b', '1'), entry('c', '1')],
        deletes: [],
      });
      await state.write({
        position: 1,
        cut: bytes('2'),
        puts: [entry('b', '2')],
        deletes: [bytes('a'), bytes('never there')],
      });
      expect(text(await state.cut())).toBe('2');
      expect(await contents(state)).toEqual([
        ['b', '2'],
        ['c', '1'],
      ]);
    });

    it('moves the cut with a batch that changes no key', async () => {
      const state = await fixture.store.partition(P0);
      await state.write({ position: 1, cut: bytes('1'), puts: [entry('a', '1')], deletes: [] });
      await state.write({ position: 1, cut: bytes('2'), puts: [], deletes: [] });
      expect(text(await state.cut())).toBe('2');
      expect(await contents(state)).toEqual([['a', '1']]);
    });

    it('puts a key that the same batch deletes', async () => {
      const state = await fixture.store.partition(P0);
      await state.write({ position: 1, cut: bytes('1'), puts: [entry('a', 'new')], deletes: [bytes('a')] });
      expect(await contents(state)).toEqual([['a', 'new']]);
    });

    it('lists entries in order of key bytes, unsigned', async () => {
      const state = await fixture.store.partition(P0);
      const keys = [[0xff, 0xff], [0x00], [0x7f], [0x80], [0x00, 0x00], [0xff], [0x61, 0x62], [0x61], []];
      await state.write({
        position: 1,
        cut: bytes('1'),
        puts: keys.map((key) => ({ key: Uint8Array.from(key), value: bytes('v') })),
        deletes: [],
      });
      const listed: number[][] = [];
      for await (const { key } of state.entries()) {
        listed.push([...key]);
      }
      expect(listed).toEqual([[], [0x00], [0x00, 0x00], [0x61], [0x61, 0x62], [0x7f], [0x80], [0xff], [0xff, 0xff]]);
    });

    it('keeps empty values and any bytes', async () => {
      const state = await fixture.store.partition(P0);
      const value = Uint8Array.from({ length: 256 }, (_, i) => i);
      await state.write({
        position: 1,
        cut: new Uint8Array(0),
        puts: [
          { key: bytes('bytes'), value },
          { key: bytes('empty'), value: new Uint8Array(0) },
        ],
        deletes: [],
      });
      const found: StateEntry[] = [];
      for await (const e of state.entries()) {
        found.push(e);
      }
      expect(found.map((e) => [...e.value])).toEqual([[...value], []]);
      expect(await state.cut()).toHaveLength(0);
    });

    it('does not change when the caller reuses its buffers', async () => {
      const state = await fixture.store.partition(P0);
      const key = bytes('key');
      const value = bytes('value');
      const cut = bytes('cut');
      await state.write({ position: 1, cut, puts: [{ key, value }], deletes: [] });
      for (const buffer of [key, value, cut]) {
        buffer.fill(0);
      }
      expect(await contents(state)).toEqual([['key', 'value']]);
      expect(text(await state.cut())).toBe('cut');
    });

    it('keeps partitions apart, also those whose names run into one another', async () => {
      const all = [
        P0,
        P1,
        { topic: 'payments', partition: 10 },
        { topic: 'payments-1', partition: 0 },
        { topic: 'pay', partition: 0 },
      ];
      for (const [i, p] of all.entries()) {
        const state = await fixture.store.partition(p);
        await state.write({
          position: 1,
          cut: bytes(`cut ${i}`),
          puts: [entry('same key', `value ${i}`)],
          deletes: [],
        });
      }
      await (await fixture.store.partition(P1)).clear();
      for (const [i, p] of all.entries()) {
        const state = await fixture.store.partition(p);
        const cleared = p === P1;
        expect(text(await state.cut())).toBe(cleared ? null : `cut ${i}`);
        expect(await contents(state)).toEqual(cleared ? [] : [['same key', `value ${i}`]]);
      }
    });

    it('forgets everything when it is cleared, and can be written again', async () => {
      const state = await fixture.store.partition(P0);
      await state.write({ position: 1, cut: bytes('1'), puts: manyEntries(500), deletes: [] });
      await state.clear();
      expect(await state.cut()).toBeNull();
      expect(await contents(state)).toEqual([]);
      await state.write({ position: 1, cut: bytes('2'), puts: [entry('key-7', 'again')], deletes: [] });
      expect(await contents(state)).toEqual([['key-7', 'again']]);
    });

    it('lists the entries of one cut while later batches are written', async () => {
      const state = await fixture.store.partition(P0);
      await state.write({ position: 1, cut: bytes('1'), puts: manyEntries(3000), deletes: [] });
      const values = new Set<string | null>();
      let seen = 0;
      for await (const { value } of state.entries()) {
        if (seen++ === 0) {
          await state.write({ position: 1, cut: bytes('2'), puts: manyEntries(3000, 'later'), deletes: [] });
        }
        values.add(text(value));
      }
      expect(seen).toBe(3000);
      expect([...values]).toEqual(['first']);
    });

    it('keeps the order of batches that do not wait for one another', async () => {
      const state = await fixture.store.partition(P0);
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          state.write({ position: 1, cut: bytes(String(i)), puts: [entry('k', String(i))], deletes: [] }),
        ),
      );
      expect(text(await state.cut())).toBe('19');
      expect(await contents(state)).toEqual([['k', '19']]);
    });

    it('gives the same state to everyone who asks for a partition', async () => {
      const one = await fixture.store.partition(P0);
      const two = await fixture.store.partition({ ...P0 });
      await one.write({ position: 1, cut: bytes('1'), puts: [entry('a', '1')], deletes: [] });
      expect(text(await two.cut())).toBe('1');
    });

    it('has every batch that resolved after it was opened again', async () => {
      if (fixture.reopen === undefined) {
        return;
      }
      const state = await fixture.store.partition(P0);
      await state.write({ position: 1, cut: bytes('1'), puts: manyEntries(100), deletes: [] });
      await state.write({ position: 1, cut: bytes('2'), puts: [], deletes: manyEntries(99).map((e) => e.key) });
      const again = await (await fixture.reopen()).partition(P0);
      expect(text(await again.cut())).toBe('2');
      expect(await contents(again)).toEqual([['key-99', 'first']]);
    });
  });
}

async function contents(state: PartitionState): Promise<(string | null)[][]> {
  const found: (string | null)[][] = [];
  for await (const { key, value } of state.entries()) {
    found.push([text(key), text(value)]);
  }
  return found;
}

function manyEntries(count: number, value = 'first'): StateEntry[] {
  return Array.from({ length: count }, (_, i) => entry(`key-${i}`, value));
}
