import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../../test/harness/until.js';
import { MemoryLog } from '../../../runtime/memory/memory-log.js';
import { MemoryObjectStore } from '../../../runtime/memory/memory-object-store.js';
import type { StateEntry, StateStore } from '../../../runtime/ports/state-store.js';
import { ManualClock } from '../../../runtime/testing/manual-clock.js';
import { someSettings } from '../../testing/a-service.js';
import { ServiceState } from './store.js';

const P = { topic: 'transactions', partition: 1 };
const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString();

describe('the state of the service', () => {
  let directory: string;
  let objects: MemoryObjectStore;
  let clock: ManualClock;
  const states: ServiceState[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stakeout-store-'));
    objects = new MemoryObjectStore();
    clock = new ManualClock();
  });

  afterEach(async () => {
    for (const state of states.splice(0)) {
      for (const part of state.background) await part.stop();
      await state.close();
    }
    await rm(directory, { recursive: true });
  });

  /** As a process whose data lie in a folder of that name. */
  const open = async (name: string, checkpoint: Record<string, unknown>) => {
    const settings = someSettings({ data: { directory: join(directory, name) }, checkpoint });
    const log = new MemoryLog();
    await log.createTopic({ name: 'transactions', partitions: 2 });
    await log.createTopic({ name: 'others', partitions: 1 });
    const state = new ServiceState({
      ...{ settings, clock, log, report: () => undefined, hasState: (topic) => topic === 'transactions' },
      openObjects: async () => (settings.checkpoint.to === 'none' ? null : objects),
    });
    states.push(state);
    const store = await state.open();
    for (const part of state.background) await part.start();
    return { state, store };
  };

  const written = async (state: ServiceState, store: StateStore) => {
    const partition = await store.partition(P);
    await partition.write({ position: 7, cut: Buffer.from('7'), puts: [entry('k', 'v')], deletes: [] });
    clock.advance(30_000);
    await until(() => state.checkpoints()[0]?.written === 1, 'a checkpoint');
  };

  const entry = (key: string, value: string): StateEntry => ({ key: Buffer.from(key), value: Buffer.from(value) });

  it('keeps no copies unless the settings say where', async () => {
    const { state, store } = await open('a', {});
    expect((await store.partition(P)).restoreCopy).toBeUndefined();
    expect(state.background).toEqual([]);
    expect(state.checkpoints()).toEqual([]);
  });

  it('copies what changed, for another machine to go on with', async () => {
    const { state, store } = await open('a', { to: 'directory' });
    await written(state, store);
    expect(state.checkpoints()).toMatchObject([{ ...P, last: { kind: 'base', position: 7 } }]);
    expect(await objects.list('stakeout/transactions-1/')).toHaveLength(2);
    const other = await open('b', { to: 'directory' });
    const taken = await other.store.partition(P);
    expect(await taken.cut()).toBeNull();
    expect(await taken.restoreCopy!(7)).toBe(true);
    expect(text(await taken.cut())).toBe('7');
  });

  it('follows partitions of the topics that are read, where a standby is asked for', async () => {
    const { state, store } = await open('a', { to: 'directory' });
    const other = await open('b', { to: 'directory', standby: true });
    expect(other.state.background.map(({ name }) => name)).toEqual(['standby']);
    await written(state, store);
    clock.advance(15_000);
    const taken = await until(async () => {
      clock.advance(15_000);
      const partition = await other.store.partition(P);
      if ((await partition.cut()) !== null) return partition;
      await partition.release!();
      return null;
    }, 'the standby');
    expect(text(await taken!.cut())).toBe('7');
  });
});
