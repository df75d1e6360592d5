import { parseRule } from '../read/parse-rule.js';
import { toFlinkSql } from './flink-sql.js';
import { NotExpressible } from './not-expressible.js';

const table = { name: 'transactions', time: 'eventTime', type: 'type' };

function sqlOf(body: string): string {
  const { rule, diagnostics } = parseRule(`id: a-rule\nkey: accountId\n${body}`, 'a-rule/pattern.yaml', []);
  if (rule === null) throw new Error(diagnostics.map(({ message }) => message).join());
  return toFlinkSql(rule, table);
}

const steps = (...all: readonly string[]): string => `pattern:\n${all.map((step) => `  - {${step}}\n`).join('')}`;
const AB = steps('begin: a, where: amount > 5.0', 'followedBy: b, where: amount > a.amount');

describe('a rule as Flink SQL', () => {
  it('is a query with what is passed over as a variable of its own', () => {
    const body = `within: 10m\nskip: pastLastEvent\n${steps(
      "begin: large, where: amount > 10000.0 && !(country == 'DE')",
      'next: cash, subtype: Withdrawal',
      'followedBy: offshore, where: country == "OFF\'SHORE" || amount > 2 * first(large).amount',
    )}`;
    expect(sqlOf(body)).toBe(`SELECT 'a-rule' AS \`rule\`, M.*
FROM \`transactions\`
MATCH_RECOGNIZE (
  PARTITION BY \`accountId\`
  ORDER BY \`eventTime\`
  MEASURES
    FIRST(\`large\`.\`eventTime\`) AS \`large_first\`,
    LAST(\`large\`.\`eventTime\`) AS \`large_last\`,
    FIRST(\`cash\`.\`eventTime\`) AS \`cash_first\`,
    LAST(\`cash\`.\`eventTime\`) AS \`cash_last\`,
    FIRST(\`offshore\`.\`eventTime\`) AS \`offshore_first\`,
    LAST(\`offshore\`.\`eventTime\`) AS \`offshore_last\`
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (\`large\` \`cash\` \`offshore_passed\`*? \`offshore\`) WITHIN INTERVAL '10' MINUTE
  DEFINE
    \`large\` AS ((\`large\`.\`amount\` > 10000) AND ((\`large\`.\`country\` = 'DE') IS NOT TRUE)),
    \`cash\` AS (\`cash\`.\`type\` = 'Withdrawal'),
    \`offshore_passed\` AS ((((\`offshore_passed\`.\`country\` = 'OFF''SHORE') OR (\`offshore_passed\`.\`amount\` > (2 * FIRST(\`large\`.\`amount\`))))) IS NOT TRUE),
    \`offshore\` AS ((\`offshore\`.\`country\` = 'OFF''SHORE') OR (\`offshore\`.\`amount\` > (2 * FIRST(\`large\`.\`amount\`))))
) AS M`);
  });

  it.each([
    ['within: 90s', "WITHIN INTERVAL '90.000' SECOND(2, 3)"],
    ['within: 1500ms', "WITHIN INTERVAL '1.500' SECOND(2, 3)"],
    ['within: 36h', "WITHIN INTERVAL '36' HOUR"],
    ['skip: toNext', 'AFTER MATCH SKIP TO NEXT ROW'],
    ['skip: noSkip', 'AFTER MATCH SKIP TO NEXT ROW'],
    ['skip: {toLast: b}', 'AFTER MATCH SKIP TO LAST `b`'],
  ])('with %s has %s', (line, sql) => {
    expect(sqlOf(`${line}\n${AB}`)).toContain(sql);
  });

  it.each([
    ['times: 3, inside: consecutive', '`a`{3} '],
    ['times: 2..4, inside: consecutive', '`a`{2,4}? '],
    ['times: 2+, inside: consecutive, greedy: true', '`a`{2,} '],
  ])('repeats a step that is %s', (how, sql) => {
    expect(sqlOf(`skip: pastLastEvent\n${steps(`begin: a, ${how}`, 'next: b, where: amount > 1.0')}`)).toContain(sql);
  });

  it.each([
    ['count(a) == 3', '(COUNT(`a`.`eventTime`) = 3)'],
    ['amount / 2 > 1.0', '((CAST(`b`.`amount` AS DOUBLE) / 2) > 1)'],
    ['amount % 2 == 1.0', '((`b`.`amount` - 2 * TRUNCATE(CAST(`b`.`amount` AS DOUBLE) / 2, 0)) = 1)'],
  ])('asks %s as Flink takes it', (where, sql) => {
    expect(sqlOf(`skip: pastLastEvent\n${steps('begin: a', `next: b, where: ${where}`)}`)).toContain(`\`b\` AS ${sql}`);
  });

  it.each<[what: string, body: string, why: string]>([
    ['a negation', steps('begin: a', 'notFollowedBy: x', 'followedBy: b'), 'x: an event that must not come'],
    ['any of several', steps('begin: a', 'followedByAny: b'), 'b: followedByAny'],
    ['an optional step', steps('begin: a', 'next: b, optional: true'), 'b: an optional step'],
    ['gaps inside a loop', steps('begin: a, times: 3'), 'a: occurrences with other events between them'],
    ['a gap', steps('begin: a', 'next: b, gap: 5m'), 'b: a longest gap'],
    ['a group', 'pattern:\n  - begin: {group: [{begin: a}, {next: b}]}\n    times: 2\n', 'groups of steps'],
    ['its own events', steps('begin: a, times: 3, inside: consecutive, where: count(a) < 2'), 'a looks at its own'],
    ['a list', steps("begin: a, where: country in list('x')"), 'the reference list x'],
    ['a place', steps('begin: a, where: "distanceKm(x, y, 1.0, 2.0) > 5"'), 'the function distanceKm'],
    ['the time', steps('begin: a', 'next: b, where: time - a.time > 5'), 'time'],
    ['a feature', `features:\n  - {name: n, count: true, over: 1h}\n${steps('begin: a, where: n > 3')}`, 'features'],
    ['each length of a loop', steps('begin: a, times: 2+, inside: consecutive', 'next: b'), 'skip: noSkip with a loop'],
  ])('refuses %s by name', (_, body, why) => {
    expect(() => sqlOf(body)).toThrow(NotExpressible);
    expect(() => sqlOf(body)).toThrow(why);
  });
});
