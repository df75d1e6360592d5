import { jsonDecoder, type Row, RULES, ruleOf, ruleSetOf, stream } from '../../../test/harness/lane-kit.js';
import { until } from '../../../test/harness/until.js';
import { RELEASE, rowsOf, World } from '../../../test/savepoints/kit.js';
import { BEFORE } from '../../../test/savepoints/scenario.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import type { TopicPartition } from '../ports/log.js';
import { forwardedDecoder } from '../repartition/forwarded-decoder.js';
import { type Route, routeTopic } from '../repartition/route.js';
import { openSavepoint } from './file-reader.js';
import type { RestorePlan } from './plan.js';
import { planSameTopics } from './plan-same.js';

const signal = new AbortController().signal;
const topic = routeTopic('rows', 'device');
const routed: readonly TopicPartition[] = [0, 1].map((partition) => ({ topic, partition }));

/** The same pattern, for what happens on one device. */
const byDevice = ruleOf('by-device', RULES[0]!.pattern, {
  ...{ key: 'device', fields: ['account', 'at', 'device', 'id', 'type'] },
});
const clock = { ...stream.clock, outOfOrdernessMs: 0, forwarded: true };
const route: Route = {
  field: 'device',
  topic: { name: topic, partitions: 2 },
  ruleSet: ruleSetOf(
    [byDevice],
    forwardedDecoder(() => jsonDecoder),
    clock,
  ),
};

const onDevices = (rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, device: `device-${row.at % 3}` }));
const [first, second] = [onDevices(BEFORE), onDevices(rowsOf('Xb135 Ya137 Zb138 Wa141 Vb142 Xb143 Yb150 Xz900 Yz900'))];

async function run(world: World, rows: readonly Row[]): Promise<void> {
  await world.send(rows);
  const lane = world.lane({ routes: [route] });
  await lane.start();
  const ended = () => lane.status().partitions.filter(({ position, endOffset }) => position === endOffset);
  let before = -1;
  await until(async () => {
    world.clock.advance(100);
    const reached = lane.status().partitions.reduce((sum, { position }) => sum + position, 0);
    const still = ended().length === world.partitions + routed.length && reached === before && reached >= rows.length;
    before = reached;
    return still;
  }, 'all to be processed and forwarded');
  await lane.stop();
}

async function savepointOf(world: World): Promise<string> {
  return (await world.take({ partitions: [...world.all, ...routed] })).path;
}

async function planOf(world: World, path: string): Promise<RestorePlan> {
  return planSameTopics([await openSavepoint(path, RELEASE)], { log: world.log, release: RELEASE, signal });
}

describe('a savepoint of rules that are keyed by another field', () => {
  it('holds what was forwarded to them, and goes on', async () => {
    const whole = await World.of(2);
    await run(whole, [...first, ...second]);
    const world = await World.of(2);
    await run(world, first);
    const path = await savepointOf(world);
    world.store = new MemoryStateStore();
    await world.restore(await planOf(world, path));
    await run(world, second);
    const ofDevices = async (of: World) =>
      (await of.alerts()).filter((alert) => alert.startsWith('by-device')).toSorted();
    expect(await ofDevices(world)).toEqual(await ofDevices(whole));
    expect((await ofDevices(whole)).length).toBeGreaterThan(3);
  });

  it('is not put back where events were forwarded since: they would be forwarded again', async () => {
    const world = await World.of(2);
    await run(world, first);
    const path = await savepointOf(world);
    await run(world, second);
    await expect(planOf(world, path)).rejects.toMatchObject({
      code: 'SAVEPOINT_TARGET',
      message: expect.stringMatching(/^rows-by-device holds events that the service forwarded to it after/),
    });
  });
});
