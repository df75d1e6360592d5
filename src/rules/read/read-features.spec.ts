import type { EventStep, Feature } from '../../engine/index.js';
import { formatDiagnostic } from '../source/format-diagnostic.js';
import { parseRuleTests } from '../testing/parse-tests.js';
import { runRuleTests } from '../testing/run-tests.js';
import { payments } from '../testkit/payments.js';
import { type ParsedRule, parseRule } from './parse-rule.js';

const FILE = 'p.yaml';

const W4 = `id: busy
key: accountId
features:
  - name: recentCount
    count: true
    over: 5m
  - {name: recentSum, sum: amount, over: 5m}
pattern:
  - begin: busy
    where: recentCount >= 10 || recentSum > 50000.0
`;

/** A rule with these features, of which one condition reads all. */
function parse(features: string, where: string, schema: typeof payments | null = payments): ParsedRule {
  const text = `id: a\nkey: accountId\nfeatures:\n${features}pattern:\n  - begin: one\n    where: ${where}\n`;
  return parseRule(text, FILE, schema);
}

const formatted = (text: string): string[] => parseRule(text, FILE, payments).diagnostics.map(formatDiagnostic);
const codes = (rule: ParsedRule): string[] => rule.diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`);
const featureOf = (text: string): Feature => {
  const { rule, diagnostics } = parse(`  - name: f\n    ${text}\n`, 'f > 1');
  expect(diagnostics).toEqual([]);
  const { where } = rule!.pattern.steps[0] as EventStep;
  return (where as { left: { feature: Feature } }).left.feature;
};

describe('the features of a rule', () => {
  it('are numbers in its conditions', () => {
    const { rule, diagnostics } = parseRule(W4, FILE, payments);
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    const count: Feature = { fn: 'count', overMs: 300_000 };
    const sum: Feature = { fn: 'sum', field: 'amount', overMs: 300_000 };
    const more = (cmp: string, feature: Feature, value: number) => ({
      op: 'compare',
      cmp,
      left: { op: 'feature', feature },
      right: { op: 'const', value },
    });
    expect(rule!.pattern.steps).toEqual([
      {
        kind: 'event',
        name: 'busy',
        contiguity: 'start',
        where: { op: 'or', args: [more('>=', count, 10), more('>', sum, 50_000)] },
      },
    ]);
    expect(rule!.fields).toEqual(['accountId', 'amount']);
  });

  it('are those of the key at every event', () => {
    const tests = `
defaults: {accountId: A1, type: Payment, country: FR, approved: true}
tests:
  - name: fires on the tenth in five minutes, and on much money
    events:
      - {id: t0, at: 0m, amount: 49999.9}
      - {id: t1, at: 5m, amount: 0.1}
      - {id: t2, at: +0m, amount: 0.01}
      - {id: o1, at: +0m, accountId: A2, amount: 9}
${Array.from({ length: 8 }, (_, i) => `      - {id: s${i}, at: 6m, amount: 1}`).join('\n')}
      - {id: late, at: 12m, amount: 1}
    alerts:
      - {steps: {busy: t2}}
      - {steps: {busy: s7}}
`;
    const { rule } = parseRule(W4, FILE, payments);
    const stream = { schema: payments, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };
    const parsed = parseRuleTests(tests, 'tests.yaml', rule!, stream);
    expect(parsed.diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(runRuleTests(rule!, parsed.tests, { render: () => '' }).failures).toEqual([]);
  });

  it.each(['sum', 'avg', 'min', 'max'] as const)('can be the %s of a field', (fn) => {
    expect(featureOf(`${fn}: amount\n    over: 1h30m`)).toEqual({ fn, field: 'amount', overMs: 5_400_000 });
  });

  it.each<[string, Partial<Feature>]>([
    ['distinct: country', { fn: 'distinct', field: 'country' }],
    ['stddev: amount', { fn: 'stddev', field: 'amount' }],
    ['median: amount', { fn: 'median', field: 'amount' }],
    ['quantile: amount\n    q: 0.95', { fn: 'quantile', field: 'amount', q: 0.95 }],
    ['first: amount\n    lagging: 7d', { fn: 'first', field: 'amount', lagMs: 604_800_000 }],
    ['last: amount', { fn: 'last', field: 'amount' }],
    ['since: true', { fn: 'since' }],
  ])('can be %s', (text, feature) => {
    expect(featureOf(`${text}\n    over: 60d`)).toEqual({ ...feature, overMs: 5_184_000_000 });
  });

  it('are of the type of their field where they are its first or last value', () => {
    const rule = (where: string) =>
      parse('  - {name: f, last: country, over: 5m, lagging: 1ms}\n  - {name: g, first: approved, over: 5m}\n', where);
    expect(codes(rule("f != country && f in ['FR', 'DE'] && !g"))).toEqual([]);
    expect(codes(rule('f > 1 && g'))).toEqual(['8:12 type-mismatch']);
  });

  it('can be read by the message and the score, and are told of then', () => {
    const text = `id: a
