import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  begin,
  type CompiledPattern,
  canonicalJson,
  compileRuleSet,
  count,
  eq,
  field,
  ge,
  gt,
  inList,
  last,
  lookup,
  lt,
  ne,
  oneOf,
  type Pattern,
  PatternBuilder,
  type Step,
} from '../../src/engine/index.js';
import { loadRules, parseRule } from '../../src/rules/index.js';

const root = join(import.meta.dirname, '../..');
const { rules } = await loadRules([join(root, 'patterns'), join(root, 'examples')]);

/** The pattern said again through the builder, step by step. */
function rebuilt(pattern: Pattern): PatternBuilder {
  const builder = pattern.steps.reduce<PatternBuilder | null>(withStep, null)!;
  if (pattern.withinMs !== undefined) builder.within(pattern.withinMs);
  if (pattern.skip !== undefined) builder.skip(pattern.skip);
  return builder;
}

function withStep(before: PatternBuilder | null, step: Step): PatternBuilder {
  const what = step.kind === 'group' ? rebuilt({ steps: step.steps }) : step.name;
  const builder = step.contiguity === 'start' || before === null ? new PatternBuilder(what) : added(before, step, what);
  if (step.kind === 'event') {
    if (step.where !== undefined) builder.where(step.where);
    if (step.subtype !== undefined) builder.subtype(step.subtype);
  }
  const { quantifier } = step;
  if (quantifier?.to === null) builder.timesOrMore(quantifier.from, quantifier.gapMs);
  else if (quantifier !== undefined) builder.times(quantifier.from, quantifier.to, quantifier.gapMs);
  if (step.inside === 'consecutive') builder.consecutive();
  if (step.inside === 'combinations') builder.allowCombinations();
  if (step.greedy) builder.greedy();
  if (step.optional) builder.optional();
  if (step.until !== undefined) builder.until(step.until);
  if (step.gapMs !== undefined) builder.gap(step.gapMs);
  return builder;
}

function added(builder: PatternBuilder, step: Step, what: string | PatternBuilder): PatternBuilder {
  switch (step.contiguity) {
    case 'notNext':
    case 'notFollowedBy':
      return builder[step.contiguity](what as string);
    case 'start':
      throw new Error('only the first step begins');
    default:
      return builder[step.contiguity](what);
  }
}

/** States and transitions, with the very predicates of the compiler that they share. */
const formOf = ({ states, steps, windowMs, skip }: CompiledPattern) => ({
  ...{ steps, windowMs, skip },
  states: states.map(({ name, gapMs, step, transitions }) => ({
    ...{ name, gapMs, step },
    transitions: transitions.map(({ action, target, literal }) => [
      action,
      target.index,
      literal?.negated,
      literal?.predicate.key,
    ]),
  })),
});

describe('a pattern in another form', () => {
  it('is the same as JSON, for every shipped pattern and example', () => {
    expect(rules.length).toBeGreaterThanOrEqual(20);
    for (const rule of rules) {
      const json = JSON.stringify(parse(readFileSync(rule.source, 'utf8')), null, 2);
      const { rule: again, diagnostics } = parseRule(json, rule.source, null);
      expect([rule.id, diagnostics.filter((d) => d.severity === 'error')]).toEqual([rule.id, []]);
      expect(again).toEqual(rule);
    }
  });

  it('is the same through the builder, and compiled to the same automaton, for every shipped pattern and example', () => {
    for (const { id, pattern } of rules) {
      const built = rebuilt(pattern).build();
      expect([id, built]).toEqual([id, JSON.parse(canonicalJson(pattern))]);
      const { compiler, patterns } = compileRuleSet([{ id, pattern }]);
      expect(formOf(compiler.compile(built))).toEqual(formOf(patterns[0]!));
    }
  });

  it.each<[string, PatternBuilder]>([
    [
      `within: 10m
pattern:
  - {begin: large, where: amount > 10000.0}
  - {next: cash, subtype: Withdrawal}
  - {followedBy: offshore, where: country == 'OFFSHORE'}
skip: pastLastEvent`,
      begin('large')
        .where(gt(field('amount'), 10_000))
        .next('cash')
        .subtype('Withdrawal')
        .followedBy('offshore')
        .where(eq(field('country'), 'OFFSHORE'))
        .within(600_000)
        .skip({ strategy: 'pastLastEvent' }),
    ],
    [
      `within: 1h
pattern:
  - {begin: small, where: amount < 5, times: 3+, greedy: true, inside: consecutive, gap: 5m}
  - {followedByAny: other, where: "country in ['FR', 'DE']", or: [amount >= 100], times: 2}
  - {notFollowedBy: login, subtype: Login}
  - {followedBy: last}
  - {next: more, optional: true}
skip: {toFirst: small, onMiss: error}`,
      begin('small')
        .where(lt(field('amount'), 5))
        .timesOrMore(3, 300_000)
        .greedy()
        .consecutive()
        .followedByAny('other')
        .where(oneOf(field('country'), ['FR', 'DE']))
        .or(ge(field('amount'), 100))
        .times(2)
        .notFollowedBy('login')
        .subtype('Login')
        .followedBy('last')
        .next('more')
        .optional()
        .within(3_600_000)
        .skip({ strategy: 'toFirst', step: 'small', onMiss: 'error' }),
    ],
    [
      `pattern:
  - begin: {group: [{begin: credit}, {next: debit, where: amount >= credit.amount, gap: 1m}]}
    times: 2..4
  - {followedBy: more, oneOrMore: true, until: count(more) > 3, inside: combinations}`,
      begin(
        begin('credit')
          .next('debit')
          .where(ge(field('amount'), last('credit', 'amount')))
          .gap(60_000),
      )
        .times(2, 4)
        .followedBy('more')
        .oneOrMore()
        .until(gt(count('more'), 3))
        .allowCombinations(),
    ],
    [
      `pattern:
  - {begin: away, where: "country != list('home', accountId)", or: "counterparty in list('blocked')"}`,
      begin('away')
        .where(ne(field('country'), lookup('home', field('accountId'))))
        .or(inList(field('counterparty'), 'blocked')),
    ],
  ])('is the same written by hand through the builder: %s', (yaml, builder) => {
    const text = `id: a\nkey: accountId\n${yaml}\n`;
    const fromYaml = parseRule(text, 'rule.yaml', null).rule!.pattern;
    const fromJson = parseRule(JSON.stringify(parse(text)), 'rule.yaml', null).rule!.pattern;
    expect(builder.build()).toEqual(fromYaml);
    expect(fromJson).toEqual(fromYaml);
  });
});
