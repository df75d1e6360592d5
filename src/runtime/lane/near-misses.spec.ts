import {
  allCommitted,
  type MemoryKit,
  makeLane,
  memoryKit,
  readAll,
  rowsOf,
  ruleOf,
  ruleSetOf,
} from '../../../test/harness/lane-kit.js';
import { begin, type Expr } from '../../engine/index.js';
import { MemoryLog } from '../memory/memory-log.js';
import type { NearMissRecord } from '../ports/near-miss.js';

const is = (type: string): Expr => ({
  ...{ op: 'compare', cmp: '==' },
  left: { op: 'field', name: 'type' },
  right: { op: 'const', value: type },
});

const sequence = begin('A').where(is('a')).followedBy('B').where(is('b')).within(100);
const RULE_SET = ruleSetOf([ruleOf('telling', sequence.nearMisses().build())]);

async function run(kit: MemoryKit, rows: string): Promise<number> {
  const lane = makeLane(kit, { ruleSet: RULE_SET });
  await lane.start();
  const producer = await kit.log.producer();
  await producer.send(rowsOf(rows));
  await allCommitted(kit);
  const { nearMisses } = lane.status();
  await lane.stop();
  return nearMisses;
}

async function told({ log }: { readonly log: MemoryLog }): Promise<readonly NearMissRecord[]> {
  return (await readAll(log, 'near-misses')).map(
    ({ value }) => JSON.parse(String(Buffer.from(value!))) as NearMissRecord,
  );
}

describe('near misses of a lane', () => {
  it('are on their topic, with what was missing and the whole records, and are counted', async () => {
    const kit = await memoryKit();
    expect(await run(kit, 'Xa100 Xa120 Ya150 Yb160 Zz500')).toBe(2);
    const [first, second] = await told(kit);
    expect(first).toMatchObject({
      ...{ patternId: 'telling', key: 'X', keyField: 'account', reason: 'within', missing: ['B'] },
      ...{ firstEventTime: 100, lastEventTime: 100, endedAt: 200 },
      steps: [{ step: 'A', events: [{ id: 'Xa100', fields: { type: 'a' } }] }],
    });
    expect(first!.id).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toMatchObject({ endedAt: 220, steps: [{ events: [{ id: 'Xa120' }] }] });
  });

  it('are there once, also where a restart comes between the last event and the end of the window', async () => {
    const [whole, cut] = [await memoryKit(), await memoryKit()];
    await run(whole, 'Xa100 Zz110 Zz500');
    await run(cut, 'Xa100 Zz110');
    await run(cut, 'Zz500');
    expect(await told(cut)).toEqual(await told(whole));
    expect(await told(whole)).toHaveLength(1);
  });
});
