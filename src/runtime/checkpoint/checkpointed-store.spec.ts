import { describeStateStoreContract } from '../../../test/contracts/state-store-contract.js';
import {
  batch,
  contents,
  INTERVAL,
  idle,
  Machine,
  Objects,
  P,
  PAUSE,
  TIMEOUT,
} from '../../../test/harness/checkpoint-kit.js';
import { until } from '../../../test/harness/until.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import { ObjectStoreError } from '../ports/object-store.js';
import type { PartitionState } from '../ports/state-store.js';

describeStateStoreContract('the state store with checkpoints', async () => {
  const machine = new Machine(new Objects(), 'a');
  return { store: machine.store, dispose: () => machine.store.close() };
});

describe('when checkpoints are written', () => {
  let objects: Objects;
  let machine: Machine;
  let state: PartitionState;

  beforeEach(async () => {
    objects = new Objects();
    machine = new Machine(objects, 'a');
    state = await machine.store.partition(P);
  });

  afterEach(() => machine.store.close());

  it('writes one an interval after the first batch, and then every interval while something changes', async () => {
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL - 1);
    expect(machine.events).toEqual([]);
    await machine.pass(1);
    expect(machine.events).toEqual(['base 1']);
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['base 1']);
    await state.write(batch(2, { b: '2' }));
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['base 1', 'delta 2']);
  });

  it('writes none before the first batch: what is there may be about to be replaced', async () => {
    await machine.inner.partition(P).then((inner) => inner.write(batch(1, { a: '1' })));
    await machine.pass(10 * INTERVAL);
    expect(machine.events).toEqual([]);
  });

  it('leaves the pause between the end of one and the beginning of the next', async () => {
    let goOn: () => void = () => undefined;
    objects.disturb = (operation, name) =>
      operation === 'put' && name.includes('manifest') ? new Promise((resolve) => (goOn = resolve)) : undefined;
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL);
    await state.write(batch(2, { a: '2' }));
    await machine.pass(INTERVAL + 1000);
    objects.disturb = () => undefined;
    goOn();
    await machine.pass(PAUSE - 1);
    expect(machine.events).toEqual(['base 1']);
    await machine.pass(1);
    expect(machine.events).toEqual(['base 1', 'delta 2']);
  });

  it('gives up one that takes too long, also where the object store never answers, and tries again', async () => {
    objects.disturb = (operation) => (operation === 'put' ? new Promise(() => undefined) : undefined);
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL);
    await machine.pass(TIMEOUT);
    expect(machine.events).toEqual(['failed']);
    expect(machine.reports.at(-1)).toContain('given up after 120000 ms');
    objects.disturb = () => undefined;
    await machine.pass(PAUSE);
    expect(machine.events).toEqual(['failed', 'base 1']);
  });

  it('loses nothing of what changed when one fails, and takes what is newer', async () => {
    await state.write(batch(1, { a: '1', b: '1', c: '1' }));
    await machine.pass(INTERVAL);
    await state.write(batch(2, { a: '2', b: null }));
    objects.disturb = (operation) => {
      if (operation === 'put') throw new ObjectStoreError('OBJECTS_FULL', 'full');
    };
    await machine.pass(INTERVAL);
    objects.disturb = () => undefined;
    await state.write(batch(3, { a: '3', d: '3' }));
    await machine.pass(PAUSE);
    expect(machine.events).toEqual(['base 1', 'failed', 'delta 3']);
    expect(await restored(objects)).toEqual({ cut: '3', keys: { a: '3', c: '1', d: '3' } });
  });

  it('counts as degraded when more fail in a row than are tolerated, until one succeeds', async () => {
    objects.disturb = () => {
      throw new ObjectStoreError('OBJECTS_DENIED', 'no right');
    };
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL);
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['failed', 'failed']);
    expect(machine.store.status()).toMatchObject([{ ...P, failedInRow: 2, degraded: false }]);
    await machine.pass(INTERVAL);
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['failed', 'failed', 'failed', 'degraded', 'failed']);
    expect(machine.store.status()).toMatchObject([{ failedInRow: 4, degraded: true, lastFailure: 'no right' }]);
    objects.disturb = () => undefined;
    await machine.pass(INTERVAL);
    expect(machine.events.slice(5)).toEqual(['recovered', 'base 1']);
    expect(machine.store.status()).toMatchObject([
      { failed: 4, failedInRow: 0, degraded: false, written: 1, last: { number: 1, kind: 'base', position: 1 } },
    ]);
  });

  it('begins one early when much has changed, but not within the pause', async () => {
    machine = new Machine(objects, 'b', new MemoryStateStore(), { changedBytesMax: 4000 });
    state = await machine.store.partition(P);
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL);
    await state.write(batch(2, { b: 'x'.repeat(2500) }));
    await machine.pass(PAUSE - 1);
    expect(machine.events).toEqual(['base 1']);
    await machine.pass(1);
    expect(machine.events).toEqual(['base 1', 'delta 2']);
  });

  it('remembers no more than it may: what is beyond makes the next one a base', async () => {
    machine = new Machine(objects, 'b', new MemoryStateStore(), { changedBytesMax: 4000 });
    state = await machine.store.partition(P);
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL);
    for (let i = 2; i < 100; i++) await state.write(batch(i, { [`k${i}`]: 'x'.repeat(100) }));
    expect(machine.store.status()[0]!.changedBytes).toBe(0);
    await machine.pass(PAUSE);
    expect(machine.events).toEqual(['base 1', 'base 99']);
    expect(Object.keys((await restored(objects)).keys)).toHaveLength(99);
  });

  it('stops with the partition, in the middle of one too', async () => {
    objects.disturb = (operation) => (operation === 'put' ? new Promise(() => undefined) : undefined);
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL);
    await state.release!();
    objects.disturb = () => undefined;
    await machine.pass(10 * INTERVAL);
    expect(machine.events).toEqual([]);
    expect(machine.store.status()).toEqual([]);
    expect(objects.names('manifest')).toEqual([]);
  });
});

