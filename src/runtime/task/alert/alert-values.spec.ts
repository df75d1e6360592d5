import { type EngineEvent, type Match, PatternRunner } from '../../../engine/index.js';
import { parseRule } from '../../../rules/index.js';
import type { Rule } from '../../../rules/rule.js';
import { scoreOf } from '../../../rules/score.js';
import { KeyedEngine } from '../keyed/keyed-engine.js';
import { renderMessage } from './message.js';

interface Told {
  readonly at: number;
  readonly score: number;
  readonly message: string;
  readonly features: Match['features'];
}

const MINUTE = 60_000;

function ruleOf(rest: string): Rule {
  const { rule, diagnostics } = parseRule(`id: a\nkey: k\n${rest}`, 'p.yaml', null);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

const tellingOf = (rule: Rule, match: Match, at: number): Told => ({
  at,
  score: scoreOf(rule, match),
  message: renderMessage(rule.alert.message, match, 'K'),
  features: match.features,
});

/** Events of one key, by minute. */
const eventsOf = (rows: readonly (readonly [minute: number, fields: Record<string, unknown>])[]): EngineEvent[] =>
  rows.map(([minute, fields], i) => ({ time: minute * MINUTE, seq: i + 1, kind: '', fields }));

function byEngine(rule: Rule, events: readonly EngineEvent[]): Told[] {
  const told: Told[] = [];
  const engine = new KeyedEngine('k', [rule], {
    onMatch: (_rule, _key, match, at) => void told.push(tellingOf(rule, match, at)),
  });
  for (const event of events) {
    while (engine.nextTimer() <= event.time) engine.fireNext();
    engine.process('K', event);
    engine.process('other', { ...event, fields: { amount: 9999 } });
  }
  while (Number.isFinite(engine.nextTimer())) engine.fireNext();
  return told.filter(({ message }) => !message.includes('9999'));
}

function byRunner(rule: Rule, events: readonly EngineEvent[]): Omit<Told, 'at'>[] {
  const { values, features } = rule;
  const runner = new PatternRunner(rule.pattern, {
    key: 'K',
    ...(values && { values }),
    ...(features && { features }),
  });
  const matches = events.flatMap((event) => runner.feed(event));
  return [...matches, ...runner.advance(Number.MAX_SAFE_INTEGER)].map((match) => {
    const { at, ...rest } = tellingOf(rule, match, 0);
    return rest;
  });
}

/** What is told of each match, by a host that keeps windows itself and by the engine alone. */
function tell(rule: Rule, rows: Parameters<typeof eventsOf>[0]): Told[] {
  const told = byEngine(rule, eventsOf(rows));
  expect(byRunner(rule, eventsOf(rows))).toEqual(told.map(({ at, ...rest }) => rest));
  return told;
}

const SPEND = `features:
  - {name: usual, median: amount, over: 60d, lagging: 1ms}
  - {name: places, distinct: place, over: 1h}
  - {name: before, last: place, over: 60d, lagging: 1ms}
pattern:
  - {begin: large, where: amount > 100}
alert:
  severity: high
  score: amount / usual * 10
  message: "{{ amount }} in {{ place }}, {{ amount / usual }} times {{ usual }}; {{ before }} before, {{ places }} places"
`;

describe('what an alert tells', () => {
  it('is as of the event that completes the match', () => {
    const rows = [
      [0, { amount: 20, place: 'DE' }],
      [1, { amount: 60, place: 'FR' }],
      [2, { amount: 120, place: 'KY' }],
      [3, { amount: 1200, place: 'KY' }],
    ] as const;
    expect(tell(ruleOf(SPEND), rows)).toEqual([
      {
        at: 2 * MINUTE,
        score: 30,
        message: '120 in KY, 3 times 40; FR before, 3 places',
        features: { usual: 40, places: 3, before: 'FR' },
      },
      {
        at: 3 * MINUTE,
        score: 100,
        message: '1200 in KY, 20 times 60; KY before, 3 places',
        features: { usual: 60, places: 3, before: 'KY' },
      },
    ]);
  });

  it('is a dash and the score of the severity where a value is missing', () => {
    expect(tell(ruleOf(SPEND), [[0, { amount: 120 }]])).toEqual([
      {
        at: 0,
        score: 80,
        message: '120 in –, – times –; – before, 0 places',
        features: { usual: null, places: 0, before: null },
      },
    ]);
  });

  it('is as of the end of the window where nothing came, without an event', () => {
    const rule = ruleOf(`within: 10m
features:
  - {name: recent, sum: amount, over: 5m}
  - {name: quiet, since: true, over: 1h}
pattern:
  - {begin: order, where: amount > 100}
  - {notFollowedBy: confirmation, where: amount == 0}
alert: {score: order.amount / 10, message: "{{ order.amount }}: {{ recent }} lately, {{ amount }}, {{ quiet }} ms, {{ time }}"}
`);
    const rows = [
      [0, { amount: 200 }],
      [6, { amount: 7 }],
      [8, { amount: 2 }],
      [30, { amount: 5 }],
    ] as const;
    const told = { at: 10 * MINUTE, score: 20, message: '200: 9 lately, –, 120000 ms, 600000' };
    expect(tell(rule, rows)).toEqual([{ ...told, features: { recent: 9, quiet: 2 * MINUTE } }]);
  });

  it('is what came out of a window, with features as of its end', () => {
    const rule = ruleOf(`features:
  - {name: usual, median: amount, over: 1d}
window:
  hopping: 10m
  every: 5m
  where: amount > 5
  aggregates:
    - {name: total, sum: amount}
    - {name: place, last: place}
  having: total > 2 * usual
alert: {score: total / usual, message: "{{ total }} in {{ place }} until {{ windowEnd }}, {{ usual }} usual, {{ duration }}"}
`);
    const rows = [
      [1, { amount: 10, place: 'DE' }],
      [4, { amount: 20, place: 'FR' }],
      [6, { amount: 3, place: 'IT' }],
      [8, { amount: 40, place: 'KY' }],
    ] as const;
    const windows = tell(rule, rows);
    // Until 5: 30 with 15 usual; until 10: 70 with 15 usual; until 15: 40 with 15 usual.
    expect(windows.map(({ at, score, message }) => [at / MINUTE, score, message])).toEqual([
      [10, 70 / 15, '70 in KY until 600000, 15 usual, 7 m'],
      [15, 40 / 15, '40 in KY until 900000, 15 usual, 0 ms'],
    ]);
    expect(windows[0]!.features).toEqual({
      ...{ usual: 15, windowStart: 0, windowEnd: 10 * MINUTE, firstTime: MINUTE, lastTime: 8 * MINUTE },
      ...{ total: 70, place: 'KY' },
    });
  });

  it('looks at the events of all steps', () => {
    const rule = ruleOf(`within: 1h
pattern:
  - {begin: small, where: amount < 10, times: 2}
  - {followedBy: large, where: amount > 100}
alert: {score: count(small) + first(small).amount, message: "{{ large.amount - sum(small.amount) }} and {{ small[1].amount }}"}
`);
    expect(
      tell(rule, [
        [0, { amount: 1 }],
        [1, { amount: 3 }],
        [2, { amount: 104 }],
      ]),
    ).toEqual([{ at: 2 * MINUTE, score: 3, message: '100 and 3', features: undefined }]);
  });
});
