import type { Expr } from '../../engine/index.js';
import type { EventSchema } from '../schema.js';
import type { Reporter } from '../source/source-file.js';
import { payments } from '../testkit/payments.js';
import { checkCondition } from './check-condition.js';

const steps = [
  { name: 'large', negated: false, repeats: false },
  { name: 'login', negated: true, repeats: false },
  { name: 'small', negated: false, repeats: true },
  { name: 'later', negated: false, repeats: false },
];

interface Result {
  readonly expr: Expr | null;
  /** `code: the marked text`, with `?` before warnings. */
  readonly found: readonly string[];
  readonly hints: readonly (string | undefined)[];
  readonly messages: readonly string[];
  readonly fields: readonly string[];
}

/** Checks a condition of the step `small`. */
function check(text: string, schema: EventSchema | null = payments): Result {
  const found: string[] = [];
  const hints: (string | undefined)[] = [];
  const messages: string[] = [];
  const note =
    (mark: string): Reporter['error'] =>
    (code, span, message, hint) => {
      found.push(`${mark}${code}: ${text.slice(span.start, span.end)}`);
      hints.push(hint);
      messages.push(message);
    };
  const fields = new Set<string>();
  const expr = checkCondition(text, { schema, steps, self: 2, fields }, { error: note(''), warning: note('?') });
  return { expr, found, hints, messages, fields: [...fields].sort() };
}

const field = (name: string): Expr => ({ op: 'field', name });
const number = (value: number): Expr => ({ op: 'const', value });
const aggregate = (fn: 'last' | 'first' | 'sum' | 'distinct' | 'stddev', step: string, of: string): Expr => ({
  op: 'aggregate',
  fn,
  step,
  field: of,
});
const more = (left: Expr, right: Expr): Expr => ({ op: 'compare', cmp: '>', left, right });

describe('a condition', () => {
  it.each<[string, Expr]>([
    ['amount > 10', more(field('amount'), number(10))],
    ['amount > -1.5e3', more(field('amount'), number(-1500))],
    ['amount > large.amount', more(field('amount'), aggregate('last', 'large', 'amount'))],
    ['amount > last(small).amount', more(field('amount'), aggregate('last', 'small', 'amount'))],
    ['amount > first(small).amount', more(field('amount'), aggregate('first', 'small', 'amount'))],
    ['amount > small[2].amount', more(field('amount'), { op: 'nth', step: 'small', index: 2, field: 'amount' })],
    ['amount > sum(small.amount)', more(field('amount'), aggregate('sum', 'small', 'amount'))],
    ['amount > stddev(small.amount)', more(field('amount'), aggregate('stddev', 'small', 'amount'))],
    ['distinct(small.country) > 2', more(aggregate('distinct', 'small', 'country'), number(2))],
    ['count(small) > 2', more({ op: 'aggregate', fn: 'count', step: 'small' }, number(2))],
    ['has(deviceId)', { op: 'present', arg: field('deviceId') }],
    ['has(large.deviceId)', { op: 'present', arg: aggregate('last', 'large', 'deviceId') }],
    ['deviceId != null', { op: 'present', arg: field('deviceId') }],
    ['null == deviceId', { op: 'not', arg: { op: 'present', arg: field('deviceId') } }],
    ['labels == null', { op: 'not', arg: { op: 'present', arg: field('labels') } }],
    ["country in ['FR', 'DE']", { op: 'in', left: field('country'), values: ['FR', 'DE'] }],
    [
      'approved && !has(deviceId)',
      { op: 'and', args: [field('approved'), { op: 'not', arg: { op: 'present', arg: field('deviceId') } }] },
    ],
    [
      'approved && amount > 1 && approved || approved',
      {
        op: 'or',
        args: [
          { op: 'and', args: [field('approved'), more(field('amount'), number(1)), field('approved')] },
          field('approved'),
        ],
      },
    ],
    [
      "country.startsWith('F')",
      { op: 'call', fn: 'startsWith', args: [field('country'), { op: 'const', value: 'F' }] },
    ],
    [
      "startsWith(country, 'F')",
      { op: 'call', fn: 'startsWith', args: [field('country'), { op: 'const', value: 'F' }] },
    ],
    ['country.size() > 2', more({ op: 'call', fn: 'size', args: [field('country')] }, number(2))],
    [
      'abs(-amount) > 2',
      more(
        { op: 'call', fn: 'abs', args: [{ op: 'arith', fn: '-', left: number(0), right: field('amount') }] },
        number(2),
      ),
    ],
    [
      "time - large.time > duration('1h30m')",
      more(
        { op: 'arith', fn: '-', left: { op: 'meta', name: 'time' }, right: aggregate('last', 'large', '$time') },
        number(5_400_000),
      ),
    ],
    [
      "kind == 'Login'",
      { op: 'compare', cmp: '==', left: { op: 'meta', name: 'kind' }, right: { op: 'const', value: 'Login' } },
    ],
    [
      'approved ? amount > 1 : amount > 2',
      {
        op: 'if',
        test: field('approved'),
        whenTrue: more(field('amount'), number(1)),
        whenFalse: more(field('amount'), number(2)),
      },
    ],
    [
      'amount * 2 % 3 > 1',
      more(
        {
          op: 'arith',
          fn: '%',
          left: { op: 'arith', fn: '*', left: field('amount'), right: number(2) },
          right: number(3),
        },
        number(1),
      ),
    ],
  ])('reads %s', (text, expr) => {
    expect(check(text)).toMatchObject({ expr, found: [] });
  });

  it('says which fields it reads, those of other steps included', () => {
    expect(check("amount > large.eventTime && time > 5 && country == 'FR'").fields).toEqual([
      'amount',
      'country',
      'eventTime',
    ]);
  });

  it('takes a field of the schema that is called time before the time of the event', () => {
    const schema = {
      ...payments,
      fields: new Map([...payments.fields, ['time', { name: 'time', type: 'string', optional: false }]]),
    } as EventSchema;
    expect(check("time == 'noon' && large.time == 'one'", schema)).toMatchObject({
      expr: { args: [{ left: field('time') }, { left: aggregate('last', 'large', 'time') }] },
      found: [],
      fields: ['time'],
    });
  });

  it('takes any field when nothing is known of the events', () => {
    const { expr, found } = check("foo > 5 && bar == 'x' && baz && lower(qux) == 'a' && time > 1", null);
    expect(found).toEqual([]);
    expect(expr).toMatchObject({ op: 'and' });
  });
});

