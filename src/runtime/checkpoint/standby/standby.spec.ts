import { batch, contents, INTERVAL, idle, Machine, Objects, P } from '../../../../test/harness/checkpoint-kit.js';
import { MemoryStateStore } from '../../memory/memory-state-store.js';
import type { PartitionState } from '../../ports/state-store.js';
import { Standby } from './standby.js';

describe('a standby', () => {
  let objects: Objects;
  let owner: Machine;
  let state: PartitionState;
  let machine: Machine;
  let inner: MemoryStateStore;
  let standby: Standby;

  beforeEach(async () => {
    objects = new Objects();
    owner = new Machine(objects, 'owner');
    state = await owner.store.partition(P);
    await startStandby(new MemoryStateStore());
  });

  afterEach(async () => {
    await standby.stop();
    await owner.store.close();
    await machine.store.close();
  });

  const startStandby = async (on: MemoryStateStore) => {
    inner = on;
    machine = new Machine(objects, 'standby', inner);
    const { store, clock, reports } = machine;
    const report = (line: string) => void reports.push(line);
    standby = new Standby({
      follow: (p, stopped) => store.follow(p, stopped),
      clock,
      report,
      intervalMs: 1000,
      partitions: async () => [P],
    });
    await standby.start();
  };
  const checkpoint = async (position: number, changes: Record<string, string | null>) => {
    await state.write(batch(position, changes));
    await owner.pass(INTERVAL);
  };
  /** Names of files read while the standby looks once. */
  const look = async () => {
    const read: string[] = [];
    objects.disturb = (operation, name) => {
      if (operation === 'get' && !name.includes('manifest'))
        read.push(name.replace(/.*(base|delta).*(\d)-owner.*/, '$1 $2'));
    };
    await machine.pass(1000);
    objects.disturb = () => undefined;
    return read;
  };
  const local = async () => contents(await inner.partition(P));

  it('follows the checkpoints of another, reading only what is new', async () => {
    expect(await look()).toEqual([]);
    await checkpoint(1, { a: 'x'.repeat(500) });
    await checkpoint(2, { b: '2', c: '2' });
    expect(await look()).toEqual(['base 1', 'delta 2']);
    await checkpoint(3, { b: null });
    expect(await look()).toEqual(['delta 3']);
    expect(await local()).toEqual({ cut: '3', keys: { a: 'x'.repeat(500), c: '2' } });
    expect(await look()).toEqual([]);
  });

  it('begins anew with a new base', async () => {
    await checkpoint(1, { a: '1' });
    await look();
    await checkpoint(2, { a: 'x'.repeat(500) });
    await checkpoint(3, { b: '3', a: null });
    expect(owner.events).toEqual(['base 1', 'delta 2', 'base 3']);
    expect(await look()).toEqual(['base 3']);
    expect(await local()).toEqual({ cut: '3', keys: { b: '3' } });
  });

  it('goes on after a start from what it has', async () => {
    await checkpoint(1, { a: 'x'.repeat(500) });
    await look();
    await standby.stop();
    await checkpoint(2, { b: '2' });
    await startStandby(inner);
    expect(await look()).toEqual(['delta 2']);
    expect(await local()).toEqual({ cut: '2', keys: { a: 'x'.repeat(500), b: '2' } });
  });

  it('leaves what is newer than the newest checkpoint', async () => {
    await (await inner.partition(P)).write(batch(7, { mine: '7' }));
    await checkpoint(5, { a: '5' });
    expect(await look()).toEqual([]);
    expect(await local()).toEqual({ cut: '7', keys: { mine: '7' } });
    await checkpoint(8, { a: '8' });
    await look();
    expect(await local()).toEqual({ cut: '8', keys: { a: '8' } });
  });

  it('has the state ready when the partition is taken over, and the next checkpoint is a delta', async () => {
    await checkpoint(1, { a: 'x'.repeat(500) });
    await look();
    const taken = await machine.store.partition(P);
    expect(await contents(taken)).toEqual({ cut: '1', keys: { a: 'x'.repeat(500) } });
    await taken.write(batch(2, { b: '2' }));
    await machine.pass(INTERVAL);
    expect(machine.events).toEqual(['delta 2']);
  });

  it('does not touch a partition that is owned, and follows it again when it was released', async () => {
    await checkpoint(1, { a: '1' });
    await look();
    const taken = await machine.store.partition(P);
    await checkpoint(2, { a: '2' });
    expect(await look()).toEqual([]);
    expect(await contents(taken)).toEqual({ cut: '1', keys: { a: '1' } });
    await taken.release!();
    expect(await look()).toEqual(['delta 2']);
    expect(await local()).toEqual({ cut: '2', keys: { a: '2' } });
  });

  it('does not go back behind what was written before the partition was released', async () => {
    const taken = await machine.store.partition(P);
    await taken.write(batch(10, { a: 'x'.repeat(500) }));
    await machine.pass(INTERVAL);
    await taken.write(batch(20, { a: '20' }));
    await taken.release!();
    await state.restoreCopy!(15);
    await checkpoint(15, { b: '15' });
    expect(owner.events).toEqual(['delta 15']);
    await look();
    expect(await local()).toEqual({ cut: '20', keys: { a: '20' } });
    await checkpoint(25, { a: '20', b: null });
    await look();
    expect(await local()).toEqual({ cut: '25', keys: { a: '20' } });
  });

  it('is waited for when the partition is assigned in the middle of it', async () => {
    await checkpoint(1, { a: '1', b: '1' });
    let goOn: () => void = () => undefined;
    objects.disturb = (operation, name) =>
      operation === 'get' && name.includes('base') ? new Promise((resolve) => (goOn = resolve)) : undefined;
    await machine.pass(1000);
    let taken: PartitionState | null = null;
    const assigned = machine.store.partition(P).then((given) => {
      taken = given;
    });
    await idle();
    expect(taken).toBeNull();
    goOn();
    await assigned;
    expect(await contents(taken!)).toEqual({ cut: '1', keys: { a: '1', b: '1' } });
  });

  it('takes the one before a damaged one, once, and goes on with the next base', async () => {
    await checkpoint(1, { a: '1' });
    await look();
    await checkpoint(2, { b: 'x'.repeat(500) });
    objects.damage('delta');
    await look();
    expect(await local()).toEqual({ cut: '1', keys: { a: '1' } });
    expect(await look()).toEqual([]);
    expect(machine.reports.filter((line) => line.includes('SHA-256 differs'))).toHaveLength(1);
    await checkpoint(3, { c: '3' });
    expect(await look()).toEqual(['base 3']);
    expect(await local()).toEqual({ cut: '3', keys: { a: '1', b: 'x'.repeat(500), c: '3' } });
  });

  it('reports what it cannot follow once, and goes on when it can', async () => {
    await checkpoint(1, { a: '1' });
    objects.disturb = () => {
      throw new Error('no way in');
    };
    await machine.pass(1000);
    await machine.pass(1000);
    objects.disturb = () => undefined;
    await machine.pass(1000);
    expect(machine.reports.filter((line) => !line.includes('put in place'))).toEqual([
      'payments-3: its checkpoints cannot be followed: no way in',
      'payments-3: followed again',
    ]);
    expect(await local()).toEqual({ cut: '1', keys: { a: '1' } });
  });
});
