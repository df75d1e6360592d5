import { parseRule } from '../read/parse-rule.js';
import { parseRuleTests } from '../testing/parse-tests.js';
import { runRuleTests } from '../testing/run-tests.js';
import { payments } from '../testkit/payments.js';
import { findWitness, formatWitness } from './witness.js';

const stream = { schema: payments, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };

function witnessOf(body: string) {
  const { rule, diagnostics } = parseRule(`id: a\nkey: accountId\n${body}`, 'a/pattern.yaml', payments);
  if (rule === null) throw new Error(JSON.stringify(diagnostics));
  return { rule, witness: findWitness(rule, [stream]) };
}

const steps = (...lines: string[]): string => `within: 10m\npattern:\n${lines.map((line) => `  - ${line}\n`).join('')}`;

const window = (form: string, aggregate: string, having: string): string =>
  `window:\n  ${form}\n  where: amount > 0\n  aggregates: [${aggregate}]\n  having: ${having}\n`;

describe('a witness', () => {
  it('is the shortest stream that fires the rule, and the same with one value that just does not', () => {
    const { witness } = witnessOf(
      steps(
        '{begin: large, where: amount > 10000}',
        '{next: cash, subtype: Withdrawal}',
        "{followedBy: offshore, where: country == 'OFFSHORE'}",
      ),
    );
    expect(witness.fires!.map(({ step, fields }) => [step, fields])).toEqual([
      ['large', { accountId: 'A1', amount: 10001, country: 'x', type: 'Payment' }],
      ['cash', { accountId: 'A1', amount: expect.any(Number), country: expect.any(String), type: 'Withdrawal' }],
      ['offshore', { accountId: 'A1', amount: expect.any(Number), country: 'OFFSHORE', type: expect.any(String) }],
    ]);
    expect(witness.justNot!.difference).toBe('amount of t1: 10000 instead of 10001');
    expect(formatWitness(witness)).toContain('- {id: t1, at: 0ms, accountId: "A1", amount: 10001');
  });

  it.each([
    [
      'sums over the steps before',
      steps(
        '{begin: small, where: amount < 5, times: 3}',
        '{followedBy: large, where: amount >= 100 * sum(small.amount)}',
      ),
    ],
    [
      'a step compared with itself',
      steps('{begin: same, where: "count(same) == 0 || amount == first(same).amount", times: 4}'),
    ],
    [
      'another value than before',
      steps('{begin: here}', '{followedBy: there, where: country != here.country && amount > 2 * here.amount + 3}'),
    ],
    ['arithmetic', steps('{begin: a, where: (amount - 5) * 2 > 100 && amount < 56}')],
    ['texts', steps('{begin: a, where: "startsWith(country, \'DE\') && size(country) == 3"}')],
    [
      'a group that repeats',
      `within: 1h\npattern:\n  - begin: {group: [{begin: paid, subtype: Transfer}, {next: out, subtype: Payment}]}\n    times: 2\n`,
    ],
    ['absence at the end', steps('{begin: order, subtype: Payment}', '{notFollowedBy: login, subtype: Login}')],
    [
      'absence in between',
      steps(
        '{begin: order, subtype: Payment}',
        '{notNext: login, subtype: Login}',
        '{followedBy: more, subtype: Transfer}',
      ),
    ],
    ['times of day', steps('{begin: night, where: "hour(time, \'Europe/Berlin\') == 3"}')],
    ['times apart', steps('{begin: a}', "{followedBy: b, where: time - a.time > duration('2m')}")],
    ['a missing value', steps('{begin: a, where: deviceId == null}')],
    [
      'a feature that counts',
      `features: [{name: recent, count: true, over: 5m}]\n${steps('{begin: a, where: recent >= 8}')}`,
    ],
    ['a list', steps("{begin: a, where: \"country in list('x') && amount > listNumber('limit', accountId)\"}")],
    ['a window with a count', window('tumbling: 1m', '{name: n, count: true}', 'n >= 4')],
    ['a window with a sum', window('hopping: 5m\n  every: 1m', '{name: total, sum: amount}', 'total > 5000')],
    [
      'a window of different values',
      window('tumbling: 1h\n  offset: 15m', '{name: places, distinct: country}', 'places > 2'),
    ],
    [
      'a session of some length',
      window('session: 15m', '{name: n, count: true}', "lastTime - firstTime > duration('2h')"),
    ],
    [
      'a window whose aggregates have conditions',
      window('tumbling: 1m', "{name: abroad, count: true, where: country != 'x'}", 'abroad >= 2'),
    ],
    [
      'a window compared with what is usual',
      `features: [{name: usual, avg: amount, over: 1d, lagging: 1h}]\n${window('tumbling: 1h', '{name: total, sum: amount}', 'total > 20 * usual')}`,
    ],
  ])('is found with %s', (_, body) => {
    const { rule, witness } = witnessOf(body);
    expect(witness.fires).not.toBeNull();
    expect(witness.justNot).not.toBeNull();
    expect(replayed(rule, witness.fires!)).toBe(true);
    expect(replayed(rule, witness.justNot!.events)).toBe(false);
  });

  it('is not claimed where none was found', () => {
    const { witness } = witnessOf(steps('{begin: a, where: "amount > 5 && hash(country, 1000000) == 7"}'));
    expect([witness.fires, witness.justNot]).toEqual([null, null]);
    expect(formatWitness(witness)).toBe('a: no stream was found that fires it.');
  });

  type Found = NonNullable<ReturnType<typeof findWitness>['fires']>;

  /** Whether the rows, as a test of the rule, fire it. */
  function replayed(rule: ReturnType<typeof witnessOf>['rule'], rows: Found): boolean {
    const events = rows.map(({ id, at, fields }) => JSON.stringify({ id, at: `${at}ms`, ...fields })).join(', ');
    const lists = rule.lists === undefined ? '' : 'lists: {x: [listed], limit: {A1: 100}}, ';
    const defaults = '{amount: 1, country: x, type: Payment, approved: true}';
    const text = `defaults: ${defaults}\ntests: [{name: w, ${lists}events: [${events}], alerts: []}]`;
    const { tests, diagnostics } = parseRuleTests(text, 'a/tests.yaml', rule, stream);
    expect(diagnostics).toEqual([]);
    return runRuleTests(rule, tests, { render: () => '' }).failed === 1;
  }
});