key: accountId
features:
  - {name: usual, median: amount, over: 60d, lagging: 1h}
  - {name: seen, distinct: country, over: 1h}
pattern: [{begin: one, where: amount > 100.0}]
alert: {score: amount / usual * 10, message: "{{ amount / usual }} times the usual {{ usual }} of {{ key }}"}
`;
    const { rule, diagnostics } = parseRule(text, FILE, payments);
    expect(diagnostics.map(({ code }) => code)).toEqual(['feature-unused']);
    expect(rule!.alert.score).toEqual({ value: 0 });
    expect(rule!.alert.message.map((part) => (part.kind === 'value' ? part.index : part.kind))).toEqual([
      ...[1, 'text', 2, 'text', 'key'],
    ]);
    expect(rule!.values).toHaveLength(3);
    expect(rule!.features!.map(({ name }) => name)).toEqual(['usual']);
    expect(codes(parseRule(text.replace('amount / usual * 10', 'country'), FILE, payments))).toContain(
      '7:16 type-mismatch',
    );
    expect(codes(parseRule(text.replace('amount / usual * 10', '101'), FILE, payments))).toContain('7:16 bad-value');
    expect(codes(parseRule(text.replace('amount / usual * 10', 'amuont + 1'), FILE, payments))).toContain(
      '7:16 unknown-field',
    );
  });

  it('can look at some events alone, and their fields are read', () => {
    const where = {
      op: 'compare',
      cmp: '==',
      left: { op: 'field', name: 'type' },
      right: { op: 'const', value: 'Payment' },
    };
    expect(featureOf("count: true\n    over: 5m\n    where: type == 'Payment'")).toEqual({
      fn: 'count',
      overMs: 300_000,
      where,
    });
    const { rule } = parse('  - {name: f, sum: amount, over: 5m, where: "approved"}\n', 'f > 1');
    expect(rule!.fields).toEqual(['accountId', 'amount', 'approved']);
  });

  it('can be read in or and until, and in arithmetic', () => {
    const { rule, diagnostics } = parse(
      '  - {name: f, avg: amount, over: 5m}\n  - {name: g, count: true, over: 1h}\n',
      'amount > 3 * f + 1\n    or: has(f)\n    oneOrMore: true\n    until: g > 5\nwithin: 1h',
    );
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    const text = JSON.stringify(rule!.pattern.steps);
    expect(text.split('"fn":"avg"').length - 1).toBe(2);
    expect(rule!.pattern.steps[0]!.until).toMatchObject({ left: { op: 'feature', feature: { overMs: 3_600_000 } } });
  });

  it('count in the revision by what they are, and by the names that alerts tell', () => {
    const revision = (text: string): string => parseRule(text, FILE, payments).rule!.revision;
    expect(revision(W4.replaceAll('recentSum', 'total'))).not.toBe(revision(W4));
    expect(
      revision(W4.replace('{name: recentSum, sum: amount, over: 5m}', '{over: 300s, sum: amount, name: recentSum}')),
    ).toBe(revision(W4));
    expect(revision(W4.replace('amount, over: 5m', 'amount, over: 6m'))).not.toBe(revision(W4));
    expect(revision(W4.replace('sum: amount', 'max: amount'))).not.toBe(revision(W4));
  });

  it('need no schema', () => {
    const { rule, diagnostics } = parse('  - {name: f, sum: anything, over: 5m}\n', 'f > other', null);
    expect(diagnostics).toEqual([]);
    expect(rule!.fields).toEqual(['accountId', 'anything', 'other']);
  });
});

describe('features with mistakes', () => {
  it('are all told at once, each at its place', () => {
    const text = `id: a
key: accountId
features:
  - name: amount
    count: true
    over: 5m
  - name: 5th
    sum: amuont
    over: 5 minutes
  - name: large
    max: country
    over: 0s
  - name: few
    count: type == 'Payment'
    over: 1h
    where: amuont > recent && large.amount > 1 && few > 1
  - name: few
    over: 1h
  - count: true
    sum: amount
  - seven
  - name: recent
    count: true
    ovre: 1h
