import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { describeStateStoreContract, type StateStoreFixture } from '../../../../test/contracts/state-store-contract.js';
import { until } from '../../../../test/harness/until.js';
import { RocksStateStore } from '../../../connectors/rocksdb/rocks-state-store.js';
import { MemoryStateStore } from '../../../runtime/memory/memory-state-store.js';
import { BLOCK_ENTRIES } from '../../../runtime/ports/entry-block.js';
import { FencedError } from '../../../runtime/ports/log.js';
import { ObjectStoreError } from '../../../runtime/ports/object-store.js';
import {
  type PartitionState,
  type StateBatch,
  type StateEntry,
  type StateStore,
  StateStoreError,
} from '../../../runtime/ports/state-store.js';
import { RemoteStateStore } from './remote-state-store.js';
import { CHUNKS_AHEAD } from './state-messages.js';
import { StateServer } from './state-server.js';

const P0 = { topic: 'payments', partition: 0 };
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);
const batch = (cut: string, puts: readonly StateEntry[] = []): StateBatch => ({
  ...{ position: 1, cut: bytes(cut), puts, deletes: [] },
});
const entries = (count: number): StateEntry[] =>
  Array.from({ length: count }, (_, i) => ({ key: bytes(`key-${String(i).padStart(7, '0')}`), value: bytes('v') }));

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A lane's view of the store, over a real channel. */
function lane(server: StateServer) {
  const { port1, port2 } = new MessageChannel();
  const connection = server.serve(port1);
  const store = new RemoteStateStore(port2);
  ends.push(async () => {
    await store.close();
    await connection.close();
  });
  return { store, connection };
}

describeStateStoreContract('RemoteStateStore over MemoryStateStore', async () => {
  const { store } = lane(new StateServer(new MemoryStateStore()));
  return { store, dispose: async () => undefined };
});

