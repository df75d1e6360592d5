import {
  makeLane,
  RULES,
  readAlerts,
  readAll,
  row,
  ruleOf,
  ruleSetOf,
  stream,
} from '../../../test/harness/lane-kit.js';
import { until } from '../../../test/harness/until.js';
import type { Rule } from '../../rules/rule.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import type { DeliveryMode } from '../lane/commit/delivery.js';
import type { Lane } from '../lane/lane.js';
import { MemoryLog } from '../memory/memory-log.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import { dice } from '../testing/dice.js';
import { ManualClock } from '../testing/manual-clock.js';
import { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.js';
import { forwardedDecoder } from './forwarded-decoder.js';
import { type Route, routeTopic } from './route.js';
import { encodeTold } from './told.js';
import { Upstreams } from './upstreams.js';

const PARTITIONS = 3;
const byDevice: readonly Rule[] = RULES.map((rule) =>
  ruleOf(`device-${rule.id}`, rule.pattern, { key: 'device', fields: [...rule.fields, 'device'].sort() }),
);

interface Row {
  readonly id: string;
  readonly account: string;
  readonly type: string;
  readonly at: number;
  readonly device?: string;
}

/**
 * Rows in the order in which they are sent; those of one account go to one partition. No two of one time: between partitions
 * they have no order.
 */
function randomRows(seed: number, count: number): Row[] {
  const roll = dice(seed);
  const used = new Set<number>();
  let time = 1000;
  return Array.from({ length: count }, (_, i) => {
    time += 1 + roll(7);
    let at = time - roll(6);
    while (used.has(at)) at++;
    used.add(at);
    const device = roll(10) === 0 ? {} : { device: `d${roll(4)}` };
    return { id: `e${i}`, account: `a${roll(5)}`, type: 'abc'[roll(3)]!, at, ...device };
  });
}

function routeOf(rules: readonly Rule[] = byDevice): Route {
  const plain = ruleSetOf(rules);
  const clock = { ...stream.clock, outOfOrdernessMs: 0, forwarded: true };
  const ruleSet: RuleSetVersion = ruleSetOf(
    rules,
    forwardedDecoder(() => plain.decoder),
    clock,
  );
  return { field: 'device', topic: { name: routeTopic('rows', 'device'), partitions: 2 }, ruleSet };
}

interface World {
  readonly log: MemoryLog;
  readonly store: MemoryStateStore;
  readonly clock: ManualClock;
}

async function worldOf(partitions: number): Promise<World> {
  const clock = new ManualClock();
  const log = new MemoryLog({ clock });
  await log.createTopic({ name: 'rows', partitions });
  return { log, store: new MemoryStateStore(), clock };
}

async function send(world: World, rows: readonly Row[], partitions: number): Promise<void> {
  const producer = await world.log.producer();
  const records = rows.map((r) => ({ ...row('rows', { ...r }), partition: Number(r.account.slice(1)) % partitions }));
  await producer.send(records);
}

/** Lets time pass until all is committed, and time has passed all windows. */
async function quiet(world: World, lane: Lane, lastTime: number): Promise<void> {
  const END = lastTime + 100;
  await until(
    async () => {
      world.clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
      const { partitions } = lane.status();
      const done = partitions.filter((p) => p.position === p.endOffset && p.buffered === 0);
      const late = partitions.filter((p) => p.maxEventTime !== null && (p.watermark ?? 0) < END);
      return partitions.length > 0 && done.length === partitions.length && late.length === 0;
    },
    () => `all processed: ${JSON.stringify(lane.status())}`,
  );
}

const found = async (log: MemoryLog): Promise<string[]> =>
  (await readAlerts(log))
    .filter((alert) => alert.keyField === 'device')
    .map(
      (a) =>
        `${a.patternId} ${a.key} ${a.steps.map((s) => s.events.map((e) => e.id).join(',')).join(' ')} ${a.detectedAt}`,
    )
    .toSorted();

/** What the same rules find in one partition with all rows, in their order of event time. */
async function expected(rows: readonly Row[]): Promise<string[]> {
  const world = await worldOf(1);
  const lane = makeLane(world, { ruleSet: ruleSetOf(byDevice) });
  await lane.start();
  await send(
    world,
    rows.toSorted((a, b) => a.at - b.at),
    1,
  );
  await quiet(world, lane, rows.at(-1)!.at);
  await lane.stop();
  return found(world.log);
}

describe('rules that are keyed by another field than the topic', () => {
  it.each<[DeliveryMode, number]>([
    ['exactly-once', 1],
    ['exactly-once', 2],
    ['at-least-once', 3],
  ])(
    'find what they find where all events are in one partition, %s, over restarts (seed %i)',
    async (delivery, seed) => {
      const rows = randomRows(seed, 240);
      const world = await worldOf(PARTITIONS);
      const options = { delivery, ruleSet: ruleSetOf(RULES), routes: [routeOf()] };
      for (let from = 0; from < rows.length; from += 80) {
        // Each start but the first goes on from what was stored, or replays all: the store is lost once.
        const kit = from === 160 ? { ...world, store: new MemoryStateStore() } : world;
        const lane = makeLane(kit, options);
        await lane.start();
        await send(world, rows.slice(from, from + 80), PARTITIONS);
        await until(async () => {
          world.clock.advance(100);
          const committed = await world.log.committed('g');
          let sum = 0;
          for (let p = 0; p < PARTITIONS; p++) sum += committed.get(`rows-${p}`) ?? 0;
          return sum === from + 80;
        }, 'the source to be committed');
        if (from + 80 === rows.length) await quiet(world, lane, rows.at(-1)!.at);
        await lane.stop();
      }
      const alerts = await found(world.log);
      expect(new Set(alerts).size).toBe(alerts.length);
      expect(alerts.length).toBeGreaterThan(20);
      expect(alerts).toEqual(await expected(rows));
    },
  );

  it('tell of events by where they were first', async () => {
    const world = await worldOf(PARTITIONS);
    const lane = makeLane(world, { routes: [routeOf()] });
    await lane.start();
    const at = (id: string, account: string, type: string, time: number): Row => {
      return { id, account, type, at: time, device: 'd' };
    };
    await send(world, [at('1', 'a1', 'a', 1000), at('2', 'a2', 'b', 1010)], PARTITIONS);
    await quiet(world, lane, 1010);
    await lane.stop();
    const alert = (await readAlerts(world.log)).find((a) => a.patternId === 'device-a-then-b')!;
    expect(alert.steps.flatMap((s) => s.events.map((e) => [e.topic, e.partition, e.offset, e.eventTime]))).toEqual([
      ['rows', 1, 0, 1000],
      ['rows', 2, 0, 1010],
    ]);
  });

  it('wait for the slowest partition, until that is idle', async () => {
    const world = await worldOf(2);
    const lane = makeLane(world, { routes: [routeOf()] });
    await lane.start();
    const producer = await world.log.producer();
    const record = (id: string, account: string, type: string, at: number, partition: number) => {
      return { ...row('rows', { id, account, type, at, device: 'd' }), partition };
    };
    await producer.send([record('1', 'a0', 'b', 2000, 0), record('2', 'a0', 'c', 2500, 0)]);
    await until(() => {
      world.clock.advance(100);
      return lane.status().partitions.some((p) => p.topic === 'rows-by-device' && p.buffered > 0);
    }, 'the events to be forwarded');
    // It is later here, and earlier in event time: it is not late all the same.
    await producer.send([record('3', 'a1', 'a', 1990, 1)]);
    await quiet(world, lane, 2500);
    await lane.stop();
    const alerts = (await readAlerts(world.log)).map((a) => a.patternId);
    expect(alerts).toContain('device-a-then-b');
    expect(await readAll(world.log, 'late')).toEqual([]);
  });
});

describe('the records of a repartition topic', () => {
  it.each<Envelope>([
    {
      kind: 'event',
      from: { topic: 't', partition: 3 },
      of: 8,
      stream: 'ü',
      offset: 77,
      time: 1234.5,
      raw: new Uint8Array([1, 2]),
    },
    { kind: 'watermark', from: { topic: 't', partition: 0 }, of: 1, stream: 's', watermark: -5 },
    { kind: 'idle', from: { topic: 'ü', partition: 1 }, of: 2, stream: null },
  ])('are read as they were written: $kind', (envelope) => {
    const bytes = encodeEnvelope(envelope);
    const read = decodeEnvelope(bytes)!;
    expect(read).toEqual(envelope);
    for (let length = 0; length < bytes.length; length++) expect(decodeEnvelope(bytes.subarray(0, length))).toBeNull();
  });

  it('are read as they were written where one is of another stream and topic than the one before', () => {
    const of = (topic: string, stream: string, first: string): Envelope => ({
      ...{ kind: 'event', from: { topic, partition: 1 }, of: 2, stream, offset: 7, time: 5, raw: new Uint8Array([3]) },
      ...{ origin: { topic: first, partition: 0, offset: 9 }, told: encodeTold({ a: 1, b: null, c: 'ü' }) },
    });
    const some = [of('t1', 's1', 'f1'), of('t2', 's1', 'f11'), of('t1', 's22', 'f1'), of('t1', 's22', 'f2')];
    const written = some.map(encodeEnvelope);
    expect(written.map(decodeEnvelope)).toEqual(some);
    // Of one record it is asked again and again.
    expect(written.flatMap((bytes) => [decodeEnvelope(bytes), decodeEnvelope(bytes)])).toEqual(
      some.flatMap((one) => [one, one]),
    );
  });

  it('say how far event time has come only when all partitions were heard of', () => {
    const upstreams = new Upstreams();
    const says = (partition: number, watermark: number) =>
      upstreams.hear({ kind: 'watermark', from: { topic: 't', partition }, of: 2, stream: null, watermark });
    says(0, 100);
    expect(upstreams.watermark()).toBe(Number.NEGATIVE_INFINITY);
    says(1, 40);
    expect(upstreams.watermark()).toBe(40);
    upstreams.hear({ kind: 'idle', from: { topic: 't', partition: 1 }, of: 2, stream: null });
    expect(upstreams.watermark()).toBe(100);
    const restored = new Upstreams();
    restored.restore(upstreams.state());
    expect(restored.watermark()).toBe(100);
  });
});

describe('the watermark of several streams', () => {
  const says = (stream: string | null, partition: number, of: number, watermark: number): Envelope => {
    return { kind: 'watermark', stream, from: { topic: stream ?? 't', partition }, of, watermark };
  };

  it('is the lowest of all that are read, once each was heard of whole', () => {
    const upstreams = new Upstreams(['a', 'b']);
    upstreams.hear(says('a', 0, 1, 100));
    upstreams.hear(says('b', 0, 2, 50));
    expect(upstreams.watermark()).toBe(Number.NEGATIVE_INFINITY);
    upstreams.hear(says('b', 1, 2, 70));
    expect(upstreams.watermark()).toBe(50);
    const restored = new Upstreams(['a', 'b']);
    restored.restore(JSON.parse(JSON.stringify(upstreams.state())));
    expect(restored.watermark()).toBe(50);
    restored.readFrom(['a', 'b', 'c']);
    expect(restored.watermark()).toBe(Number.NEGATIVE_INFINITY);
    restored.readFrom(['a']);
    restored.hear(says('c', 0, 1, 10));
    restored.readFrom(['a', 'b', 'c']);
    expect(restored.watermark()).toBe(Number.NEGATIVE_INFINITY);
  });

  it('is that of the only stream, whatever its records call it', () => {
    const upstreams = new Upstreams(['a']);
    upstreams.hear(says(null, 0, 2, 100));
    upstreams.hear({ ...says('a', 1, 2, 40), from: { topic: 't', partition: 1 } });
    expect(upstreams.watermark()).toBe(40);
  });

  it('is read from records of the release before, which name no stream', () => {
    const bytes = encodeEnvelope(says('', 3, 2, 77));
    // Version 1, without the stream, which is here the byte behind `of`.
    const old = Uint8Array.from([1, ...bytes.subarray(1, 3), ...bytes.subarray(4)]);
    expect(decodeEnvelope(old)).toEqual({ ...says(null, 3, 2, 77), from: { topic: '', partition: 3 } });
  });
});
