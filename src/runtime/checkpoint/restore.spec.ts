import { batch, bytes, contents, INTERVAL, idle, Machine, Objects, P } from '../../../test/harness/checkpoint-kit.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import { ObjectStoreError } from '../ports/object-store.js';
import type { PartitionState } from '../ports/state-store.js';
import { zstd } from './files/zstd.js';

const ALL = Number.MAX_SAFE_INTEGER;

describe('putting a copy in place', () => {
  let objects: Objects;
  let machine: Machine;
  let state: PartitionState;

  const checkpoint = async (position: number, changes: Record<string, string | null>) => {
    await state.write(batch(position, changes));
    await machine.pass(INTERVAL);
  };
  const another = async (inner = new MemoryStateStore()) => {
    const other = new Machine(objects, 'b', inner);
    return { other, taken: await other.store.partition(P) };
  };

  /** Checkpoints at 10 (base), 20 and 30 (deltas). */
  beforeEach(async () => {
    objects = new Objects();
    machine = new Machine(objects, 'a');
    state = await machine.store.partition(P);
    await checkpoint(10, { a: 'x'.repeat(1000), b: '10' });
    await checkpoint(20, { b: '20', c: '20' });
    await checkpoint(30, { b: null, d: '30' });
  });

  afterEach(() => machine.store.close());

  const at10 = { a: 'x'.repeat(1000), b: '10' };
  const at20 = { a: 'x'.repeat(1000), b: '20', c: '20' };
  const at30 = { a: 'x'.repeat(1000), c: '20', d: '30' };

  it('takes the newest at or before the offset, and an older one with each further call', async () => {
    const { taken } = await another();
    expect(await taken.newestCopy!(29)).toBe(20);
    expect(await taken.restoreCopy!(29)).toBe(true);
    expect(await contents(taken)).toEqual({ cut: '20', keys: at20 });
    expect(await taken.newestCopy!(29)).toBe(10);
    expect(await taken.restoreCopy!(29)).toBe(true);
    expect(await contents(taken)).toEqual({ cut: '10', keys: at10 });
    expect(await taken.restoreCopy!(29)).toBe(false);
    expect(await contents(taken)).toEqual({ cut: '10', keys: at10 });
  });

  it('leaves what is held when there is none', async () => {
    const { taken } = await another();
    await taken.write(batch(5, { mine: '5' }));
    expect(await taken.newestCopy!(9)).toBeNull();
    expect(await taken.restoreCopy!(9)).toBe(false);
    expect(await contents(taken)).toEqual({ cut: '5', keys: { mine: '5' } });
  });

  it('replaces all of what is held', async () => {
    const { taken } = await another();
    await taken.write(batch(5, { mine: '5' }));
    expect(await taken.restoreCopy!(ALL)).toBe(true);
    expect(await contents(taken)).toEqual({ cut: '30', keys: at30 });
  });

  it('starts with the newest again when the partition is assigned again', async () => {
    const { other, taken } = await another();
    await taken.restoreCopy!(ALL);
    const unreleased = await other.store.partition(P);
    expect(await unreleased.newestCopy!(ALL)).toBe(30);
    await unreleased.restoreCopy!(ALL);
    await taken.release!();
    const again = await other.store.partition(P);
    expect(await again.restoreCopy!(ALL)).toBe(true);
    expect(await contents(again)).toEqual({ cut: '30', keys: at30 });
  });

  it.each([
    ['manifest', 'manifest-00000000000000000003', '20', at20, /manifest-\d{19}3-a is not whole/],
    ['delta', 'delta-00000000000000000003', '20', at20, /SHA-256 differs/],
  ])('takes the one before it when the newest %s is damaged, and reports it', async (_, name, cut, keys, report) => {
    objects.damage(name);
    const { other, taken } = await another();
    expect(await taken.restoreCopy!(ALL)).toBe(true);
    expect(await contents(taken)).toEqual({ cut, keys });
    expect(other.reports.filter((line) => report.test(line))).toHaveLength(1);
  });

  it('has none when the base of all is damaged, and leaves what is held', async () => {
    objects.damage('base');
    const { other, taken } = await another();
    await taken.write(batch(5, { mine: '5' }));
    expect(await taken.restoreCopy!(ALL)).toBe(false);
    expect(await contents(taken)).toEqual({ cut: '5', keys: { mine: '5' } });
    expect(other.reports.filter((line) => line.includes('SHA-256 differs'))).toHaveLength(1);
  });

  it('reports a file that is missing', async () => {
    objects.bytes.delete('g/payments-3/delta-00000000000000000003-a-00000');
    const { other, taken } = await another();
    expect(await taken.restoreCopy!(ALL)).toBe(true);
    expect(await contents(taken)).toEqual({ cut: '20', keys: at20 });
    expect(other.reports[0]).toMatch(/^payments-3: checkpoint 3 of a cannot be used: .*-a-00000 is missing$/);
  });

  it('reports a file that is too short, once for all checkpoints that need it', async () => {
    const short = 'g/payments-3/delta-00000000000000000002-a-00000';
    objects.bytes.set(short, objects.bytes.get(short)!.subarray(1));
    const { other, taken } = await another();
    expect(await taken.restoreCopy!(ALL)).toBe(true);
    expect(await contents(taken)).toEqual({ cut: '10', keys: at10 });
    expect(other.reports.filter((line) => / has \d+ bytes, not \d+/.test(line))).toHaveLength(1);
  });

  it('takes no file of another partition for its own', async () => {
    for (const [name, content] of [...objects.bytes])
      objects.bytes.set(name.replace('payments-3', 'payments-4'), content);
    const other = new Machine(objects, 'b');
    const taken = await other.store.partition({ ...P, partition: 4 });
    expect(await taken.restoreCopy!(ALL)).toBe(false);
    expect(other.reports[0]).toContain('is of another partition: payments-3');
  });

  it('goes on from the files of the copy: the next one is a delta', async () => {
    const { other, taken } = await another();
    await taken.restoreCopy!(20);
    await taken.write(batch(40, { e: '40' }));
    await other.pass(INTERVAL);
    expect(other.events).toEqual(['delta 40']);
    const { taken: third } = await another();
    expect(await third.restoreCopy!(ALL)).toBe(true);
    expect(await contents(third)).toEqual({ cut: '40', keys: { ...at20, e: '40' } });
  });

  it('waits for an object store that is away', async () => {
    const { other, taken } = await another();
    let failures = 5;
    objects.disturb = () => {
      if (failures-- > 0) throw new ObjectStoreError('OBJECTS_AWAY', 'away');
    };
    const done = taken.restoreCopy!(ALL);
    for (let i = 0; i < 10; i++) await other.pass(5000);
    expect(await done).toBe(true);
    expect(await contents(taken)).toEqual({ cut: '30', keys: at30 });
  });

  it('says so when the object store stays away, and can be asked again', async () => {
    const { other, taken } = await another();
    objects.disturb = () => {
      throw new ObjectStoreError('OBJECTS_AWAY', 'away');
    };
    const done = taken.restoreCopy!(ALL).catch((error: Error) => error.message);
    for (let i = 0; i < 30; i++) await other.pass(5000);
    expect(await done).toBe('away');
    objects.disturb = () => undefined;
    expect(await taken.restoreCopy!(ALL)).toBe(true);
  });

  it('has no cut when it died in the middle, and begins again', async () => {
    const inner = new MemoryStateStore();
    const real = await inner.partition(P);
    await real.write(batch(5, { mine: '5' }));
    let writes = 2;
    const dying = new Machine(objects, 'b', {
      partition: async () => ({
        cut: () => real.cut(),
        entries: () => real.entries(),
        clear: () => real.clear(),
        write: (b) => (writes-- > 0 ? real.write(b) : new Promise(() => undefined)),
      }),
      close: async () => undefined,
    });
    void (await dying.store.partition(P)).restoreCopy!(ALL);
    await idle();
    const { taken } = await another(inner);
    expect(await taken.cut()).toBeNull();
    expect(await taken.restoreCopy!(ALL)).toBe(true);
    expect(await contents(taken)).toEqual({ cut: '30', keys: at30 });
  });

  it('forgets copies of a partition that was begun anew, for good', async () => {
    await state.forgetCopies!();
    expect(await contents(state)).toEqual({ cut: null, keys: {} });
    expect(await (await another()).taken.restoreCopy!(ALL)).toBe(false);
    await checkpoint(1, { new: '1' });
    expect(machine.events.at(-1)).toBe('base 1');
    objects.damage('base-00000000000000000005');
    expect(await (await another()).taken.restoreCopy!(ALL)).toBe(false);
    for (let i = 2; i < 30; i++) await checkpoint(i, { new: String(i) });
    expect(objects.names('manifest')).toHaveLength(3);
  });

  it('takes nothing more from one that has released it', async () => {
    await state.release!();
    const released = { code: 'STATE_IO', message: 'the partition was given up' };
    await expect(state.write(batch(40, { e: '40' }))).rejects.toMatchObject(released);
    await expect(state.clear()).rejects.toMatchObject(released);
    await expect(state.restoreCopy!(ALL)).rejects.toMatchObject(released);
    expect(await contents(await machine.store.partition(P))).toEqual({ cut: '30', keys: at30 });
  });
});

