import { parseRule } from '../read/parse-rule.js';
import { payments } from '../testkit/payments.js';
import { formatCoverage } from './coverage.js';
import { parseRuleTests } from './parse-tests.js';
import { runRuleTests } from './run-tests.js';

const { rule } = parseRule(
  `id: drain
key: accountId
within: 10m
features:
  - {name: recent, count: true, over: 1h}
pattern:
  - begin: large
    where: amount > 100 && (country == 'DE' || country == 'FR' && approved)
    or: recent > 5
  - notFollowedBy: login
    subtype: Login
  - followedBy: cash
    subtype: Withdrawal
    where: "!(amount > large.amount)"
`,
  'drain/pattern.yaml',
  payments,
);
const stream = { schema: payments, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };

function coverageOf(...tests: string[]) {
  const text = `defaults: {accountId: A1, type: Payment, amount: 50, country: DE, approved: true}\ntests:\n${tests
    .map((events, i) => `  - {name: t${i}, events: [${events}], alerts: []}\n`)
    .join('')}`;
  const parsed = parseRuleTests(text, 'drain/tests.yaml', rule!, stream);
  expect(parsed.diagnostics).toEqual([]);
  return runRuleTests(rule!, parsed.tests, { render: () => '', coverage: true }).coverage!;
}

describe('the coverage of a rule by its tests', () => {
  it('says which steps have taken an event, those of partial matches included, and which conditions were both true and false', () => {
    expect(coverageOf('{at: 0m, amount: 500}, {at: 1m}')).toEqual({
      rule: 'drain',
      steps: { taken: ['large'], never: ['login', 'cash'] },
      conditions: {
        of: 6,
        seen: 1,
        never: [
          { step: 'large', condition: "country == 'DE'", never: 'false' },
          { step: 'large', condition: "country == 'FR'", never: 'tested' },
          { step: 'large', condition: 'approved', never: 'tested' },
          { step: 'large', condition: 'recent > 5', never: 'true' },
          { step: 'cash', condition: 'amount > large.amount', never: 'tested' },
        ],
      },
      alternatives: [
        { step: 'large', condition: "country == 'FR' && approved", never: 'tested' },
        { step: 'large', condition: 'recent > 5', never: 'true' },
      ],
    });
  });

  it('is whole when each part has decided something', () => {
    const seven = Array.from({ length: 7 }, (_, i) => `{at: ${i}m}`).join(', ');
    const coverage = coverageOf(
      '{at: 0m, amount: 500}, {at: 1m, type: Login}, {at: 2m, type: Withdrawal, amount: 20}',
      '{at: 0m, amount: 500, country: FR}, {at: 1m, type: Withdrawal, amount: 600}',
      '{at: 0m, amount: 500, country: FR, approved: false}, {at: 1m, amount: 500, country: IT}',
      seven,
      '{at: 0m, amount: 500}, {at: 1m, type: Withdrawal, amount: 20}',
    );
    expect(coverage.steps).toEqual({ taken: ['large', 'login', 'cash'], never: [] });
    expect([coverage.conditions.never, coverage.alternatives]).toEqual([[], []]);
    expect(formatCoverage(coverage)).toBe('drain: 3 of 3 steps taken, 6 of 6 conditions seen true and false');
  });

  it('is told gap by gap', () => {
    expect(formatCoverage(coverageOf('{at: 0m}'))).toBe(
      [
        'drain: 0 of 3 steps taken, 0 of 6 conditions seen true and false',
        '    large has never taken an event',
        '    login has never taken an event',
        '    cash has never taken an event',
        '    large: amount > 100 was never true',
        "    large: country == 'DE' was never tested",
        "    large: country == 'FR' was never tested",
        '    large: approved was never tested',
        '    large: recent > 5 was never true',
        '    cash: amount > large.amount was never tested',
        "    large: the alternative amount > 100 && (country == 'DE' || country == 'FR' && approved) was never the one that held",
        "    large: the alternative country == 'DE' was never the one that held",
        "    large: the alternative country == 'FR' && approved was never the one that held",
        '    large: the alternative recent > 5 was never the one that held',
      ].join('\n'),
    );
  });
});

