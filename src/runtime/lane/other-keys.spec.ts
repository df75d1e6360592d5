import {
  allCommitted,
  type MemoryKit,
  makeLane,
  memoryKit,
  readAlerts,
  row,
  ruleSetOf,
} from '../../../test/harness/lane-kit.js';
import { parseRule, type Rule } from '../../rules/index.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import { dice } from '../testing/dice.js';

const RULE = `
id: here
key: account
within: 200ms
features:
  - {name: seen, distinct: account, over: 150ms, key: place}
  - {name: before, last: type, over: 300ms, lagging: 1ms, key: place}
  - {name: bought, count: true, where: type == 'a', over: 200ms, key: [place, shop]}
  - {name: own, count: true, over: 200ms}
pattern:
  - {begin: first, where: seen >= 2 && before != type}
  - {followedBy: second, where: bought >= 1 && own > 1}
skip: pastLastEvent
alert: {score: 10 * seen, message: "{{ seen }} after {{ before }}"}
`;

function ruleOf(text: string): Rule {
  const { rule, diagnostics } = parseRule(text, 'here.yaml', null);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

function randomRows(seed: number, count: number) {
  const roll = dice(seed);
  return Array.from({ length: count }, (_, i) => {
    const place = roll(6) === 0 ? {} : { place: `p${roll(3)}`, shop: `s${roll(2)}` };
    return row('rows', { id: `e${i}`, account: `A${roll(3)}`, type: 'abc'[roll(3)]!, at: 1000 + 10 * i, ...place });
  });
}

/** What a partition finds, whole alerts; `between`: what becomes of the lane after each record. */
async function found(
  seed: number,
  between: ((kit: MemoryKit) => MemoryKit) | null,
  ruleSets = [ruleSetOf([ruleOf(RULE)])],
): Promise<readonly object[]> {
  let kit = await memoryKit();
  const rows = randomRows(seed, 60);
  const producer = await kit.log.producer();
  let lane = makeLane(kit, { ruleSet: ruleSets[0]! });
  await lane.start();
  for (const [i, record] of rows.entries()) {
    await producer.send([record]);
    if (between === null) continue;
    await allCommitted(kit);
    await lane.stop();
    kit = between(kit);
    lane = makeLane(kit, { ruleSet: ruleSets[i % ruleSets.length]! });
    await lane.start();
  }
  await allCommitted(kit);
  await lane.stop();
  return readAlerts(kit.log);
}

describe('features of another key in one partition', () => {
  it.each([1, 2, 3])('are the same with the state stored and restored after every record (seed %i)', async (seed) => {
    const wanted = await found(seed, null);
    expect(wanted.length).toBeGreaterThan(5);
    expect(wanted[0]).toMatchObject({ steps: [{ events: [{ values: { seen: expect.any(Number) } }] }, {}] });
    expect(await found(seed, (kit) => kit)).toEqual(wanted);
  });

  it('are the same where nothing was stored and all is replayed', async () => {
    const wanted = await found(4, null);
    expect(await found(4, (kit) => ({ ...kit, store: new MemoryStateStore() }))).toEqual(wanted);
  });

  it('go on counting when the rule is changed, and beside other rules', async () => {
    const other = ruleOf(
      RULE.replace('id: here', 'id: there').replace('distinct: account, over: 150ms', 'count: true, over: 90ms'),
    );
    const both = [ruleSetOf([ruleOf(RULE)]), ruleSetOf([other, ruleOf(RULE)])];
    const isOf = (alert: object): boolean => (alert as { patternId: string }).patternId === 'here';
    expect((await found(5, (kit) => kit, both)).filter(isOf)).toEqual(await found(5, null));
  });
});
