import { parseRule } from '../read/parse-rule.js';
import type { Rule } from '../rule.js';
import { payments } from '../testkit/payments.js';
import { findWitness } from '../witness/witness.js';
import { lintOverlaps } from './subsumed.js';

const stream = { schema: payments, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };

function parse(steps: readonly string[], more = 'within: 1h') {
  const text = `id: a\nkey: accountId\n${more}\npattern:\n${steps.map((step) => `  - ${step}\n`).join('')}`;
  const { rule, diagnostics } = parseRule(text, 'a/pattern.yaml', payments);
  return { rule, found: diagnostics.map(({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`) };
}

describe('a step that can take no event', () => {
  it.each<[string, readonly string[], string]>([
    [
      'forbidden next',
      ['{begin: a}', '{notNext: no, subtype: Login}', '{next: b, subtype: Login, where: approved}'],
      '7:6 dead-step: b takes no event: each one that fits it must not happen, says no.',
    ],
    [
      'taken by a greedy one',
      ['{begin: a, times: 2+, greedy: true, where: amount < 10}', '{followedBy: b, where: amount < 5}'],
      '6:6 dead-step: b takes no event: a is greedy, and takes each one that fits it.',
    ],
    [
      'ended at once',
      ['{begin: a, times: 2+, where: amount > 10, until: amount > 5}'],
      '5:47 dead-step: a takes no event: each one that fits it also ends it.',
    ],
    [
      'of another kind',
      ["{begin: a, subtype: Login, where: kind == 'Payment'}"],
      '5:6 dead-step: a takes no event: none of the kind Login fits its condition.',
    ],
  ])('is found: %s', (_, steps, expected) => {
    const { rule, found } = parse(steps);
    expect(found).toEqual([expected]);
    expect(findWitness(rule!, [stream]).fires).toBeNull();
  });

  it.each<[readonly string[]]>([
    [['{begin: a}', '{notFollowedBy: no, where: amount > 5}', '{followedBy: b, where: amount > 10}']],
    [['{begin: a}', '{notFollowedBy: no, where: amount > 10}', '{followedBy: b, where: amount > 5}']],
    [['{begin: a}', '{notNext: no, subtype: Login}', '{followedBy: b, subtype: Login}']],
    [['{begin: a, times: 2+, greedy: true, where: amount < 10}', '{followedBy: b, where: amount < 15}']],
    [['{begin: a, times: 2+, where: amount > 3, until: amount > 5}']],
  ])('is not claimed where there is one that it can take: %j', (steps) => {
    const { rule, found } = parse(steps);
    expect(found).toEqual([]);
    expect(findWitness(rule!, [stream]).fires).not.toBeNull();
  });

  it('is told apart from a loop whose matches multiply', () => {
    expect(parse(['{begin: a, times: 2+, inside: combinations}']).found).toEqual([
      '5:27 costly-loop: Each combination of fitting events is a match of a: their number doubles with every event.',
    ]);
    expect(parse(['{begin: a, times: 2..5, inside: combinations}']).found).toEqual([]);
  });
});

describe('rules of which one may find what the other finds', () => {
  const ruleOf = (id: string, body: string): Rule =>
    parseRule(`id: ${id}\nkey: accountId\n${body}`, `${id}/pattern.yaml`, payments).rule!;
  const lint = (wide: string, narrow: string): readonly string[] => {
    const rules = [ruleOf('wide', wide), ruleOf('narrow', narrow)];
    const texts = new Map(rules.map((rule) => [rule.source, `id: ${rule.id}\n`]));
    return lintOverlaps({ rules, texts }).map((d) => `${d.file}:${d.line}:${d.column} ${d.code}`);
  };
  const two = (first: string, second: string, more = 'within: 1h') =>
    `${more}\npattern:\n  - {begin: ${first}}\n  - {followedBy: ${second}}\n`;

  it.each<[string, string, string]>([
    ['equal', two('a, where: amount > 5', 'b'), two('x, where: amount > 5', 'y')],
    ['a higher bound', two('a, where: amount > 5', 'b'), two('x, where: amount > 10', 'y, where: approved')],
    [
      'one of several countries',
      two("a, where: \"country in ['FR', 'DE']\"", 'b'),
      two("x, where: country == 'DE'", 'y'),
    ],
    [
      'a shorter window',
      two('a', 'b, where: amount > a.amount'),
      two('x', 'y, where: amount > x.amount', 'within: 10m'),
    ],
    ['more alternatives', two('a, where: amount > 5, or: approved', 'b'), two('x, where: amount > 6', 'y')],
    ['a subtype', two('a', 'b'), two('x, subtype: Login', 'y')],
  ])('are told: %s', (_, wide, narrow) => {
    expect(lint(wide, narrow)).toEqual(['narrow/pattern.yaml:1:5 subsumed']);
  });

  it.each<[string, string, string]>([
    ['a lower bound', two('a, where: amount > 5', 'b'), two('x, where: amount > 4', 'y')],
    ['a longer window', two('a', 'b'), two('x', 'y', 'within: 2h')],
    ['another shape', two('a', 'b'), 'within: 1h\npattern:\n  - {begin: x}\n  - {next: y}\n'],
    ['another step', two('a', 'b, where: amount > a.amount'), two('x', 'y, where: amount > y.amount')],
    ['a higher severity', two('a', 'b'), two('x, where: approved', 'y', 'within: 1h\nalert: {severity: high}')],
    ['a retired one', two('a', 'b'), two('x', 'y', 'within: 1h\nstatus: retired')],
  ])('are not told: %s', (_, wide, narrow) => {
    expect(lint(wide, narrow)).not.toContain('narrow/pattern.yaml:1:5 subsumed');
  });

  it('forbid at least as much where the narrow one forbids', () => {
    const absent = (where: string) =>
      `within: 1h\npattern:\n  - {begin: a}\n  - {notFollowedBy: no, where: ${where}}\n  - {followedBy: b, subtype: Login}\n`;
    expect(lint(absent('amount > 10'), absent('amount > 5'))).toEqual(['narrow/pattern.yaml:1:5 subsumed']);
    expect(lint(absent('amount > 5'), absent('amount > 10'))).toEqual(['wide/pattern.yaml:1:5 subsumed']);
  });
});
