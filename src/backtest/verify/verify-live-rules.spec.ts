import {
  type MemoryKit,
  makeLane,
  memoryKit,
  RULES,
  readAlerts,
  readRuleSet,
  rowsOf,
  ruleSetOf,
  showAlert,
  stream,
} from '../../../test/harness/lane-kit.js';
import { until } from '../../../test/harness/until.js';
import { begin, eq, feature, field, ge } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import type { Lane } from '../../runtime/lane/lane.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { verify } from './verify.js';

const is = (type: string) => eq(field('type'), type);
const [AB] = RULES as [Rule, Rule, Rule];
const pattern = (within: number) => begin('A').where(is('a')).followedBy('B').where(is('b')).within(within).build();
const OTHER = begin('A').where(is('a')).followedBy('D').where(is('d')).within(100).build();

async function running(delivery: DeliveryMode, rules: readonly Rule[]) {
  const kit = await memoryKit();
  const lane = makeLane(kit, { delivery, ruleSet: ruleSetOf(rules) });
  await lane.start();
  const producer = await kit.log.producer();
  let sent = 0;
  const send = async (rows: string): Promise<void> => {
    const records = rowsOf(rows);
    await producer.send(records);
    sent += records.length;
    await until(() => lane.status().partitions[0]?.position === sent, 'all processed');
  };
  return { kit, lane, send };
}

/** Commits all and says what was found, after a replay has found the same. */
async function found({ kit, lane }: { readonly kit: MemoryKit; readonly lane: Lane }) {
  await lane.stop();
  const alertDecoder = { decode: (value: Uint8Array) => JSON.parse(String(Buffer.from(value))) as Alert };
  const result = await verify({
    ...{ log: kit.log, topic: 'rows', groupId: 'g', journalTopic: 'journal', alertsTopic: 'alerts', alertDecoder },
    ...{ stream, from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, current: ruleSetOf([]), readRuleSet },
    signal: new AbortController().signal,
    report: () => undefined,
    turn: async () => undefined,
  });
  expect(result).toMatchObject({ equal: true, repeats: 0, missing: [], unexpected: [] });
  return (await readAlerts(kit.log)).map((alert) => `${showAlert(alert)} ${alert.revision}`);
}

const to = (rules: readonly Rule[]) => ({ source: ruleSetOf(rules), routes: [] });

describe.each<DeliveryMode>(['exactly-once', 'at-least-once'])(
  'rules that change while a lane runs, %s',
  (delivery) => {
    it.each<[what: string, after: readonly Rule[], alerts: readonly string[]]>([
      [
        'keep runs under way where only a window or a condition is another',
        [{ ...AB, revision: 'r2', pattern: pattern(300) }],
        ['a-then-b X Xa100 Xb350 r2', 'a-then-b Y Ya340 Yb360 r2'],
      ],
      [
        'forget them where the author says so',
        [{ ...AB, revision: 'r2', onUpdate: 'restart' }],
        ['a-then-b Y Ya340 Yb360 r2'],
      ],
      [
        'forget them where the shape is another',
        [{ ...AB, revision: 'r2', pattern: OTHER }],
        ['a-then-b Y Ya340 Yd365 r2'],
      ],
      [
        'let them end under the old revision, and begin under the new one',
        [
          { ...AB, revision: 'r1', pattern: pattern(260), drains: true },
          { ...AB, revision: 'r2', onUpdate: 'drain', pattern: pattern(300) },
        ],
        ['a-then-b X Xa100 Xb350 r1', 'a-then-b Y Ya340 Yb360 r2'],
      ],
      ['forget those of a rule that is gone', [{ ...AB, id: 'another', revision: 'r2' }], ['another Y Ya340 Yb360 r2']],
    ])('%s', async (_, after, alerts) => {
      const run = await running(delivery, [{ ...AB, revision: 'r1', pattern: pattern(260) }]);
      // The a of X is under way, that of Y is still held back: it comes after X's b.
      await run.send('Xa100 Zz330 Ya340');
      await run.lane.setRules(to(after));
      await run.send('Xb350 Yb360 Yd365 Zz900');
      expect(await found(run)).toEqual(alerts);
    });

    it('change again and again, with keys on their way', async () => {
      const run = await running(delivery, [{ ...AB, revision: 'r1' }]);
      for (let i = 0; i < 8; i++) {
        const at = 1000 * i + 1000;
        await run.send(`Xa${at} Ya${at + 1} Zz${at + 20}`);
        await run.lane.setRules(to([{ ...AB, revision: `r${2 * i + 2}` }, ...(i % 2 === 0 ? [RULES[1]!] : [])]));
        await run.lane.setRules(to([{ ...AB, revision: `r${2 * i + 3}` }, RULES[2]!]));
        await run.send(`Xb${at + 50} Zz${at + 80}`);
      }
      const alerts = await found(run);
      expect(alerts.filter((alert) => alert.startsWith('a-then-b'))).toHaveLength(8);
    });

    it('are filled from the log before they come into force: what began before them is found after', async () => {
      const run = await running(delivery, [{ ...AB, id: 'another', revision: 'r1', pattern: OTHER }]);
      await run.send('Xa100 Ya105 Yb106 Zz130 Za140');
      const filled: Rule = { ...AB, revision: 'r2', onUpdate: 'backfill', pattern: pattern(300) };
      await run.lane.setRules(to([filled]));
      await inForce(run.lane, [filled]);
      // The match of Y was complete before, and is not told of.
      await run.send('Xb150 Zb170 Zz900');
      expect(await found(run)).toEqual(['a-then-b X Xa100 Xb150 r2', 'a-then-b Z Za140 Zb170 r2']);
    });

    it('are filled anew when they are changed, beside others that go on', async () => {
      const run = await running(delivery, [{ ...AB, revision: 'r1', pattern: pattern(10) }, RULES[1]!]);
      await run.send('Xa100 Xa111 Za140');
      const filled: Rule = { ...AB, revision: 'r2', onUpdate: 'backfill', pattern: pattern(300) };
      await run.lane.setRules(to([filled, RULES[1]!]));
      await inForce(run.lane, [filled, RULES[1]!]);
      await run.send('Xa144 Xb150 Zz900');
      expect(await found(run)).toEqual(
        expect.arrayContaining(['a-then-b X Xa100 Xb150 r2', 'three-a X Xa100,Xa111,Xa144 three-a-1']),
      );
    });

    it('have features filled as far back as these reach, and windows that others have had go on', async () => {
      const often = (id: string, count: number, overMs: number, more: Partial<Rule> = {}): Rule => {
        const counted = { fn: 'count', overMs } as const;
        const is4 = begin('A')
          .where(is('d'))
          .where(ge(feature(counted), count))
          .build();
        return { ...AB, id, revision: id, pattern: is4, features: [{ name: 'n', feature: counted }], ...more };
      };
      const run = await running(delivery, [often('short', 2, 50)]);
      await run.send('Xa100 Xa110 Xa120 Xa160 Zz185');
      const rules = [often('short', 2, 50), often('long', 5, 100, { onUpdate: 'backfill' })];
      await run.lane.setRules(to(rules));
      await inForce(run.lane, rules);
      await run.send('Xd190 Xd300 Zz900');
      expect(await found(run)).toEqual(['short X Xd190 short', 'long X Xd190 long']);
    });
  },
);

async function inForce(lane: Lane, rules: readonly Rule[]): Promise<void> {
  const { digest } = ruleSetOf(rules);
  await until(() => lane.status().partitions[0]?.rules === digest, 'the rules to be in force');
}
