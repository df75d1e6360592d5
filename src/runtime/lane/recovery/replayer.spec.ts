import {
  jsonDecoder,
  type LaneKit,
  makeLane,
  RULES,
  readAlerts,
  row,
  ruleOf,
  ruleSetOf,
} from '../../../../test/harness/lane-kit.js';
import { until } from '../../../../test/harness/until.js';
import { begin, eq, field } from '../../../engine/index.js';
import { MemoryLog } from '../../memory/memory-log.js';
import { MemoryStateStore } from '../../memory/memory-state-store.js';
import { ManualClock } from '../../testing/manual-clock.js';

const KEYS = 3000;
const OTHER = ruleOf(
  'z-alone',
  begin('Z')
    .where(eq(field('type'), 'z'))
    .build(),
);

async function send(kit: LaneKit, type: string, at: number): Promise<void> {
  const producer = await kit.log.producer();
  const rows = Array.from({ length: KEYS }, (_, i) => row('rows', { id: `${type}${i}`, account: `k${i}`, type, at }));
  await producer.send([...rows, row('rows', { id: `${type}-end`, account: 'end', type: 'q', at: at + 20 })]);
}

/** A lane that ended with a run under way for each of many keys. */
async function stored(): Promise<LaneKit> {
  const clock = new ManualClock();
  const log = new MemoryLog({ clock });
  await log.createTopic({ name: 'rows', partitions: 1 });
  const kit = { log, store: new MemoryStateStore(), clock };
  await send(kit, 'a', 100);
  const lane = makeLane(kit);
  await lane.start();
  await until(() => lane.status().partitions[0]?.position === KEYS + 1, 'all records processed');
  await lane.stop();
  return kit;
}

describe('restoring many keys', () => {
  it.each([
    ['as they were stored', RULES],
    ['under rules that stand at other places', [OTHER, ...RULES]],
  ])('lets other work have its turn, and finds what goes on from them: %s', async (_, rules) => {
    const kit = await stored();
    let turns = 0;
    const lane = makeLane(kit, {
      ruleSet: ruleSetOf(rules, jsonDecoder),
      turn: async () => {
        turns++;
      },
    });
    await lane.start();
    await until(() => lane.status().partitions[0]?.phase === 'live', 'the partition to be live');
    expect(turns).toBeGreaterThanOrEqual(5);
    expect(lane.status().partitions[0]?.keys).toBe(KEYS);
    await send(kit, 'b', 130);
    await until(() => lane.status().partitions[0]?.position === 2 * (KEYS + 1), 'all records processed');
    await lane.stop();
    const found = (await readAlerts(kit.log)).filter(({ patternId }) => patternId === 'a-then-b');
    expect(new Set(found.map(({ key }) => key)).size).toBe(KEYS);
  });
});