describe('a condition with a mistake', () => {
  it.each<[string, string, string | undefined]>([
    ['amuont > 5', 'unknown-field: amuont', 'Did you mean amount?'],
    ['large.amuont > 5', 'unknown-field: amuont', 'Did you mean amount?'],
    ['sum(small.amuont) > 5', 'unknown-field: amuont', 'Did you mean amount?'],
    ['larg.amount > 5', 'unknown-step: larg', 'Did you mean large?'],
    ['count(smal) > 5', 'unknown-step: smal', 'Did you mean small?'],
    ['country.size > 5', 'unknown-step: country', 'Steps: large, login, small, later.'],
    ["amount > 'x'", "type-mismatch: amount > 'x'", 'Write the number without quotes.'],
    ['country == 5', 'type-mismatch: country == 5', 'Put the value in quotes.'],
    ['approved == 1', 'type-mismatch: approved == 1', undefined],
    ['approved < true', 'type-mismatch: approved < true', undefined],
    ["labels == 'x'", "type-mismatch: labels == 'x'", 'Only == null and != null can be asked of it.'],
    ["country + amount == 'FRx'", 'type-mismatch: country', undefined],
    ['sum(small.country) > 1', 'type-mismatch: small.country', undefined],
    ['abs(country) > 1', 'type-mismatch: country', undefined],
    ['approved ? 1 : country', 'type-mismatch: approved ? 1 : country', undefined],
    ["type == 'Paymnt'", "unknown-symbol: 'Paymnt'", 'Did you mean Payment?'],
    ["'Paymnt' != type", "unknown-symbol: 'Paymnt'", 'Did you mean Payment?'],
    ["type in ['Payment', 'Logn']", "unknown-symbol: 'Logn'", 'Did you mean Login?'],
    ["large.type == 'payment!'", "unknown-symbol: 'payment!'", 'Did you mean Payment?'],
    ['amount', 'not-a-condition: amount', 'Compare it with something, for example with ==.'],
    ['amount && approved', 'not-a-condition: amount', 'Compare it with something, for example with ==.'],
    ['large == 5', 'step-without-field: large', 'Write large.field for a field of its last event, or count(large).'],
    ['large[0] == 5', 'step-without-field: large[0]', 'Write step[0].field.'],
    ['first(large) == 5', 'step-without-field: first(large)', 'Write first(step).field.'],
    ['small[-1].amount > 5', 'unsupported: -1', 'The first event is step[0]; for the last one write last(step).field.'],
    ['count(small.amount) > 1', 'wrong-arguments: small.amount', 'Write count(step).'],
    ['sum(small) > 1', 'wrong-arguments: small', 'Write sum(step.field).'],
    ['small.count() > 1', 'unknown-function: count', 'Write count(step).'],
    ['rond(amount) > 1', 'unknown-function: rond', expect.any(String) as unknown as string],
    ["country.startWith('F')", 'unknown-function: startWith', 'Did you mean startsWith?'],
    ['country.startsWith()', 'wrong-arguments: country.startsWith()', 'Write startsWith(text, text).'],
    [
      "country.matches('F+')",
      'unsupported: matches',
      'A regular expression can take for ever; use startsWith, endsWith, contains, matchesGlob or in.',
    ],
    ['small.exists(x, x.amount > 1)', 'unsupported: exists', expect.any(String) as unknown as string],
    ['[1].map(x, x)', 'unsupported: map', expect.any(String) as unknown as string],
    ["time > duration('5 minutes')", "bad-duration: '5 minutes'", "Write duration('5m')."],
    ['time > duration(5)', 'bad-duration: duration(5)', "Write duration('5m')."],
    ['has(5)', 'wrong-arguments: has(5)', 'Write has(field) or has(step.field).'],
    [
      'null == null',
      'unsupported: null == null',
      'Write field == null or field != null to ask whether a value is there.',
    ],
    [
      'amount < null',
      'unsupported: amount < null',
      'Write field == null or field != null to ask whether a value is there.',
    ],
    ['country in large.country', 'unsupported: large.country', "Write field in ['A', 'B'], or field in list('name')."],
    ['amount in [1, large.amount]', 'unsupported: large.amount', 'Write a == b || a == c instead.'],
    ['amount > 9007199254740993', 'number-too-large: 9007199254740993', undefined],
    ['amount > 5u', 'unsupported: 5u', 'Write 5 instead of 5u, and text without b in front.'],
    ["{'a': 1} == amount", "unsupported: {'a': 1}", undefined],
    ['amount = 5', 'condition-syntax: =', 'Write == to compare.'],
    ['amount > 5 and approved', 'condition-syntax: and', 'Write && for and, || for or, ! for not.'],
    ['(amount > 5', 'condition-syntax: ', undefined],
    ['amount >', 'condition-syntax: ', undefined],
    ["country == 'FR", "condition-syntax: 'FR", undefined],
    ['', 'condition-syntax: ', undefined],
  ])('%s', (text, found, hint) => {
    expect(check(text)).toMatchObject({ expr: null, found: [found], hints: [hint] });
  });

  it('is told all of its mistakes', () => {
    expect(check("amuont > 5 && (contry == 'x' || amount > 'y') && abs(aproved) > 2").found).toEqual([
      'unknown-field: amuont',
      'unknown-field: contry',
      "type-mismatch: amount > 'y'",
      'unknown-field: aproved',
    ]);
  });

  it('says in words what is missing at its end', () => {
    expect(check('amount >').messages).toEqual(['Unexpected end of the condition.']);
    expect(check('').messages).toEqual(['The condition is empty.']);
  });

  it.each(['valueOf', 'constructor', 'toString', 'hasOwnProperty'])('knows no field %s', (name) => {
    expect(check(`${name} == 'x'`).found).toEqual([`unknown-field: ${name}`]);
    expect(check(`${name}('x')`).found).toEqual([`unknown-function: ${name}`]);
  });

  it('is refused when it is too large', () => {
    const nested = `${'('.repeat(100)}amount > 5${')'.repeat(100)}`;
    expect(check(nested).found[0]).toMatch(/^condition-too-large/);
    const long = Array.from({ length: 2000 }, () => 'amount > 5').join(' || ');
    expect(check(long).found[0]).toMatch(/^condition-too-large/);
  });
});

describe('warnings of a condition', () => {
  it.each([
    ['amount > later.amount', '?later-step: later'],
    ['has(login.amount)', '?always-empty: login'],
    ['amount in []', '?always-false: []'],
  ])('%s', (text, found) => {
    const result = check(text);
    expect(result.found).toEqual([found]);
    expect(result.expr).not.toBeNull();
  });

  it('a step that takes one event sees none of its own', () => {
    const found: string[] = [];
    const scope = { schema: payments, steps, self: 0, fields: new Set<string>() };
    const reporter = { error: () => undefined, warning: (code: string) => void found.push(code) };
    expect(checkCondition('amount > large.amount', scope, reporter)).not.toBeNull();
    expect(found).toEqual(['always-empty']);
  });
});
