import { INTERVAL, Machine, Objects } from '../../../../test/harness/checkpoint-kit.js';
import { makeLane, readAlerts, row, showAlert } from '../../../../test/harness/lane-kit.js';
import { until } from '../../../../test/harness/until.js';
import { MemoryLog } from '../../memory/memory-log.js';
import { MemoryStateStore } from '../../memory/memory-state-store.js';
import type { StateStore } from '../../ports/state-store.js';
import { AheadStore } from '../../state-ahead/ahead-store.js';
import { decodeCut } from '../../task/stored/cut.js';
import { Standby } from './standby.js';

const PARTITION = { topic: 'rows', partition: 0 };
const positionOf = (cut: Uint8Array) => decodeCut(cut).position;

/** Rows of five accounts. What is sent later is later by so much that no idle clock has come so far. */
const stageOf = (n: number) => (n < 100 ? 0 : n < 140 ? 1 : 2);
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => from + i).map((n) =>
    row('rows', {
      id: `r${n}`,
      account: `k${n % 5}`,
      type: ['a', 'x', 'b', 'a', 'c', 'x', 'x'][n % 7]!,
      at: n * 3 + stageOf(n) * 1e6,
    }),
  );

/** A log, and what machines do on it. */
class Site {
  readonly log = new MemoryLog();
  readonly objects = new Objects();

  async send(from: number, to: number): Promise<void> {
    const producer = await this.log.producer();
    await producer.send(rows(from, to));
    await producer.close();
  }

  /** Lets a machine go on until all is committed and time has passed. */
  async work(machine: Machine, ms: number) {
    const lane = makeLane({ log: this.log, store: machine.store, clock: machine.clock });
    const started = lane.start();
    for (let passed = 0; passed < ms; passed += 100) await machine.pass(100);
    await until(async () => {
      await machine.pass(100);
      const { end } = await this.log.offsets(PARTITION);
      return (await this.log.committed('g')).get('rows-0') === end;
    }, 'everything to be committed');
    await started;
    return lane;
  }

  async alerts(): Promise<string[]> {
    return (await readAlerts(this.log)).map(showAlert).sort();
  }
}

async function uninterrupted(to: number): Promise<string[]> {
  const site = new Site();
  await site.log.createTopic({ name: 'rows', partitions: 1 });
  await site.send(0, to);
  const lane = await site.work(new Machine(site.objects, 'only'), 5000);
  await lane.stop();
  return site.alerts();
}

describe('a lane on another machine', () => {
  let site: Site;
  let first: Machine;

  beforeEach(async () => {
    site = new Site();
    await site.log.createTopic({ name: 'rows', partitions: 1 });
    first = new Machine(site.objects, 'first', undefined, { positionOf });
    await site.send(0, 100);
    const lane = await site.work(first, INTERVAL + 1000);
    await until(() => first.events.length > 0, 'a checkpoint');
    await site.send(100, 140);
    for (let i = 0; i < 20; i++) await first.pass(100);
    await lane.stop();
    await first.store.close();
  });

  it('goes on from the checkpoint, though retention has deleted what came before it', async () => {
    site.log.deleteBefore(PARTITION, 95);
    const second = new Machine(site.objects, 'second', undefined, { positionOf });
    await site.send(140, 200);
    const lane = await site.work(second, 5000);
    expect(lane.status().recordsReplayed).toBe(40);
    await lane.stop();
    expect(await site.alerts()).toEqual(await uninterrupted(200));
  });

  it('goes on from what the standby has, without reading a file', async () => {
    site.log.deleteBefore(PARTITION, 95);
    const second = new Machine(site.objects, 'second', undefined, { positionOf });
    const { store, clock } = second;
    const partitions = async () => [PARTITION];
    const standby = new Standby({
      follow: (partition, stopped) => store.follow(partition, stopped),
      ...{ clock, partitions, intervalMs: 1000, report: () => undefined },
    });
    await standby.start();
    await second.pass(1000);
    await standby.stop();
    site.objects.disturb = (operation) => {
      if (operation === 'get') throw new Error('a file was read');
    };
    await site.send(140, 200);
    const lane = await site.work(second, 5000);
    expect(lane.status().recordsReplayed).toBe(40);
    await lane.stop();
    expect(await site.alerts()).toEqual(await uninterrupted(200));
  });

  it('goes on from what the standby has in memory, without reading its own store', async () => {
    site.log.deleteBefore(PARTITION, 95);
    const ahead = new AheadStore(unlistable(), 1_000_000, async () => undefined);
    const second = new Machine(site.objects, 'second', ahead, {
      ...{ positionOf, whileCopied: (partition, copy) => ahead.whileCopied(partition, copy) },
    });
    expect(await second.store.follow(PARTITION, new AbortController().signal)).toBe(true);
    await site.send(140, 200);
    const lane = await site.work(second, 5000);
    expect([lane.status().recordsReplayed, ahead.bytesAhead]).toEqual([40, 0]);
    await lane.stop();
    expect(await site.alerts()).toEqual(await uninterrupted(200));
  });
});

/** A store in memory whose entries nobody can read. */
function unlistable(): StateStore {
  const inner = new MemoryStateStore();
  return {
    async partition(partition) {
      const state = await inner.partition(partition);
      const entries = (): never => {
        throw new Error('the store was read');
      };
      return { cut: () => state.cut(), entries, write: (batch) => state.write(batch), clear: () => state.clear() };
    },
    close: () => inner.close(),
  };
}
