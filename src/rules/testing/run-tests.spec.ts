import { formatDiagnostic, parseRule } from '../index.js';
import type { Rule } from '../rule.js';
import type { EventSchema } from '../schema.js';
import { payments } from '../testkit/payments.js';
import { parseRuleTests } from './parse-tests.js';
import type { TestStream } from './rule-test.js';
import { runRuleTests } from './run-tests.js';
import { formatFailure } from './test-rules.js';

const stream: TestStream = { schema: payments, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };

const rule = ruleOf(`
id: two-large
key: accountId
within: 10m
pattern:
  - begin: one
    where: amount > 100
  - followedBy: two
    where: amount > one.amount
alert: {message: "{{ two.amount }}"}
`);

function ruleOf(text: string): Rule {
  return parseRule(text, 'two-large/pattern.yaml', payments).rule!;
}

function parsed(text: string, given = rule, on = stream) {
  return parseRuleTests(text, 'two-large/tests.yaml', given, on);
}

/** Runs tests; the message is the amount as the engine's caller would write it. */
function run(text: string, given = rule) {
  const { tests, diagnostics } = parsed(text, given);
  expect(diagnostics.map(formatDiagnostic)).toEqual([]);
  const render: Parameters<typeof runRuleTests>[2]['render'] = (_, match, key) =>
    `${String(match.steps.at(-1)!.events[0]!.fields.amount)} of ${key}`;
  return runRuleTests(given, tests, { render });
}

const problemsOf = (text: string, given = rule) =>
  parsed(text, given).diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`);

describe('the tests of a rule', () => {
  it('pass when the alerts are the expected ones', () => {
    const result = run(`
defaults: {accountId: A}
tests:
  - name: fires
    events:
      - {id: t1, at: 0m, amount: 200}
      - {id: t2, at: +5m, amount: 300}
    alerts:
      - {steps: {one: t1, two: [t2]}, message: 300 of A}
  - name: does not
    events:
      - {id: t1, at: 0m, amount: 200}
      - {id: t2, at: 10m, amount: 300}
    alerts: []
`);
    expect(result).toEqual({ passed: 2, failed: 0, failures: [] });
  });

  it('say what is missing, unexpected or worded otherwise when they fail', () => {
    const result = run(`
defaults: {accountId: A}
tests:
  - name: all wrong
    events:
      - {id: t1, at: 0m, amount: 200}
      - {id: t2, at: 1m, amount: 300}
      - {id: t3, at: 2m, accountId: B, amount: 200}
      - {id: t4, at: 3m, accountId: B, amount: 300}
    alerts:
      - {steps: {two: t4, one: t1}}
      - {steps: {one: t3, two: t4}, message: 300 of A}
`);
    expect(result).toMatchObject({ passed: 0, failed: 1 });
    expect(formatFailure(result.failures[0]!)).toBe(
      [
        'two-large/tests.yaml:4: two-large: all wrong',
        '    message    one: t3, two: t4',
        '      expected 300 of A',
        '      found    300 of B',
        '    missing    one: t1, two: t4',
        '      found    one: t1, two: t2',
        '      two: expected t4, found t2',
      ].join('\n'),
    );
  });

  it('take events in order of time, and let all windows end after the last', () => {
    const quiet = ruleOf(`
id: two-large
key: accountId
within: 10m
pattern:
  - begin: one
    where: amount > 100
  - notFollowedBy: two
    where: amount > 100
`);
    const text = (second: string) => `
defaults: {accountId: A, amount: 200}
tests:
  - name: absence
    events:
      - {id: t2, at: ${second}}
      - {id: t1, at: 1m}
    alerts:
      - steps: {one: t1}
      - steps: {one: t2}
`;
    expect(run(text('20m'), quiet)).toMatchObject({ passed: 1 });
    expect(run(text('5m'), quiet).failures).toMatchObject([
      { message: 'missing    one: t1\n  the furthest partial match was one: t1' },
    ]);
  });

  it('know times since the beginning, since the row before, and of the calendar', () => {
    const { tests } = parsed(`
defaults: {accountId: A}
tests:
  - name: times
    events:
      - {id: a, at: 1h}
      - {id: b, at: +30m}
      - {id: c}
      - {id: d, at: "2026-02-01T00:00:00Z"}
    alerts: []
`);
    const times = tests[0]!.events.map(({ event }) => new Date(event.time).toISOString());
    expect(times).toEqual([
      '2026-01-05T01:00:00.000Z',
      '2026-01-05T01:30:00.000Z',
      '2026-01-05T01:30:00.000Z',
      '2026-02-01T00:00:00.000Z',
    ]);
  });

  it('take fields from the row, the test and the file, and id, time and kind from where the stream has them', () => {
    const { tests } = parsed(`
defaults: {accountId: A, country: FR, type: Login}
tests:
  - name: fields
    defaults: {country: DE}
    events:
      - {id: a, amount: 5}
      - {id: b, country: IT, type: Payment, deviceId: null}
    alerts: []