describe('what checkpoints consist of', () => {
  let objects: Objects;
  let machine: Machine;
  let state: PartitionState;

  const start = async (options: ConstructorParameters<typeof Machine>[3] = {}) => {
    objects = new Objects();
    machine = new Machine(objects, 'a', new MemoryStateStore(), options);
    state = await machine.store.partition(P);
  };
  const checkpoint = async (position: number, changes: Record<string, string | null>) => {
    await state.write(batch(position, changes));
    await machine.pass(INTERVAL);
  };

  it('names them by group, partition, number and writer', async () => {
    await start({ group: '../other group' });
    await checkpoint(1, { a: '1' });
    await checkpoint(2, { a: '2' });
    expect([...objects.bytes.keys()].sort()).toEqual([
      '..=2fother=20group/payments-3/base-00000000000000000001-a-00000',
      '..=2fother=20group/payments-3/delta-00000000000000000002-a-00000',
      '..=2fother=20group/payments-3/manifest-00000000000000000001-a',
      '..=2fother=20group/payments-3/manifest-00000000000000000002-a',
    ]);
  });

  it('begins a new base when the deltas have become larger than the old one', async () => {
    await start();
    await checkpoint(1, { a: 'x'.repeat(300) });
    await checkpoint(2, { b: 'x'.repeat(200) });
    await checkpoint(3, { b: 'y'.repeat(200) });
    await checkpoint(4, { c: '1' });
    await checkpoint(5, { c: '2' });
    expect(machine.events).toEqual(['base 1', 'delta 2', 'delta 3', 'base 4', 'delta 5']);
  });

  it('begins a new base after twenty deltas', async () => {
    await start();
    await checkpoint(0, { a: 'x'.repeat(10_000) });
    for (let i = 1; i <= 22; i++) await checkpoint(i, { b: String(i) });
    expect(machine.events.flatMap((event, i) => (event.startsWith('base') ? [i] : []))).toEqual([0, 21]);
  });

  it('splits what is large into parts, and reads them back, with entries that are larger than a part', async () => {
    await start({ partBytes: 1000 });
    const keys = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v'.repeat(i * 30)]));
    await checkpoint(1, keys);
    expect(objects.names('base').length).toBeGreaterThan(35);
    expect(await restored(objects)).toEqual({ cut: '1', keys });
  });

  it('has few parts in memory at a time, however many there are', async () => {
    await start({ partBytes: 1000 });
    const underWay = { put: 0, get: 0 };
    const most = { put: 0, get: 0 };
    objects.disturb = async (operation, name) => {
      if (operation === 'list' || operation === 'delete' || name.includes('manifest')) return;
      most[operation] = Math.max(most[operation], ++underWay[operation]);
      await idle();
      underWay[operation]--;
    };
    const entries = Array.from({ length: 600 }, (_, i) => [`k${String(i).padStart(3, '0')}`, 'v'.repeat(90)] as const);
    const keys = Object.fromEntries(entries);
    await state.write(batch(1, keys));
    await machine.pass(INTERVAL);
    await until(() => machine.events.length > 0, 'the checkpoint');
    expect(machine.events).toEqual(['base 1']);
    expect(objects.names('base').length).toBeGreaterThan(60);
    expect(await restored(objects)).toEqual({ cut: '1', keys });
    expect(most).toEqual({ put: 2, get: 3 });
  });

  it('moves the cut without a file when no key changed', async () => {
    await start();
    await checkpoint(1, { a: '1' });
    await checkpoint(2, {});
    expect(objects.names('delta')).toEqual([]);
    expect(await restored(objects)).toEqual({ cut: '2', keys: { a: '1' } });
  });

  it('copies the base of one cut while later batches are written, and these with the next', async () => {
    let writeMore: (() => Promise<void>) | null = null;
    await start({
      partBytes: 500,
      turn: async () => {
        const more = writeMore;
        writeMore = null;
        await more?.();
      },
    });
    const keys = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`k${i}`, 'first']));
    await state.write(batch(1, keys));
    const later = Object.fromEntries(Object.keys(keys).map((key) => [key, 'later']));
    writeMore = () => state.write(batch(2, later));
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['base 1']);
    expect(await restored(objects)).toEqual({ cut: '1', keys });
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['base 1', 'delta 2']);
    expect(await restored(objects)).toEqual({ cut: '2', keys: later });
  });

  it('begins a base after a write that failed: what it left behind is not known', async () => {
    const inner = new MemoryStateStore();
    const real = await inner.partition(P);
    let fails = false;
    objects = new Objects();
    machine = new Machine(objects, 'a', {
      partition: async () => ({
        cut: () => real.cut(),
        entries: () => real.entries(),
        clear: () => real.clear(),
        write: async (b) => {
          await real.write(b);
          if (fails) throw new Error('who knows');
        },
      }),
      close: async () => undefined,
    });
    state = await machine.store.partition(P);
    await checkpoint(1, { a: '1' });
    fails = true;
    await expect(state.write(batch(2, { b: '2' }))).rejects.toThrow('who knows');
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['base 1']);
    fails = false;
    await checkpoint(3, { c: '3' });
    expect(machine.events).toEqual(['base 1', 'base 3']);
    expect(await restored(objects)).toEqual({ cut: '3', keys: { a: '1', b: '2', c: '3' } });
  });

  it('begins a base when files that it would continue have been deleted', async () => {
    await start();
    await checkpoint(1, { a: '1' });
    for (const name of [...objects.bytes.keys()]) if (name.includes('base')) objects.bytes.delete(name);
    await checkpoint(2, { b: '2' });
    expect(machine.events).toEqual(['base 1', 'base 2']);
  });

  it('keeps so many as are to be kept, and their files alone, once nobody can be writing the others', async () => {
    await start({ retained: 2 });
    for (let i = 1; i <= 12; i++) await checkpoint(i, { a: 'x'.repeat(100), [`k${i}`]: 'x'.repeat(60) });
    expect(objects.names('manifest')).toHaveLength(2);
    for (let i = 13; i <= 20; i++) await checkpoint(i, {});
    const kept = objects.names('manifest').map((name) => objects.bytes.get(`g/payments-3/${name}`)!);
    const named = new Set(
      kept.flatMap(
        (manifest) =>
          Buffer.from(manifest)
            .toString()
            .match(/(base|delta)-\d{20}-a-\d{5}/g) ?? [],
      ),
    );
    expect(objects.names('base').concat(objects.names('delta')).sort()).toEqual([...named].sort());
    expect(objects.deleted.length).toBeGreaterThan(10);
  });

  it('leaves files alone that another may still be writing, until that must have given up', async () => {
    await start({ retained: 1 });
    const foreign = 'g/payments-3/base-00000000000000000001-zombie-00000';
    await checkpoint(1, { a: '1' });
    await objects.put(foreign, new Uint8Array(1));
    for (let i = 2; i <= TIMEOUT / INTERVAL + 1; i++) await checkpoint(i, { a: String(i) });
    expect(objects.bytes.has(foreign)).toBe(true);
    await checkpoint(100, { a: '100' });
    expect(objects.bytes.has(foreign)).toBe(false);
  });

  it('does not pile up the files of attempts that failed', async () => {
    await start();
    objects.disturb = (operation, name) => {
      if (operation === 'put' && name.includes('manifest')) throw new ObjectStoreError('OBJECTS_IO', 'it failed');
    };
    await state.write(batch(1, { a: '1' }));
    for (let i = 0; i < 50; i++) await machine.pass(INTERVAL);
    expect(machine.events.length).toBeGreaterThan(40);
    expect(objects.names('base').length).toBeLessThanOrEqual(TIMEOUT / INTERVAL + 1);
  });

  it('is not harmed by a write that was given up and lands later', async () => {
    await start();
    let land: () => void = () => undefined;
    const { put } = objects;
    objects.put = (name, content) => {
      land = () => void put.call(objects, name, content);
      return new Promise(() => undefined);
    };
    await state.write(batch(1, { a: 'before' }));
    await machine.pass(INTERVAL);
    await machine.pass(TIMEOUT);
    objects.put = put;
    await state.write(batch(2, { a: 'after' }));
    await machine.pass(PAUSE);
    land();
    await idle();
    expect(machine.events).toEqual(['failed', 'base 2']);
    expect(await restored(objects)).toEqual({ cut: '2', keys: { a: 'after' } });
  });

  it('does not continue one that was under way when the state was cleared', async () => {
    await start();
    let goOn: () => void = () => undefined;
    objects.disturb = (operation) => (operation === 'put' ? new Promise((resolve) => (goOn = resolve)) : undefined);
    await state.write(batch(1, { a: 'x'.repeat(500) }));
    await machine.pass(INTERVAL);
    await state.clear();
    await state.write(batch(2, { b: '2' }));
    objects.disturb = () => undefined;
    goOn();
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['base 1', 'base 2']);
    expect(await restored(objects)).toEqual({ cut: '2', keys: { b: '2' } });
  });

  it('goes on when old ones cannot be deleted, and says so', async () => {
    await start({ retained: 1 });
    objects.disturb = (operation) => {
      if (operation === 'delete') throw new ObjectStoreError('OBJECTS_DENIED', 'no right to delete');
    };
    await checkpoint(1, { a: '1' });
    await checkpoint(2, { a: '2' });
    expect(machine.events).toEqual(['base 1', 'delta 2']);
    expect(machine.reports.join()).toContain('could not be deleted and are tried again: no right to delete');
  });

  it('leaves alone what other objects lie there', async () => {
    await start({ retained: 1 });
    await objects.put('g/payments-3/notes.txt', new Uint8Array(1));
    for (let i = 1; i <= 20; i++) await checkpoint(i, { a: String(i) });
    expect(objects.bytes.has('g/payments-3/notes.txt')).toBe(true);
  });
});

/** What a new machine gets. */
async function restored(objects: Objects) {
  const machine = new Machine(objects, 'reader');
  const state = await machine.store.partition(P);
  expect(await state.restoreCopy!(Number.MAX_SAFE_INTEGER)).toBe(true);
  await idle();
  return contents(state);
}
