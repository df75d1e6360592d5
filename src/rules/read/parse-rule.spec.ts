import type { Rule } from '../rule.js';
import { formatDiagnostic } from '../source/format-diagnostic.js';
import { payments } from '../testkit/payments.js';
import { parseRule } from './parse-rule.js';

const FILE = 'p.yaml';

/** The rule; what is wrong with it fails the test. */
function ruleOf(text: string): Rule {
  const { rule, diagnostics } = parseRule(text, FILE, payments);
  expect(diagnostics.filter((d) => d.severity === 'error').map(formatDiagnostic)).toEqual([]);
  return rule!;
}

const stepsOf = (steps: string, more = 'within: 1h') =>
  ruleOf(`id: a\nkey: accountId\n${more}\npattern:\n${steps}`).pattern.steps;

/** `line:column code` of everything found, in order. */
function foundIn(text: string, schema: typeof payments | null = payments): string[] {
  return parseRule(text, FILE, schema).diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`);
}

const codesOf = (steps: string, more = 'within: 1h') =>
  parseRule(`id: a\nkey: accountId\n${more}\npattern:\n${steps}`, FILE, payments).diagnostics.map((d) => d.code);

describe('reading a rule', () => {
  it('makes of the classic three steps what the engine takes', () => {
    const rule = ruleOf(`
id: offshore-drain
title: Large payment, a withdrawal, then offshore
description: The classic.
status: shadow
key: accountId
within: 10m
pattern:
  - begin: large
    where: amount > 10000.0
  - next: cash
    subtype: Withdrawal
  - followedBy: offshore
    where: country == 'OFFSHORE'
skip: pastLastEvent
alert:
  severity: high
  score: 81.5
  message: "{{ offshore.amount }} after {{ first(large).amount }} by {{ key }} in {{ duration }}, {{ count(cash) }}"
tags: [drain]
`);
    expect(rule).toEqual({
      id: 'offshore-drain',
      title: 'Large payment, a withdrawal, then offshore',
      description: 'The classic.',
      status: 'shadow',
      key: 'accountId',
      keyBy: { form: 'one', field: 'accountId' },
      streams: [],
      pattern: {
        withinMs: 600_000,
        skip: { strategy: 'pastLastEvent' },
        steps: [
          {
            kind: 'event',
            name: 'large',
            contiguity: 'start',
            where: {
              op: 'compare',
              cmp: '>',
              left: { op: 'field', name: 'amount' },
              right: { op: 'const', value: 10000 },
            },
          },
          { kind: 'event', name: 'cash', contiguity: 'next', subtype: 'Withdrawal' },
          {
            kind: 'event',
            name: 'offshore',
            contiguity: 'followedBy',
            where: {
              op: 'compare',
              cmp: '==',
              left: { op: 'field', name: 'country' },
              right: { op: 'const', value: 'OFFSHORE' },
            },
          },
        ],
      },
      alert: {
        severity: 'high',
        score: 81.5,
        message: [
          { kind: 'field', step: 'offshore', index: -1, field: 'amount' },
          { kind: 'text', text: ' after ' },
          { kind: 'field', step: 'large', index: 0, field: 'amount' },
          { kind: 'text', text: ' by ' },
          { kind: 'key' },
          { kind: 'text', text: ' in ' },
          { kind: 'duration' },
          { kind: 'text', text: ', ' },
          { kind: 'aggregate', fn: 'count', step: 'cash' },
        ],
      },
      tags: ['drain'],
      revision: expect.stringMatching(/^[0-9a-f]{16}$/),
      source: FILE,
      fields: ['accountId', 'amount', 'country'],
    });
  });

  it('fills in what is left out', () => {
    const rule = ruleOf('key: accountId\npattern:\n  - begin: one\nid: a\n');
    expect(rule).toMatchObject({ title: 'a', status: 'live', tags: [], fields: ['accountId'] });
    expect(rule.alert).toEqual({ severity: 'medium', score: 50, message: [{ kind: 'text', text: 'a' }] });
    expect(rule.pattern).toEqual({ steps: [{ kind: 'event', name: 'one', contiguity: 'start' }] });
  });

  it.each([
    ['times: 3', { from: 3, to: 3 }],
    ['times: 3..5', { from: 3, to: 5 }],
    ['times: 0..2', { from: 0, to: 2 }],
    ['times: 3+', { from: 3, to: null }],
    ['oneOrMore: true', { from: 1, to: null }],
    ['times: 3\n    gap: 90s', { from: 3, to: 3, gapMs: 90_000 }],
  ])('reads %s', (text, quantifier) => {
    expect(stepsOf(`  - begin: a\n    ${text}\n`)).toEqual([
      { kind: 'event', name: 'a', contiguity: 'start', quantifier },
    ]);
  });

  it('reads every way in which a step can follow', () => {
    const steps = stepsOf(
      '  - begin: a\n  - next: b\n  - notNext: c\n  - followedBy: d\n  - notFollowedBy: e\n  - followedByAny: f\n',
    );
    expect(steps.map((s) => s.contiguity)).toEqual([
      'start',
      'next',
      'notNext',
      'followedBy',
      'notFollowedBy',
      'followedByAny',
    ]);
  });

  it('reads the modifiers of a step', () => {
    const steps = stepsOf(
      '  - begin: a\n    times: 2+\n    inside: combinations\n    until: amount > 5\n  - followedBy: b\n    optional: true\n    gap: 5m\n    within: 1h30m\n',
    );
    expect(steps[0]).toMatchObject({ inside: 'combinations', until: { op: 'compare' } });
    expect(steps[1]).toEqual({
      kind: 'event',
      name: 'b',
      contiguity: 'followedBy',
      optional: true,
      gapMs: 300_000,
      withinMs: 5_400_000,
    });
  });

  it('reads groups, also nested and repeated', () => {
    const [group] = stepsOf(
      '  - begin:\n      group:\n        - begin: a\n        - next: {group: [{begin: b}, {followedBy: c}]}\n    times: 3\n',
    );
    expect(group).toEqual({
      kind: 'group',
      contiguity: 'start',
      quantifier: { from: 3, to: 3 },
      steps: [
        { kind: 'event', name: 'a', contiguity: 'start' },
        {
          kind: 'group',
          contiguity: 'next',
          steps: [
            { kind: 'event', name: 'b', contiguity: 'start' },
            { kind: 'event', name: 'c', contiguity: 'followedBy' },
          ],
        },
      ],
    });
  });

  it('joins where and its alternatives by or', () => {
    const [step] = stepsOf('  - begin: a\n    where: amount > 1\n    or: [approved, "!approved"]\n');
    expect(step).toMatchObject({
      where: { op: 'or', args: [{ op: 'compare' }, { op: 'field', name: 'approved' }, { op: 'not' }] },
    });
  });

  it.each([
    ['skip: toNext', { strategy: 'toNext' }],
    ['skip: {toFirst: a}', { strategy: 'toFirst', step: 'a' }],
    ['skip: {toLast: a, onMiss: error}', { strategy: 'toLast', step: 'a', onMiss: 'error' }],
  ])('reads %s', (text, skip) => {
    expect(ruleOf(`id: a\nkey: accountId\n${text}\npattern:\n  - begin: a\n`).pattern.skip).toEqual(skip);
  });

  it('resolves anchors', () => {
    const [a, b] = stepsOf('  - begin: a\n    where: &big amount > 100\n  - next: b\n    where: *big\n');
    expect((b as { where?: unknown }).where).toEqual((a as { where?: unknown }).where);
  });
});

describe('the limits of a rule', () => {
  const base = 'id: a\nkey: accountId\npattern:\n  - begin: one\n';

  it('are those that it says, and for the rest those of the settings', () => {
    expect(ruleOf(`${base}limits: {runs: 5, overflow: quarantine}\n`).limits).toEqual({
      ...{ runsMax: 5, overflow: 'quarantine' },
    });
    expect(ruleOf(`${base}limits: {matches: 1, events: 20}\n`).limits).toEqual({ matchesMax: 1, eventsMax: 20 });
    expect('limits' in ruleOf(base)).toBe(false);
  });

  it.each(['{runs: 0}', '{events: many}', '{overflow: explode}', '{run: 5}'])(
    'are told where they are wrong: %s',
    (of) => {
      const { rule, diagnostics } = parseRule(`${base}limits: ${of}\n`, FILE, payments);
      expect(rule).toBeNull();
      expect(diagnostics.map(({ line }) => line)).toEqual([5]);
    },
  );
});

describe('the revision of a rule', () => {
  const base = 'id: a\nkey: accountId\nwithin: 1h\npattern:\n  - begin: one\n    where: amount > 10\n  - next: two\n';

  it('does not depend on order of keys, comments, layout or written-out defaults', () => {
    const other = `# hello\npattern:\n- {where: "amount>10.0", begin: one}\n- next: two\nwithin: 60m\nstatus: live\nkey: accountId\nid: a\ntags: [x]\ndescription: d\n`;
    expect(ruleOf(other).revision).toBe(ruleOf(base).revision);
  });

  it.each([
    ['a constant', base.replace('10', '11')],
    ['the window', base.replace('1h', '2h')],
    ['the message', `${base}alert: {message: hello}\n`],
    ['the status', `${base}status: shadow\n`],
    ['its limits', `${base}limits: {runs: 5}\n`],
  ])('changes with %s', (_, text) => {
    expect(ruleOf(text).revision).not.toBe(ruleOf(base).revision);
  });
});