`);
    const [a, b] = tests[0]!.events.map(({ event }) => event);
    expect(a).toMatchObject({ kind: 'Login', seq: 0 });
    expect(a!.fields).toEqual({
      accountId: 'A',
      country: 'DE',
      type: 'Login',
      amount: 5,
      transactionId: 'a',
      eventTime: Date.UTC(2026, 0, 5),
    });
    expect(b).toMatchObject({ kind: 'Payment', fields: { country: 'IT', deviceId: null } });
  });

  it('say their kind themselves where the stream has no field for it', () => {
    const { tests } = parsed('tests: [{name: x, events: [{id: a, kind: Card, accountId: A}], alerts: []}]', rule, {
      schema: payments,
    });
    expect(tests[0]!.events[0]!.event).toMatchObject({ kind: 'Card', fields: { accountId: 'A' } });
  });

  it('fail when the skip strategy has nothing to skip to', () => {
    const strict = ruleOf(`
id: two-large
key: accountId
within: 10m
pattern:
  - begin: one
    where: amount > 100
  - followedBy: two
    where: amount > 200
skip: {toFirst: one, onMiss: error}
`);
    const { failures } = run(
      'tests: [{name: x, events: [{id: a, amount: 150, accountId: A}, {id: b, amount: 300, accountId: A}], alerts: []}]',
      strict,
    );
    expect(failures).toMatchObject([{ message: expect.stringMatching(/^error .*\[skip-to-match-start\]$/) }]);
  });
});

describe('a file of tests with mistakes', () => {
  it('is refused with all of them at once', () => {
    const text = `defaults: {acountId: A}
tests:
  - name: slips
    events:
      - {id: t1, at: soon, amount: "200", type: Paymnt}
      - {id: t1, accountId: A, country: null, labels: [1]}
    alerts:
      - {steps: {one: t1, too: t9}, mesage: x}
  - events: none
`;
    expect(parsed(text).tests).toEqual([]);
    expect(problemsOf(text)).toEqual([
      '1:12 unknown-field',
      '5:9 missing-key',
      '5:22 bad-time',
      '5:36 type-mismatch',
      '5:49 unknown-symbol',
      '6:14 duplicate-event',
      '6:41 type-mismatch',
      '8:27 unknown-step',
      '8:32 unknown-event',
      '8:37 unknown-key',
      '9:5 missing-key',
      '9:5 missing-key',
      '9:13 wrong-form',
    ]);
  });

  it.each(['', '- a', 'tests: x', 'tests: [1]', 'tests: [{name: x, events: [1], alerts: [1]}]', 'tests: [{name: "x'])(
    'never throws: %j',
    (text) => {
      expect(parsed(text).tests).toEqual([]);
      expect(problemsOf(text).length).toBeGreaterThan(0);
    },
  );
});

describe('the tests of a rule over several streams', () => {
  const logins: EventSchema = {
    stream: 'logins',
    fields: new Map(['userId', 'ip'].map((name) => [name, { name, type: 'string', optional: false }])),
    kinds: null,
    kindParents: new Map(),
  };
  const streams: TestStream[] = [
    { ...stream, name: 'payments' },
    { name: 'logins', schema: logins },
  ];
  const joined = parseRule(
    `
id: joined
key: {by: {payments: accountId, logins: userId}}
within: 1h
pattern:
  - {begin: login, from: logins, where: ip == '1'}
  - {next: paid, from: payments, where: key == 'A' && amount > 5}
`,
    'joined/pattern.yaml',
    streams.map(({ name, schema }) => ({ name: name!, schema })),
  ).rule!;
  const text = (rows: string) => `
defaults: {accountId: A, userId: A, amount: 9, ip: "1"}
tests:
  - name: one
    events:
${rows}
    alerts: [{steps: {login: l, paid: p}}]
`;

  it('say of each row which stream it is of', () => {
    const { tests, diagnostics } = parseRuleTests(
      text('      - {id: l, at: 0m, stream: logins}\n      - {id: p, at: 1m, stream: payments}'),
      'tests.yaml',
      joined,
      streams,
    );
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(tests[0]!.events.map(({ keys, event }) => [keys, event.stream, event.fields])).toEqual([
      [['A'], 'logins', { userId: 'A', ip: '1' }],
      [['A'], 'payments', expect.objectContaining({ accountId: 'A', amount: 9, transactionId: 'p' })],
    ]);
    expect(runRuleTests(joined, tests, { render: () => '' })).toMatchObject({ passed: 1, failed: 0 });
  });

  it.each([
    ['{id: l, at: 0m}', '6:9 missing-key'],
    ['{id: l, at: 0m, stream: x}', '6:33 unknown-stream'],
    ['{id: l, at: 0m, stream: logins, amount: 5}', '6:41 unknown-field'],
    ['{id: l, at: 0m, stream: logins, userId: null}', '6:9 missing-key'],
  ])('tell of a row that is wrong: %s', (row, problem) => {
    const { diagnostics } = parseRuleTests(text(`      - ${row}`), 'tests.yaml', joined, streams);
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toContain(problem);
  });

  it('count an event for each of its keys', () => {
    const each = ruleOf(`
id: two-large
key: {each: [accountId, deviceId]}
pattern:
  - begin: one
    where: accountId == key
`);
    const result = run(
      `
tests:
  - name: both
    events:
      - {id: a, at: 0m, accountId: A, deviceId: B, amount: 1}
      - {id: b, at: 1m, accountId: B, deviceId: B, amount: 2}
    alerts: [{steps: {one: a}, message: 1 of A}, {steps: {one: b}, message: 2 of B}]
`,
      each,
    );
    expect(result.failures).toEqual([]);
  });
});