pattern:
  - begin: large
    where: recnt > 5 && few > 1 && few == 'x'
`;
    const { rule, diagnostics } = parseRule(text, FILE, payments);
    expect(rule).toBeNull();
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([
      '4:11 feature-shadows',
      '7:11 bad-feature-name',
      '8:10 unknown-field',
      '9:11 bad-duration',
      '10:11 feature-shadows',
      '11:10 type-mismatch',
      '12:11 bad-value',
      '14:12 wrong-form',
      '16:12 unknown-field',
      '16:21 not-in-feature',
      '16:31 not-in-feature',
      '16:51 not-in-feature',
      '17:5 feature-without-statistic',
      '17:11 duplicate-feature-name',
      '19:5 missing-key',
      '19:5 missing-key',
      '20:5 feature-statistic-twice',
      '21:5 wrong-form',
      '22:5 missing-key',
      '24:5 unknown-key',
      '27:12 unknown-field',
    ]);
  });

  it('say what to do', () => {
    expect(formatted(W4.replace('count: true', "count: type == 'Payment'"))).toEqual([
      [
        'p.yaml:5:12: error: count must be true. [wrong-form]',
        "  5 |     count: type == 'Payment'",
        '    |            ^^^^^^^^^^^^^^^^^',
        '    = Write count: true, and where: for which events count.',
      ].join('\n'),
    ]);
    expect(formatted(W4.replace('>= 10 ||', '>= 10 && recentCont > 1 ||'))).toEqual([
      [
        'p.yaml:10:33: error: There is no field recentCont. [unknown-field]',
        '  10 |     where: recentCount >= 10 && recentCont > 1 || recentSum > 50000.0',
        '     |                                 ^^^^^^^^^^',
        '     = Did you mean recentCount?',
      ].join('\n'),
    ]);
  });

  it('are told once, and not again where a condition reads them', () => {
    expect(codes(parse('  - {name: f, sum: amuont, over: 5m}\n', "f > 1 && f == 'x'"))).toEqual(['4:20 unknown-field']);
  });

  it('are told though the pattern cannot be read', () => {
    const text = 'id: a\nkey: accountId\nfeatures: {}\npattern: one\n';
    expect(codes(parseRule(text, FILE, payments))).toEqual(['3:11 wrong-form', '4:10 wrong-form']);
  });

  it.each([
    ['f', 'not-a-condition'],
    ["f == 'x'", 'type-mismatch'],
    ['f.amount > 1', 'unknown-step'],
    ['count(f) > 1', 'unknown-step'],
  ])('a condition %s', (where, code) => {
    expect(codes(parse('  - {name: f, count: true, over: 5m}\n', where)).map((found) => found.split(' ')[1])).toContain(
      code,
    );
  });

  it.each([
    ['time', 'time > 5'],
    ['kind', "kind == 'Login'"],
  ])('no feature is called %s, which means the event itself', (name, condition) => {
    expect(codes(parse(`  - {name: ${name}, count: true, over: 5m}\n`, condition))).toEqual(['4:12 feature-shadows']);
  });
});

describe('what a new kind of feature cannot be', () => {
  it.each([
    ['quantile: amount', 'missing-key'],
    ['quantile: amount, q: 1.5', 'bad-value'],
    ['quantile: country, q: 0.5', 'type-mismatch'],
    ['median: amount, q: 0.5', 'wrong-form'],
    ['median: country', 'type-mismatch'],
    ['distinct: cuontry', 'unknown-field'],
    ['since: amount', 'wrong-form'],
    ['since: true, lagging: 1h', 'wrong-form'],
    ['sum: amount, lagging: 0s', 'bad-value'],
    ['sum: amount, lagging: soon', 'bad-duration'],
    ['last: amount, first: amount', 'feature-statistic-twice'],
  ])('%s', (text, code) => {
    expect(codes(parse(`  - {name: f, over: 5m, ${text}}\n`, 'f > 1')).map((found) => found.split(' ')[1])).toEqual([
      code,
    ]);
  });
});

describe('a feature that nothing reads', () => {
  it('is warned of', () => {
    const { rule, diagnostics } = parseRule(W4.replace('|| recentSum > 50000.0', ''), FILE, payments);
    expect(rule).not.toBeNull();
    expect(diagnostics.map(formatDiagnostic)).toEqual([
      [
        'p.yaml:7:12: warning: Nothing reads recentSum. [feature-unused]',
        '  7 |   - {name: recentSum, sum: amount, over: 5m}',
        '    |            ^^^^^^^^^',
        '    = Name recentSum in a condition, the message or the score, or remove it.',
      ].join('\n'),
    ]);
  });
});

describe('features of another key', () => {
  const fields = (...names: readonly string[]) =>
    new Map(
      names.map((name) => [name, { name, type: name === 'amount' ? 'number' : 'string', optional: true } as const]),
    );
  const stream = (name: string, ...names: readonly string[]) => ({
    name,
    schema: { stream: name, fields: fields(...names), kinds: null, kindParents: new Map() },
  });
  const streams = [
    stream('payments', 'user', 'terminal', 'device', 'amount'),
    stream('chargebacks', 'terminal', 'unit'),
  ];
  const read = (feature: string, rest = 'pattern: [{begin: a, where: f > 1}]'): ParsedRule =>
    parseRule(`id: a\nkey: user\nfrom: payments\nfeatures:\n  - {name: f, ${feature}}\n${rest}\n`, FILE, streams);

  it('are told by key, with the streams that they count, which the rule does not see', () => {
    const { rule, diagnostics } = read('count: true, over: 28d, from: chargebacks, key: terminal');
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    const where = {
      op: 'compare',
      cmp: '==',
      left: { op: 'meta', name: 'stream' },
      right: { op: 'const', value: 'chargebacks' },
    };
    const feature = { fn: 'count', overMs: 2_419_200_000, where, of: 'terminal' };
    expect(rule!.otherKeys).toEqual([
      { key: 'terminal', keyBy: { form: 'one', field: 'terminal' }, streams: ['chargebacks'], features: [feature] },
    ]);
    expect([rule!.streams, rule!.fields]).toEqual([['payments'], ['terminal', 'user']]);
    expect(rule!.features).toEqual([{ name: 'f', feature }]);
  });

  it.each([
    ['several fields', '[terminal, device]', 'terminal+device', ['device', 'terminal']],
    [
      'a field of another name in each stream',
      '{by: {payments: terminal, chargebacks: unit}}',
      '',
      ['terminal', 'unit'],
    ],
  ])('have keys of %s', (_, key, name, keyFieldNames) => {
    const from = name === '' ? 'chargebacks' : 'payments';
    const { rule, diagnostics } = read(`count: true, over: 1h, from: ${from}, key: ${key}`);
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(rule!.otherKeys![0]!.key).toBe(name || 'chargebacks.unit,payments.terminal');
    expect(rule!.fields).toEqual([...keyFieldNames, 'user'].sort());
  });

  it.each([
    ['a key that the counted stream lacks', 'count: true, over: 1h, from: chargebacks, key: device', ['unknown-field']],
    ['a key that the rule lacks', 'count: true, over: 1h, from: chargebacks, key: unit', ['unknown-field']],
    ['the key of the rule', 'count: true, over: 1h, key: user', ['bad-value']],
    ['several keys at one event', 'count: true, over: 1h, key: {each: [terminal, device]}', ['bad-value']],
  ])('are refused %s', (_, feature, wanted) => {
    expect(read(feature).diagnostics.map(({ code }) => code)).toEqual(wanted);
  });

  it('cannot be filled from the log', () => {
    const rest = 'within: 1h\nonUpdate: backfill\npattern: [{begin: a, where: f > 1}]';
    const { diagnostics } = read('count: true, over: 1h, key: terminal', rest);
    expect(diagnostics.map(formatDiagnostic)).toEqual([
      `p.yaml:7:11: error: A rule with features of another key cannot be filled from the log: they count from its start on. [backfill-with-other-key]
  7 | onUpdate: backfill
    |           ^^^^^^^^
    = Leave onUpdate out, or the key of the feature.`,
    ]);
  });

  it('are of events, and so not of what a window tells at its end', () => {
    const window = (having: string) =>
      `window: {tumbling: 1m, where: f > 1, ${having}aggregates: [{name: n, count: true}]}`;
    expect(read('count: true, over: 1h, key: terminal', window('')).diagnostics).toEqual([]);
    const { diagnostics } = read('count: true, over: 1h, key: terminal', window('having: f > 1, '));
    expect(diagnostics.map(({ code }) => code)).toEqual(['no-event-for-feature']);
    const message = `${window('')}\nalert: {message: "{{ f }}"}`;
    expect(read('count: true, over: 1h, key: terminal', message).diagnostics.map(({ code }) => code)).toEqual([
      'no-event-for-feature',
    ]);
  });

  it('leave those unread aside', () => {
    const { rule } = read('count: true, over: 1h, key: terminal', 'pattern: [{begin: a, where: amount > 1}]');
    expect(rule!.otherKeys).toBeUndefined();
  });
});
