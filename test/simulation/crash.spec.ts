import type { DeliveryMode } from '../../src/runtime/lane/commit/delivery.js';
import type { Lane } from '../../src/runtime/lane/lane.js';
import { MemoryLog } from '../../src/runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../src/runtime/memory/memory-state-store.js';
import { ManualClock } from '../../src/runtime/testing/manual-clock.js';
import { makeLane, readAlerts, readAll, row, showAlert } from '../harness/lane-kit.js';
import { CrashingProcess } from './crashing-kit.js';

/**
 * The lane on simulated log and store. One seed is one history of records and one way to die and come back; what is
 * committed in the end must be what a run that never died gives.
 * Rerun one: `SEED=17 npm test -- test/simulation`.
 */
const COUNT = Number(process.env.SEEDS ?? 300);
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: COUNT }, (_, i) => i + 1);
/** Half a minute on an idle machine for a thousand seeds. */
const TIMEOUT_MS = 4 * 3_600_000;
const RECORDS = 60;

function random(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface World {
  readonly log: MemoryLog;
  readonly store: MemoryStateStore;
  readonly clock: ManualClock;
}

/** Runs until everything is committed, or until the process dies. */
async function live(
  world: World,
  delivery: DeliveryMode,
  process: CrashingProcess,
  send: (() => Promise<void>)[],
): Promise<Lane | null> {
  const kit = { log: process.log, store: process.store, clock: world.clock };
  const lane = makeLane(kit, { snapshotIntervalMs: 300, delivery, chunkSizes: { splitFrom: 100, chunkBytes: 80 } });
  const started = lane.start();
  for (let turns = 0; turns < 20_000; turns++) {
    if (process.isDead) return null;
    const next = turns % 3 === 0 ? send.shift() : undefined;
    if (next !== undefined) await next();
    await turn();
    world.clock.advance(20);
    const { end } = await world.log.offsets({ topic: 'rows', partition: 0 });
    const committed = (await world.log.committed('g')).get('rows-0') ?? 0;
    if (send.length === 0 && committed === end && lane.status().partitions[0]?.idle === true) {
      await started;
      return lane;
    }
  }
  throw new Error(`no end in sight: ${JSON.stringify({ ...lane.status(), matches: undefined })}`);
}

async function history(
  seed: number,
  delivery: DeliveryMode,
  crashes: boolean,
): Promise<{ alerts: string[]; repeats: number; dead: string[]; letters: number }> {
  const rnd = random(seed);
  const world: World = { log: new MemoryLog(), store: new MemoryStateStore(), clock: new ManualClock() };
  await world.log.createTopic({ name: 'rows', partitions: 1 });
  const producer = await world.log.producer();
  let time = 1000;
  const sends = Array.from({ length: RECORDS }, (_, i) => {
    time += Math.floor(rnd() * 12);
    const at = time - Math.floor(rnd() * 10);
    const record = row('rows', {
      id: `e${i}`,
      account: 'XYZ'[Math.floor(rnd() * 3)]!,
      type: 'abc'[Math.floor(rnd() * 3)]!,
      at,
    });
    return () => producer.send([rnd() < 0.03 ? { ...record, value: new Uint8Array([1]) } : record]);
  });
  const die = random(seed * 7919);
  const dead: string[] = [];
  for (;;) {
    const step = crashes && dead.length < 5 ? 1 + Math.floor(die() * 25) : Number.POSITIVE_INFINITY;
    const process = new CrashingProcess(world.log, world.store, { step, after: die() < 0.5 });
    const lane = await live(world, delivery, process, sends);
    await lane?.stop();
    if (!process.isDead) break;
    dead.push(process.diedAt);
    await process.bury();
  }
  const alerts = (await readAlerts(world.log)).map((a) => `${a.id} ${showAlert(a)} ${a.detectedAt}`);
  const written = await readAll(world.log, 'dead-letters');
  const letters = new Set(written.map((r) => String(r.headers!.get('stakeout.offset'))));
  const repeats = alerts.length - new Set(alerts).size + written.length - letters.size;
  return { alerts: [...new Set(alerts)], repeats, dead, letters: letters.size };
}

const EFFECTS: Readonly<Record<DeliveryMode, readonly string[]>> = {
  'exactly-once': ['commit', 'state clear', 'state write', 'transaction'],
  'at-least-once': ['commit', 'send', 'state clear', 'state write', 'transaction'],
};

describe.each(Object.keys(EFFECTS) as DeliveryMode[])('a lane that dies at any step and comes back, %s', (delivery) => {
  it(
    `gives the alerts of a run that never died, over ${SEEDS.length} seeds`,
    async () => {
      let deaths = 0;
      let alerts = 0;
      const places = new Set<string>();
      for (const seed of SEEDS) {
        const whole = await history(seed, delivery, false);
        const broken = await history(seed, delivery, true);
        expect(whole.repeats).toBe(0);
        const differs = JSON.stringify(whole.alerts.toSorted()) !== JSON.stringify(broken.alerts.toSorted());
        const repeated = delivery === 'exactly-once' && broken.repeats > 0;
        if (differs || repeated || whole.letters !== broken.letters) {
          expect({ seed, rerun: `SEED=${seed} npm test -- test/simulation`, ...broken }).toEqual({ seed, ...whole });
        }
        deaths += broken.dead.length;
        alerts += whole.alerts.length;
        for (const place of broken.dead) places.add(place);
      }
      expect(alerts).toBeGreaterThan(SEEDS.length);
      if (SEEDS.length > 1) {
        expect(deaths).toBeGreaterThan(SEEDS.length);
        expect([...places].sort()).toEqual(
          ['after', 'before'].flatMap((when) => EFFECTS[delivery].map((e) => `${when} ${e}`)),
        );
      }
    },
    TIMEOUT_MS,
  );
});
