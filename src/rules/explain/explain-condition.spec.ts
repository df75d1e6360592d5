import type { Expr, Feature, Scalar } from '../../engine/index.js';
import { parseRule } from '../read/parse-rule.js';
import { payments } from '../testkit/payments.js';
import { explainingOf, type Seen } from './evaluator.js';
import { explainCondition, failingParts, farOff } from './explain-condition.js';

const TIME = Date.UTC(2026, 0, 5, 10);

const lists = {
  has: (list: string, value: string): boolean => list === 'sanctioned' && value === 'KP',
  get: (list: string, key: string): string | undefined => (list === 'home' && key === 'A1' ? 'DE' : undefined),
};

const FIELDS = { accountId: 'A1', amount: 9800, country: 'DE', approved: false, type: 'Payment' };

/** The condition of the last step of a rule whose first step, `first`, has taken an event of 100. */
function conditionOf(text: string): { readonly where: Expr; readonly feature: Feature | undefined } {
  const yaml = [
    'id: rule',
    'key: accountId',
    'within: 1h',
    'features: [{name: usual, avg: amount, over: 30d}]',
    'pattern:',
    '  - begin: first',
    '  - followedBy: last',
    `    where: ${JSON.stringify(text)}`,
    'alert: {message: "{{ usual }}"}',
  ].join('\n');
  const { rule, diagnostics } = parseRule(yaml, 'rule.yaml', [{ name: 'payments', schema: payments }], {
    lists: new Map([
      ['sanctioned', 'set'],
      ['home', 'map'],
    ]),
  });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const last = rule!.pattern.steps.at(-1)!;
  return {
    where: (last.kind === 'event' ? last.where : undefined) as Expr,
    feature: rule!.features?.[0]?.feature,
  };
}

function explained(text: string, fields: Readonly<Record<string, unknown>> = {}, usual: Scalar | null = 120) {
  const { where, feature } = conditionOf(text);
  const first = { time: TIME - 90_000, seq: 1, kind: 'Payment', fields: { ...FIELDS, amount: 100 } };
  const seen: Seen = {
    event: { time: TIME, seq: 2, kind: 'Payment', fields: { ...FIELDS, ...fields } },
    head: { event: first, step: 0, previous: null },
    steps: ['first', 'last'],
    features: new Map(feature === undefined ? [] : [[feature, usual]]),
    key: 'A1',
    lists,
    nameOf: () => 'usual',
  };
  return explainCondition(where, explainingOf(seen));
}