describe('two that take themselves for the owner', () => {
  it('write side by side, and what either wrote is whole', async () => {
    const objects = new Objects();
    const old = new Machine(objects, 'old', new MemoryStateStore(), { retained: 1 });
    const zombie = await old.store.partition(P);
    await zombie.write(batch(10, { a: '10', b: '10' }));
    await old.pass(INTERVAL);
    await zombie.write(batch(15, { a: '15' }));
    const young = new Machine(objects, 'young', new MemoryStateStore(), { retained: 1 });
    const owner = await young.store.partition(P);
    await owner.restoreCopy!(15);
    await owner.write(batch(20, { a: '15', b: '20' }));
    await Promise.all([old.pass(INTERVAL), young.pass(INTERVAL)]);
    expect([...old.events, ...young.events]).toEqual(['base 10', 'delta 15', 'delta 20']);
    expect(objects.names('manifest')).toHaveLength(1);
    await owner.write(batch(30, { c: '30' }));
    for (let i = 0; i < 10; i++) await Promise.all([old.pass(INTERVAL), young.pass(INTERVAL)]);
    const reader = await new Machine(objects, 'reader').store.partition(P);
    expect(await reader.restoreCopy!(ALL)).toBe(true);
    expect(await contents(reader)).toEqual({ cut: '30', keys: { a: '15', b: '20', c: '30' } });
  });
});