describe('the coverage of a rule with a window', () => {
  const { rule: busy } = parseRule(
    `id: busy
key: accountId
features: [{name: usual, avg: amount, over: 1h, lagging: 1m}]
window:
  tumbling: 1m
  where: amount > 1
  aggregates:
    - {name: payments, count: true}
    - {name: total, sum: amount}
  having: payments >= 3 || total > 100 && total > usual
`,
    'busy/pattern.yaml',
    payments,
  );
  const covered = (...tests: string[]) => {
    const text = `defaults: {accountId: A1, type: Payment, amount: 5, country: DE, approved: true}\ntests:\n${tests
      .map((events, i) => `  - {name: t${i}, events: [${events}], alerts: []}\n`)
      .join('')}`;
    const parsed = parseRuleTests(text, 'busy/tests.yaml', busy!, stream);
    expect(parsed.diagnostics).toEqual([]);
    return runRuleTests(busy!, parsed.tests, { render: () => '', coverage: true }).coverage!;
  };

  it('says which parts of having were true and false, of windows that gave no alert, too', () => {
    const { conditions, alternatives } = covered('{at: 0m}, {at: 0m, amount: 1}');
    expect(conditions).toEqual({
      of: 4,
      seen: 1,
      never: [
        { step: 'having', condition: 'payments >= 3', never: 'true' },
        { step: 'having', condition: 'total > 100', never: 'true' },
        { step: 'having', condition: 'total > usual', never: 'false' },
      ],
    });
    expect(alternatives.map(({ condition }) => condition)).toEqual(['payments >= 3', 'total > 100 && total > usual']);
  });

  it('is whole when each part was both', () => {
    const { conditions, alternatives } = covered(
      '{at: 0m}, {at: 0m}, {at: 0m}, {at: 0m, amount: 1}',
      '{at: 0m, amount: 60}, {at: 5m, amount: 150}',
      '{at: 0m, amount: 60}, {at: 5m, amount: 110}',
    );
    expect([conditions.never, alternatives]).toEqual([[], []]);
  });
});

describe('the coverage of what features and aggregates count', () => {
  const covered = (text: string, events: string) => {
    const { rule: read } = parseRule(text, 'r/pattern.yaml', payments);
    const tests = `defaults: {accountId: A1, type: Payment, amount: 5, country: DE, approved: true}\ntests:\n  - {name: t, events: [${events}], alerts: []}\n`;
    const parsed = parseRuleTests(tests, 'r/tests.yaml', read!, stream);
    expect(parsed.diagnostics).toEqual([]);
    return runRuleTests(read!, parsed.tests, { render: () => '', coverage: true }).coverage!;
  };
  const feature = `id: often
key: accountId
features:
  - {name: abroad, count: true, over: 1h, where: "country != 'DE' && (approved || amount > 10)"}
  - {name: all, count: true, over: 1h}
pattern: [{begin: one, where: abroad > 100 || all > 100}]
`;

  it('is of each event, as far as each part decides, whether a step looks at the feature or not', () => {
    const of = (events: string) => {
      const { conditions, alternatives } = covered(feature, events);
      return [conditions.never, alternatives]
        .flat()
        .filter(({ step }) => step === 'abroad')
        .map(({ condition, never }) => `${condition}: ${never}`);
    };
    expect(of('{at: 0m}')).toEqual([
      "country != 'DE': true",
      'approved: tested',
      'amount > 10: tested',
      'approved: tested',
      'amount > 10: tested',
    ]);
    expect(of('{at: 0m}, {at: 1m, country: FR}, {at: 2m, country: FR, approved: false}')).toEqual([
      'amount > 10: true',
      'amount > 10: true',
    ]);
    const both = '{at: 2m, country: FR, approved: false}, {at: 2m, country: FR, approved: false, amount: 20}';
    expect(of(`{at: 0m}, {at: 1m, country: FR}, ${both}`)).toEqual([]);
  });

  it('is of the events that a window takes, where an aggregate leaves some of them out', () => {
    const window = `id: minute
key: accountId
window:
  tumbling: 1m
  subtype: Payment
  where: amount > 1
  aggregates: [{name: abroad, count: true, where: country != 'DE'}]
`;
    const of = (events: string) => covered(window, events).conditions.never.filter(({ step }) => step === 'abroad');
    const home = { step: 'abroad', condition: "country != 'DE'" };
    expect(of('{at: 0m, type: Login}, {at: 1s, amount: 1, country: FR}')).toEqual([{ ...home, never: 'tested' }]);
    expect(of('{at: 0m}, {at: 1s, amount: 1, country: FR}')).toEqual([{ ...home, never: 'true' }]);
    expect(of('{at: 0m}, {at: 1s, country: FR}')).toEqual([]);
  });

  it('leaves out what from asks of an event', () => {
    const streams = ['payments', 'logins'].map((name) => ({ name, schema: payments }));
    const text = `id: two
key: accountId
within: 1h
features: [{name: often, count: true, over: 1h, from: logins}]
pattern:
  - {begin: login, from: logins, where: amount > 1}
  - {followedBy: out, from: payments, where: often > 1}
`;
    const { rule: two } = parseRule(text, 'r/pattern.yaml', streams);
    const { conditions } = runRuleTests(two!, [], { render: () => '', coverage: true }).coverage!;
    expect(conditions.never.map(({ step, condition }) => `${step}: ${condition}`)).toEqual([
      'login: amount > 1',
      'out: often > 1',
    ]);
  });
});
