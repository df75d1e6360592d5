import { and, eq, field, ge, gt, type Pattern, PatternBuilder } from '../../engine/index.js';
import { hopping, session, tumbling } from '../../engine/pattern/window-builder.js';
import { formatDiagnostic } from '../source/format-diagnostic.js';
import { payments } from '../testkit/payments.js';
import { parseRule } from './parse-rule.js';

const ruleOf = (window: string, more = ''): string =>
  `id: a\nkey: accountId\n${more}window:\n${window.replace(/^/gm, '  ')}\n`;
const parse = (window: string, more?: string) => parseRule(ruleOf(window, more), 'rule.yaml', payments);

const told = (window: string, more?: string): string[] =>
  parse(window, more).diagnostics.map(({ line, column, code }) => `${line}:${column} ${code}`);

describe('the window of a rule', () => {
  it.each<[string, string, Pattern]>([
    [
      'tumbling',
      'tumbling: 1m\noffset: 5s\nwhere: amount > 5\naggregates:\n  - {name: n, count: true}\nhaving: n >= 2',
      tumbling(60_000)
        .offset(5000)
        .where(gt(field('amount'), 5))
        .aggregate('n', { fn: 'count' })
        .having(ge(field('n'), 2))
        .build(),
    ],
    [
      'hopping',
      `hopping: 5m\nevery: 1m\nsubtype: Payment\naggregates:
  - {name: high, quantile: amount, q: 0.9}
  - {name: home, distinct: deviceId, where: country == 'DE'}
events: 3`,
      hopping(300_000, 60_000)
        .subtype('Payment')
        .aggregate('high', { fn: 'quantile', field: 'amount', q: 0.9 })
        .aggregate('home', { fn: 'distinct', field: 'deviceId', where: eq(field('country'), 'DE') })
        .showing(3)
        .build(),
    ],
    [
      'session',
      "session: 10m\nmax: 2h\nhaving: windowEnd > 5 && country == 'DE'\naggregates: [{name: country, last: country}]",
      session(600_000, 7_200_000)
        .aggregate('country', { fn: 'last', field: 'country' })
        .having(and(gt(field('windowEnd'), 5), eq(field('country'), 'DE')))
        .build(),
    ],
  ])('is the same as the builder makes: %s', (_, text, expected) => {
    const { rule, diagnostics } = parse(text);
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(rule!.pattern).toEqual(expected);
    // As JSON, too.
    expect(JSON.parse(JSON.stringify(rule!.pattern))).toEqual(expected);
  });

  it('reads the fields of its conditions and aggregates, and no names of what comes out', () => {
    const { rule } = parse(
      "tumbling: 1m\nwhere: country == 'DE'\naggregates:\n  - {name: total, sum: amount}\nhaving: total > 5",
      'alert: {message: "{{ total }} at {{ windowEnd }} in {{ duration }} for {{ key }}", score: total}\n',
    );
    expect(rule!.fields).toEqual(['accountId', 'amount', 'country']);
    expect(rule!.values).toEqual([field('total'), field('windowEnd')]);
  });

  it('has a revision that changes with what it means', () => {
    const revisions = ['tumbling: 1m', 'tumbling: 2m', 'session: 1m', 'tumbling: 1m\nwhere: amount > 1'].map(
      (text) => parse(text).rule!.revision,
    );
    expect(new Set(revisions).size).toBe(4);
  });

  it.each<[string, string, string[], string]>([
    ['no form', 'aggregates: []', ['4:3 missing-key'], ''],
    ['two forms', 'tumbling: 1m\nsession: 1m', ['5:3 window-form-twice'], ''],
    ['a pace where there is none', 'tumbling: 1m\nevery: 1m', ['5:3 wrong-form'], ''],
    ['no pace where there must be one', 'hopping: 5m', ['4:3 missing-key'], ''],
    ['a pace beyond the length', 'hopping: 5m\nevery: 6m', ['5:3 bad-window-pace'], ''],
    ['too many parts', 'hopping: 30d\nevery: 1s', ['5:3 window-too-fine'], ''],
    ['an offset beyond the pace', 'hopping: 5m\nevery: 1m\noffset: 1m', ['6:3 bad-window-offset'], ''],
    ['a session shorter than its gap', 'session: 5m\nmax: 1m', ['5:3 bad-session-max'], ''],
    ['no time at all', 'tumbling: 0s', ['4:3 window-not-positive'], ''],
    ['a field in having', 'tumbling: 1m\nhaving: amount > 5', ['5:11 unknown-field'], ''],
    [
      'an unknown field of an aggregate',
      'tumbling: 1m\naggregates: [{name: n, sum: amuont}]',
      ['5:31 unknown-field'],
      '',
    ],
    [
      'a name twice',
      'tumbling: 1m\naggregates: [{name: windowEnd, count: true}]',
      ['5:23 duplicate-aggregate-name'],
      '',
    ],
    ['a name that is none', 'tumbling: 1m\naggregates: [{name: key, count: true}]', ['5:23 bad-aggregate-name'], ''],
    [
      'since',
      'tumbling: 1m\naggregates: [{name: n, since: true}]',
      ['5:16 feature-without-statistic', '5:26 unknown-key'],
      '',
    ],
    ['a condition that can never be', 'tumbling: 1m\nwhere: amount > 5 && amount < 3', ['5:24 always-false'], ''],
    ['within beside it', 'tumbling: 1m', ['3:1 not-with-window'], 'within: 5m\n'],
    ['a pattern beside it', 'tumbling: 1m', ['3:1 not-with-window'], 'pattern: [{begin: one}]\n'],
    ['draining', 'tumbling: 1m', ['3:11 bad-value'], 'onUpdate: drain\n'],
    [
      'a step in its message',
      'tumbling: 1m',
      ['3:22 unknown-step', '3:29 unknown-field'],
      'alert: {message: "{{ window.amount }}"}\n',
    ],
  ])('is told what is wrong with it: %s', (_, window, expected, more) => {
    expect(told(window, more)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['n >= 1', ['always-true']],
    ['n == 0', ['always-false']],
    ['n == 2.5', ['always-false']],
    ['abroad < 0', ['always-false']],
    ['abroad >= 1', []],
    ['abroad > n', ['always-false']],
    ['abroad <= n', ['always-true']],
    ['n > abroad', []],
    ['lands > n', ['always-false']],
    ['lands > abroad', []],
    ['least > most', ['always-false']],
    ['least == most', []],
    ['has(least)', ['always-true']],
    ['has(leastAbroad)', []],
    ['leastAbroad > most', []],
    ['sum < 0', []],
    ['spread < 0', ['always-false']],
    ['lastTime < firstTime', ['always-false']],
    ["lastTime - firstTime >= duration('1h')", ['always-false']],
    ["lastTime - firstTime >= duration('59m')", []],
    ["windowEnd - windowStart < duration('1h')", []],
    ["windowEnd - windowStart > duration('1h')", ['always-false']],
    ['firstTime - lastTime > 0', ['always-false']],
    ['first == last', []],
  ])('says where having can never be, or always is: %s', (having, codes) => {
    const statistics = `aggregates:
  - {name: n, count: true}
  - {name: abroad, count: true, where: country != 'DE'}
  - {name: lands, distinct: country}
  - {name: least, min: amount}
  - {name: most, max: amount}
  - {name: leastAbroad, min: amount, where: country != 'DE'}
  - {name: sum, sum: amount}
  - {name: spread, stddev: amount}
  - {name: first, first: country}
  - {name: last, last: country}`;
    const { rule, diagnostics } = parse(`tumbling: 1h\n${statistics}\nhaving: ${having}`);
    expect(rule).not.toBeNull();
    expect(diagnostics.map(({ code }) => code)).toEqual(codes);
  });

  it('knows how long a session can be', () => {
    const codes = (session: string) =>
      parse(`${session}\nhaving: lastTime - firstTime > duration('4h')`).diagnostics.map(({ code }) => code);
    expect(codes('session: 10m\nmax: 4h')).toEqual(['always-false']);
    expect(codes('session: 10m')).toEqual([]);
  });

  it('can compare what comes out with features, and name them in a message', () => {
    const more = `features: [{name: usual, avg: amount, over: 30d}]
alert: {message: "{{ total }} and {{ usual }}"}\n`;
    const { rule, diagnostics } = parse(
      'tumbling: 1m\nwhere: amount > usual\naggregates: [{name: total, sum: amount}]\nhaving: total > 3 * usual',
      more,
    );
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(rule!.features!.map(({ name }) => name)).toEqual(['usual']);
  });

  it('is built from the same words as patterns', () => {
    const events = new PatternBuilder('window').where(gt(field('amount'), 1)).build();
    expect(
      tumbling(1)
        .where(gt(field('amount'), 1))
        .build().steps,
    ).toEqual(events.steps);
  });
});