describe('compressed checkpoints', () => {
  it('are smaller, and read back as they were', async () => {
    const objects = new Objects();
    const keys = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key ${i}`, `value of key ${i}`.repeat(5)]));
    let position = 0;
    for (const compression of [null, zstd]) {
      const machine = new Machine(objects, 'a', new MemoryStateStore(), { compression });
      const state = await machine.store.partition(P);
      let written: () => void = () => undefined;
      const done = new Promise<void>((resolve) => (written = resolve));
      objects.disturb = (operation, name) => {
        if (operation === 'put' && name.includes('manifest')) written();
      };
      await state.write(batch(++position, keys));
      await machine.pass(INTERVAL);
      await done;
    }
    const [plain, compressed] = [...objects.bytes].filter(([name]) => name.includes('base')).map(([, b]) => b.length);
    expect(compressed! * 4).toBeLessThan(plain!);
    const reader = new Machine(objects, 'b', new MemoryStateStore(), { compression: zstd });
    const state = await reader.store.partition(P);
    await state.restoreCopy!(ALL);
    expect(await contents(state)).toEqual({ cut: '2', keys });
    const ignorant = await new Machine(objects, 'c').store.partition(P);
    await ignorant.restoreCopy!(ALL);
    expect(await contents(ignorant)).toEqual({ cut: '1', keys });
  });

  it('keep bytes that no compression makes smaller as they are', async () => {
    const objects = new Objects();
    const machine = new Machine(objects, 'a', new MemoryStateStore(), {
      compression: { compress: async (b) => Buffer.concat([b, bytes('more')]), decompress: async () => bytes('') },
    });
    const state = await machine.store.partition(P);
    await state.write(batch(1, { a: '1' }));
    await machine.pass(INTERVAL);
    const reader = await new Machine(objects, 'b').store.partition(P);
    await reader.restoreCopy!(ALL);
    expect(await contents(reader)).toEqual({ cut: '1', keys: { a: '1' } });
  });
});