describe('a condition is explained', () => {
  const cases: readonly (readonly [string, boolean, string, Readonly<Record<string, unknown>>?])[] = [
    ['amount > 10000.0', false, 'amount 9,800 is 200 short of > 10,000'],
    ['amount > 10000.0', true, 'amount 12,000 is > 10,000', { amount: 12_000 }],
    ['amount > 9800.0', false, 'amount 9,800 is just not > 9,800'],
    ['amount <= 5.5', false, 'amount 9,800 is 9,794.5 too much for <= 5.5'],
    ['amount == 10.0', false, 'amount 9,800 is not 10, but 9,790 off'],
    ['amount != 9800.0', false, 'amount 9,800 is 9,800, and must not be'],
    [
      'amount > 100 * first.amount',
      false,
      'amount 9,800 is 200 short of > 100 * first.amount (10,000, with first.amount 100)',
    ],
    ['amount > 100 * usual', false, 'amount 9,800 is 2,200 short of > 100 * usual (12,000, with usual 120)'],
    ["country == 'OFFSHORE'", false, "country 'DE' is not 'OFFSHORE'"],
    ["country != 'DE'", false, "country is 'DE'"],
    ['country != first.country', false, "country 'DE' is first.country 'DE'"],
    ["country in ['KP', 'IR']", false, "country 'DE' is not one of 'KP', 'IR'"],
    ["country in ['KP']", false, "country 'DE' is not 'KP'"],
    ["country in list('sanctioned')", false, "country 'DE' is not in the list sanctioned"],
    ["country in list('sanctioned')", true, "country 'KP' is in the list sanctioned", { country: 'KP' }],
    ["!(country in ['DE', 'FR'])", false, "country 'DE' is one of 'DE', 'FR'"],
    ['!(amount > 5.0)', false, 'amount 9,800 is 9,795 too much for <= 5'],
    ['amount > 10000.0', false, 'amount is missing', { amount: null }],
    ["deviceId == 'd1'", false, 'deviceId is missing'],
    ["deviceId in ['d1', 'd2']", false, 'deviceId is missing'],
    ['has(deviceId)', false, 'deviceId is missing'],
    ['deviceId == null', false, "deviceId 'd1' is there", { deviceId: 'd1' }],
    ['approved', false, 'approved is false'],
    ["country.startsWith('F')", false, "startsWith(country, 'F') is false, with country 'DE'"],
    [
      "time - first.time > duration('4h')",
      false,
      'time - first.time (1 m 30 s, with time 2026-01-05 10:00:00 and first.time 2026-01-05 09:58:30) is 3 h 58 m short of > 4 h',
    ],
    ['count(first) >= 3', false, 'count(first) 1 is 2 short of >= 3'],
    ["key == 'A2'", false, "key 'A1' is not 'A2'"],
    [
      "list('home', accountId) != country",
      false,
      "list('home', accountId) ('DE', with accountId 'A1' and list('home', accountId) 'DE') is country 'DE'",
    ],
    ["amount > 10000.0 && country == 'DE'", false, 'amount 9,800 is 200 short of > 10,000'],
    [
      "amount > 10000.0 && country == 'FR'",
      false,
      "amount 9,800 is 200 short of > 10,000 and country 'DE' is not 'FR'",
    ],
    [
      "amount > 10000.0 || country == 'FR'",
      false,
      "amount 9,800 is 200 short of > 10,000 and country 'DE' is not 'FR'",
    ],
    ["amount > 10000.0 || country == 'DE'", true, "country is 'DE'"],
    ["!(amount > 5.0 || country == 'FR')", false, 'amount 9,800 is 9,795 too much for <= 5'],
    [
      'approved ? amount > 5.0 : amount > 10000.0',
      false,
      'amount 9,800 is 200 short of > 10,000, because approved is false',
    ],
  ];
  it.each(cases.map(([condition, holds, said, fields]) => [condition, holds, said, fields ?? {}] as const))(
    '%s: %s, %s',
    (condition, holds, said, fields) => {
      const part = explained(condition, fields);
      expect([part.holds, part.said]).toEqual([holds, said]);
    },
  );

  it('with a value that features do not have', () => {
    expect(explained('amount > 2.0 * usual', {}, null).said).toBe('2 * usual is missing');
  });

  it('with every part of it, and what each read', () => {
    const part = explained("(amount > 10000.0 || approved) && !(country in ['FR', 'IT'])");
    expect(part).toMatchObject({
      holds: false,
      kind: 'all',
      parts: [
        {
          condition: 'amount > 10000 || approved',
          kind: 'any',
          holds: false,
          parts: [
            { condition: 'amount > 10000', holds: false, kind: 'test', shortBy: 200, values: { amount: 9800 } },
            { condition: 'approved', holds: false, kind: 'test', values: { approved: false } },
          ],
        },
        { kind: 'not', holds: true, parts: [{ holds: false, values: { country: 'DE' } }] },
      ],
    });
    expect(failingParts(part).map(({ condition }) => condition)).toEqual(['amount > 10000', 'approved']);
  });

  it('with a function of the host', () => {
    const by = explainingOf({ event: { time: 0, seq: 0, kind: '', fields: {} } });
    const part = explainCondition({ op: 'function', test: () => false }, by);
    expect(part).toMatchObject({ holds: false, kind: 'test' });
  });
});

describe('of two events the nearer one is', () => {
  it.each([
    ['amount > 10000.0', { amount: 9900 }, { amount: 500 }],
    ['amount < 10.0', { amount: 11 }, { amount: 500 }],
    ["amount > 10000.0 && country == 'FR'", { amount: 12_000 }, { amount: 500 }],
    ["amount > 10000.0 && country == 'FR'", { amount: 500, country: 'FR' }, { amount: 12_000, country: 'DE' }],
    ["amount > 10000.0 || country == 'FR'", { amount: 9999 }, { amount: 1 }],
    ["!(amount > 5.0 && country == 'DE')", { amount: 6 }, { amount: 5000 }],
  ])('%s: %j before %j', (condition, nearer, farther) => {
    expect(farOff(explained(condition, nearer))).toBeLessThan(farOff(explained(condition, farther)));
  });

  it('that which fits, first of all', () => {
    expect(farOff(explained('amount > 10000.0', { amount: 10_001 }))).toBe(0);
  });
});