describeStateStoreContract('RemoteStateStore over RocksStateStore', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stakeout-remote-state-'));
  let inner = await RocksStateStore.open({ directory });
  let current = lane(new StateServer(inner));
  const fixture: StateStoreFixture = {
    store: current.store,
    async reopen() {
      await current.store.close();
      await inner.close();
      inner = await RocksStateStore.open({ directory });
      current = lane(new StateServer(inner));
      return current.store;
    },
    async dispose() {
      await inner.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return fixture;
});

/** A store of one partition whose methods can be replaced. */
function storeOf(over: Partial<PartitionState>): StateStore {
  const memory = new MemoryStateStore();
  return {
    async partition(partition) {
      const inner = await memory.partition(partition);
      return {
        cut: () => inner.cut(),
        entries: () => inner.entries(),
        write: (b) => inner.write(b),
        clear: () => inner.clear(),
        ...over,
      };
    },
    close: () => memory.close(),
  };
}

describe('RemoteStateStore', () => {
  it.each([
    new StateStoreError('STATE_DISK_FULL', 'no space'),
    new FencedError('someone else'),
    new ObjectStoreError('OBJECTS_AWAY', 'no bucket'),
  ])('gives errors of the store as they are: $constructor.name', async (thrown) => {
    const { store } = lane(new StateServer(storeOf({ write: () => Promise.reject(thrown) })));
    const error: unknown = await (await store.partition(P0)).write(batch('1')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(thrown.constructor);
    expect(error).toMatchObject({ code: thrown.code, message: thrown.message });
  });

  it('keeps code and message of any other error', async () => {
    const failing = { cut: () => Promise.reject(Object.assign(new TypeError('odd'), { code: 'ODD' })) };
    const state = await lane(new StateServer(storeOf(failing))).store.partition(P0);
    await expect(state.cut()).rejects.toMatchObject({ code: 'ODD', message: 'odd' });
  });

  it('restores copies where the store keeps some, and says so where it keeps none', async () => {
    const asked: number[] = [];
    const restoreCopy = async (atOrBefore: number) => asked.push(atOrBefore) === 1;
    const copying = await lane(new StateServer(storeOf({ restoreCopy }))).store.partition(P0);
    expect([await copying.restoreCopy!(7), await copying.restoreCopy!(8)]).toEqual([true, false]);
    expect(asked).toEqual([7, 8]);
    const plain = await lane(new StateServer(storeOf({}))).store.partition(P0);
    expect(plain.restoreCopy).toBeUndefined();
  });

  it('reads a listing only so far ahead as it is taken', async () => {
    let read = 0;
    async function* many(): AsyncIterable<StateEntry> {
      for (const entry of entries(20 * BLOCK_ENTRIES)) {
        read++;
        yield entry;
      }
    }
    const state = await lane(new StateServer(storeOf({ entries: many }))).store.partition(P0);
    const listing = state.entries()[Symbol.asyncIterator]();
    await listing.next();
    await state.cut();
    // One chunk more than may be on their way has been read, and waits; the first one taken allowed another.
    await until(
      () => read === (CHUNKS_AHEAD + 2) * BLOCK_ENTRIES,
      () => `the chunks ahead, not ${read} entries`,
    );
    await state.cut();
    expect(read).toBe((CHUNKS_AHEAD + 2) * BLOCK_ENTRIES);
    let count = 1;
    while (!(await listing.next()).done) count++;
    expect(count).toBe(20 * BLOCK_ENTRIES);
  });

  it('ends the listing of the store when no more is wanted', async () => {
    let ended = false;
    async function* many(): AsyncIterable<StateEntry> {
      try {
        yield* entries(20 * BLOCK_ENTRIES);
      } finally {
        ended = true;
      }
    }
    const state = await lane(new StateServer(storeOf({ entries: many }))).store.partition(P0);
    for await (const { key } of state.entries()) {
      expect(Buffer.from(key).toString()).toBe('key-0000000');
      break;
    }
    await until(() => ended, 'the end of the listing');
  });

  it('fails what is under way, and what comes later, when the other side is gone', async () => {
    const { store, connection } = lane(new StateServer(storeOf({ write: () => new Promise(() => undefined) })));
    const state = await store.partition(P0);
    const writing = state.write(batch('1'));
    void connection.close();
    await expect(writing).rejects.toMatchObject({ code: 'STATE_IO' });
    await expect(state.cut()).rejects.toBeInstanceOf(StateStoreError);
    await expect(state.entries()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'STATE_IO' });
  });
});

describe('StateServer', () => {
  it('lets only the lane that opened a partition last change it', async () => {
    const server = new StateServer(new MemoryStateStore());
    const [one, two] = [await lane(server).store.partition(P0), await lane(server).store.partition(P0)];
    await two.write(batch('of two'));
    await expect(one.write(batch('of one'))).rejects.toBeInstanceOf(FencedError);
    await expect(one.clear()).rejects.toBeInstanceOf(FencedError);
    expect(Buffer.from((await two.cut())!).toString()).toBe('of two');
  });

  it('opens a partition for another lane only after what was asked of it before is done', async () => {
    const done: string[] = [];
    const gate = Promise.withResolvers<void>();
    const write = async ({ cut }: StateBatch) => {
      await gate.promise;
      done.push(Buffer.from(cut).toString());
    };
    const server = new StateServer(storeOf({ write }));
    const { store } = lane(server);
    const one = await store.partition(P0);
    const writing = [one.write(batch('1')), one.write(batch('2'))];
    // A port keeps its order: the writes are in the queue of their partition when this is answered.
    await store.partition({ ...P0, partition: 1 });
    const opening = lane(server)
      .store.partition(P0)
      .then(() => done.push('opened'));
    gate.resolve();
    await Promise.all([...writing, opening]);
    expect(done).toEqual(['1', '2', 'opened']);
  });

  it('releases a partition of the store when a lane does, or is gone; not one that another lane has by now', async () => {
    let released = 0;
    const release = async () => {
      released++;
    };
    const server = new StateServer(storeOf({ release }));
    const [one, two] = [lane(server), lane(server)];
    const state = await one.store.partition(P0);
    await state.release!();
    expect(released).toBe(1);
    await expect(state.write(batch('late'))).rejects.toBeInstanceOf(FencedError);
    await one.store.partition(P0);
    await two.store.partition(P0);
    await one.connection.close();
    expect(released).toBe(1);
    await two.connection.close();
    expect(released).toBe(2);
  });
});
