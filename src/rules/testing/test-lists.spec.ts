import { parseRule } from '../read/parse-rule.js';
import { payments } from '../testkit/payments.js';
import { parseRuleTests } from './parse-tests.js';
import { runRuleTests } from './run-tests.js';

const { rule } = parseRule(
  `id: a
key: accountId
pattern:
  - begin: payment
    where: country in list('sanctioned') || amount > listNumber('limit', accountId)
`,
  'a/pattern.yaml',
  payments,
);
const stream = { schema: payments, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };

const parse = (text: string) => parseRuleTests(text, 'a/tests.yaml', rule!, stream);
const test = (lists: string, alerts: string, of = 'test') => `
${of === 'file' ? `lists: ${lists}` : ''}
defaults: {accountId: A1, type: Payment, amount: 50, country: KP, approved: true}
tests:
  - name: one
    ${of === 'test' ? `lists: ${lists}` : ''}
    events:
      - {id: t1, at: 0m}
    alerts: [${alerts}]
`;

describe('a test of a rule that asks lists', () => {
  it.each(['test', 'file'])('brings what they hold, in the %s', (of) => {
    for (const [lists, fires] of [
      ['{sanctioned: [KP, 5], limit: {}}', true],
      ['{sanctioned: [], limit: {A1: 49.5}}', true],
      ['{sanctioned: {KP: x}, limit: {}}', true],
      ['{sanctioned: [IR], limit: {A1: 50, A2: 1}}', false],
    ] as const) {
      const { tests, diagnostics } = parse(test(lists, fires ? '{steps: {payment: t1}}' : '', of));
      expect(diagnostics).toEqual([]);
      expect(runRuleTests(rule!, tests, { render: () => '' }).failures).toEqual([]);
    }
  });

  it.each([
    ['{sanctioned: [KP]}', '5:5 missing-list'],
    ['{sanctioned: [KP], limit: {}, sanctoned: []}', '6:42 unknown-list'],
    ['{sanctioned: [[KP]], limit: {}}', '6:25 wrong-form'],
    ['{sanctioned: KP, limit: {}}', '6:25 wrong-form'],
  ])('is told what is wrong with %s', (lists, expected) => {
    expect(parse(test(lists, '')).diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([expected]);
  });
});
