import { jsonDecoder, row } from '../../test/harness/lane-kit.js';
import { parseRule } from '../rules/read/parse-rule.js';
import type { Rule } from '../rules/rule.js';
import { MemoryLog } from '../runtime/memory/memory-log.js';
import { loadSettings, type Settings } from '../runtime/settings/index.js';
import { dice } from '../runtime/testing/dice.js';
import { ManualClock } from '../runtime/testing/manual-clock.js';
import { backtest } from './backtest.js';
import { measure } from './measure.js';
import { lookBackMs } from './plan/look-back.js';
import { planOf } from './plan/plan.js';
import { protocolOf } from './plan/protocol.js';
import { resultOf } from './result.js';
import type { FileStream } from './run/file-streams.js';
import { TopicFile } from './run/topic-file.js';

const PARTITIONS = 3;
const HOUR = 3_600_000;
const EVENTS = 600;
/** The scored range begins after two thirds of the events, an hour each. */
const FROM = 400 * HOUR;

/** What looks back in every way that ends: a match, windows that end before a match does, lag, windows that emit, and what must not come. */
const RULES = [
  'id: pair\nkey: account\nwithin: 20h\npattern:\n  - begin: a\n    where: amount < 20\n  - followedBy: b\n    where: amount > 60\nskip: noSkip',
  'id: usual\nkey: account\nwithin: 6h\nfeatures:\n  - {name: usual, avg: amount, over: 40h, lagging: 10h}\n  - {name: shops, distinct: shop, over: 30h}\npattern:\n  - begin: a\n    where: amount > 1.5 * usual && shops > 1\n  - followedByAny: b\n    where: amount > usual\nskip: noSkip',
  'id: quiet\nkey: account\nwithin: 9h\npattern:\n  - begin: a\n    where: amount > 80\n  - notFollowedBy: b\n    where: amount < 50\nskip: noSkip',
  'id: sums\nkey: account\nwindow:\n  hopping: 24h\n  every: 6h\n  aggregates:\n    - {name: total, sum: amount}\n  having: total > 150',
  'id: shops\nkey: shop\nwithin: 15h\npattern:\n  - begin: a\n    where: amount > 70\n  - followedBy: b\n    where: amount > 70\nskip: noSkip',
];
/** Which match is kept depends on the one before it, and so on. */
const SKIPS =
  'id: skips\nkey: account\nwithin: 20h\npattern:\n  - begin: a\n    where: amount > 30\n    times: 2\nskip: pastLastEvent';

const stream = { topic: 'rows', time: 'at', key: 'account', id: 'id', outOfOrderness: '2h', format: 'ndjson' };

function settingsOf(): Settings {
  const loaded = loadSettings({
    env: {},
    overrides: { streams: { rows: stream }, backtest: { labels: { stream: 'rows' } } } as never,
  });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return loaded.settings;
}

/** Events that are written up to three hours after they happened. */
async function history(seed: number): Promise<MemoryLog> {
  const log = new MemoryLog({ clock: new ManualClock() });
  await log.createTopic({ name: 'rows', partitions: PARTITIONS });
  const roll = dice(seed);
  const records = Array.from({ length: EVENTS }, (_, i) => {
    const account = roll(6);
    const at = i * HOUR + roll(HOUR);
    const fields = { id: `e${i}`, account: `a${account}`, type: 'x', at, amount: roll(100), shop: `s${roll(4)}` };
    return { ...row('rows', fields), partition: account % PARTITIONS, timestamp: at + roll(3 * HOUR) };
  }).sort((a, b) => a.timestamp - b.timestamp);
  await (await log.producer()).send(records);
  return log;
}

function rulesOf(texts: readonly string[]): Rule[] {
  return texts.map((text) => {
    const { rule, diagnostics } = parseRule(`${text}\n`, 'rule.yaml', null);
    if (rule === null) throw new Error(JSON.stringify(diagnostics));
    return { ...rule, streams: ['rows'] };
  });
}

/** @param warmupMs how long before the range reading begins; infinite: at the first record. */
async function scored(log: MemoryLog, rules: readonly Rule[], warmupMs: number) {
  const settings = settingsOf();
  const schema = { stream: 'rows', fields: new Map(), kinds: null, kindParents: new Map() };
  const files = await TopicFile.open(log, 'rows', 'null', () => jsonDecoder);
  for (const file of files) await file.startAt(FROM - warmupMs);
  const streams: FileStream[] = files.map((file) => ({ settings: settings.streams.rows!, file, schema }));
  const protocol = protocolOf(settings, { from: FROM, to: 580 * HOUR });
  const input = { streams, plan: planOf(rules), protocol, options: { isOpenEnded: true }, now: () => 0 };
  const done = await backtest(input);
  const { events, late: _, ...figures } = resultOf(measure(done, [], new Map()));
  return { events, found: { ...figures, eventsPerSecond: 0, samples: done.findings.samples } };
}

describe('the warm-up of a back-test of a topic', () => {
  it.each([1, 2, 3, 4])(
    'that is as long as the rules look back gives what reading all gives (seed %i)',
    async (seed) => {
      const log = await history(seed);
      const rules = rulesOf(RULES);
      const horizon = lookBackMs(rules);
      expect(horizon / HOUR).toBe(56);
      const whole = await scored(log, rules, Number.POSITIVE_INFINITY);
      const warm = await scored(log, rules, horizon);
      expect(whole.events).toBe(EVENTS);
      expect(warm.events).toBeLessThan(EVENTS / 2);
      expect(warm.found).toEqual(whole.found);
      expect(Object.values(whole.found.byRule).every(({ accused }) => accused > 0)).toBe(true);
      // Each rule by itself looks back less.
      for (const rule of rules) {
        const [one, all] = [
          await scored(log, [rule], lookBackMs([rule])),
          await scored(log, [rule], Number.POSITIVE_INFINITY),
        ];
        expect(one.found).toEqual(all.found);
      }
      expect((await scored(log, rules, 0)).found.digest).not.toBe(whole.found.digest);
    },
  );

  it('begins at the first record for a rule that skips', async () => {
    const log = await history(5);
    const rules = rulesOf([SKIPS]);
    const horizon = lookBackMs(rules);
    expect(horizon).toBe(Number.POSITIVE_INFINITY);
    const warm = await scored(log, rules, horizon);
    expect(warm.events).toBe(EVENTS);
    expect(Object.values(warm.found.byRule)[0]!.alerts).toBeGreaterThan(0);
  });
});