describe('a rule with mistakes', () => {
  it('is refused with all of them at once, each at its place', () => {
    const text = `id: Offshore Drain
statsu: live
key: acountId
within: 10 minutes
pattern:
  - begin: large
    where: amuont > 10000.0 && country == 5
    greedy: true
  - next: cash
    subtype: Withdrawl
    where: |
      amount > large.amount
        && type == 'Wihdrawal'
        && amount > 'x'
  - notFollowedBy: login
    times: 3
  - followedBy: offshore
    where: "country == 'OFF\\u0053HORE' && matches(country, 'a+')"
    until: has(deviceId)
    times: 5..3
  - followedBy: cash
    where: amount > > 1
skip: {toFirst: larg}
alert:
  severity: hihg
  score: 800
  message: "{{ offshor.amount }} after {{ large.amout }} of {{ key }}"
`;
    expect(parseRule(text, FILE, payments).rule).toBeNull();
    expect(foundIn(text)).toEqual([
      '1:5 bad-id',
      '2:1 unknown-key',
      '3:6 unknown-field',
      '4:9 bad-duration',
      '7:12 unknown-field',
      '7:32 type-mismatch',
      '8:5 greedy-on-single',
      '10:14 unknown-kind',
      '13:20 unknown-symbol',
      '14:12 type-mismatch',
      '16:5 quantifier-on-not',
      '18:43 unsupported',
      '19:5 until-without-loop',
      '20:5 times-range-inverted',
      '21:17 duplicate-step-name',
      '22:21 condition-syntax',
      '23:17 skip-target-unknown',
      '25:13 bad-value',
      '26:10 bad-value',
      '27:16 unknown-step',
      '27:49 unknown-field',
    ]);
  });

  it('is shown with the line, a mark and what to do', () => {
    const text =
      'id: a\nkey: accountId\npattern:\n  - begin: large\n    where: |\n      amount > 5\n\t      && amuont < 9\n';
    const { diagnostics } = parseRule(text.replace('\t', ''), FILE, payments);
    expect(diagnostics.map(formatDiagnostic).join('\n\n')).toBe(
      [
        'p.yaml:7:10: error: There is no field amuont. [unknown-field]',
        '  7 |       && amuont < 9',
        '    |          ^^^^^^',
        '    = Did you mean amount?',
      ].join('\n'),
    );
  });

  it.each([
    ['a quoted scalar over lines', 'where: "amount > 5\n      && amuont < 9"'],
    ['single quotes with doubled ones', "where: 'country == ''FR'' && amuont < 9'"],
    ['escapes', 'where: "country == \\"F\\x52\\" && amuont < 9"'],
    ['a folded block', 'where: >-\n      amount > 5\n\n      && amuont < 9'],
    ['a plain scalar over lines', 'where: amount > 5\n      && amuont < 9'],
  ])('is marked at the right place in %s', (_, where) => {
    const text = `id: a\nkey: accountId\npattern:\n  - begin: large\n    ${where}\n`;
    const [found, ...more] = parseRule(text, FILE, payments).diagnostics;
    expect(more).toEqual([]);
    expect(found).toMatchObject({ code: 'unknown-field', length: 6 });
    expect(found!.excerpt.slice(found!.column - 1, found!.column + 5)).toBe('amuont');
    expect(text.split('\n')[found!.line - 1]).toBe(found!.excerpt);
  });

  it('tells of text that YAML would take for a tag', () => {
    const { diagnostics } = parseRule(
      'id: a\nkey: accountId\npattern:\n  - begin: a\n    where: !approved\n',
      FILE,
      payments,
    );
    expect(diagnostics.map(formatDiagnostic)).toEqual([
      [
        'p.yaml:5:12: error: YAML takes text that begins with ! for a tag. [yaml-tag]',
        '  5 |     where: !approved',
        '    |            ^^^^^^^^^',
        '    = Put the condition between double quotes, or on lines of its own after "|".',
      ].join('\n'),
    ]);
  });

  it.each([
    ['', ['1:1 wrong-form']],
    ['- a\n', ['1:1 wrong-form']],
    ['id: a\nid: b\n', ['2:1 duplicate-key']],
    ['id: "a\n', ['2:1 yaml-syntax']],
    ['title: x\n', ['1:1 missing-key', '1:1 missing-key', '1:1 missing-key']],
    ['id: a\nkey: accountId\npattern: []\n', ['3:10 no-steps']],
    ['id: a\nkey: accountId\npattern: one\n', ['3:10 wrong-form']],
    ['id: a\nkey: labels\npattern:\n  - begin: one\n', ['2:6 type-mismatch']],
    ['id: a\nkey: accountId\npattern:\n  - begin: one\ntags: x\n', ['5:7 wrong-form']],
    ['id:\nkey: accountId\npattern:\n  - begin: one\n', ['1:1 wrong-form']],
  ])('never throws: %j', (text, found) => {
    expect(foundIn(text)).toEqual(found);
  });

  it.each([
    ['  - begin: a\n    next: b\n', ['step-named-twice']],
    ['  - where: amount > 5\n', ['step-without-name']],
    ['  - one\n', ['wrong-form']],
    ['  - begin: 1st\n', ['bad-step-name']],
    ['  - begin: key\n', ['bad-step-name']],
    ['  - begin: a\n    times: 3\n    oneOrMore: true\n', ['quantifier-twice']],
    ['  - begin: a\n    times: often\n', ['bad-times']],
    ['  - begin: a\n    inside: strict\n', ['bad-value']],
    ['  - begin: a\n    greedy: yes\n', ['wrong-form']],
    ['  - begin: {group: [{begin: a}]}\n    where: amount > 5\n', ['where-on-group']],
    ['  - begin: {group: [{begin: a}]}\n    subtype: Login\n', ['subtype-on-group']],
    ['  - begin: {steps: []}\n', ['missing-key', 'unknown-key']],
    ['  - begin: {group: [{next: a}]}\n', ['not-a-start']],
    ['  - begin: a\n  - begin: b\n', ['start-not-first']],
    ['  - begin: a\n    optional: true\n  - notNext: b\n  - next: c\n', ['not-after-optional']],
    ['  - begin: a\n    inside: consecutive\n', ['consecutive-on-single']],
    ['  - begin: a\n    times: 3\n    greedy: true\n    inside: combinations\n', ['greedy-with-combinations']],
    ['  - begin: a\n  - followedBy: b\n    gap: 2h\n', ['gap-window-longer-than-match-window']],
  ])('is refused for %j', (steps, codes) => {
    expect(codesOf(steps)).toEqual(codes);
  });

  it('is refused when it waits for an absence without a window', () => {
    expect(codesOf('  - begin: a\n  - notFollowedBy: b\n', '')).toEqual([
      'no-window',
      'not-followed-by-last-without-within',
    ]);
  });
});

describe('warnings', () => {
  it('do not keep a rule from being read', () => {
    const { rule, diagnostics } = parseRule(
      'id: a\nkey: accountId\npattern:\n  - begin: a\n  - next: b\n',
      FILE,
      payments,
    );
    expect(rule).not.toBeNull();
    expect(diagnostics).toMatchObject([{ severity: 'warning', code: 'no-window', line: 3 }]);
  });

  it('tell of a folder of another name', () => {
    const text = 'id: a\nkey: accountId\npattern:\n  - begin: a\n';
    expect(parseRule(text, 'patterns/b/pattern.yaml', null).diagnostics).toMatchObject([
      { code: 'id-differs-from-folder' },
    ]);
    expect(parseRule(text, 'patterns/a/pattern.yaml', null).diagnostics).toEqual([]);
  });
});

describe('without a schema', () => {
  it('any field is taken to be there, and steps are still checked', () => {
    const text = 'id: a\nkey: anything\npattern:\n  - begin: one\n    where: whatever > 5 && other.amount == 1\n';
    expect(foundIn(text, null)).toEqual(['5:28 unknown-step']);
  });
});
