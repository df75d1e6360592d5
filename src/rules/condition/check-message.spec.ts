import type { Feature } from '../../engine/index.js';
import type { MessagePart } from '../rule.js';
import type { Reporter } from '../source/source-file.js';
import { payments } from '../testkit/payments.js';
import { checkMessage } from './check-message.js';
import { RuleValues } from './check-value.js';

const usual: Feature = { fn: 'median', field: 'amount', overMs: 60_000 };
const steps = [
  { name: 'large', negated: false, repeats: false },
  { name: 'login', negated: true, repeats: false },
  { name: 'small', negated: false, repeats: true },
];

function check(text: string): { parts: readonly MessagePart[]; found: readonly string[]; fields: readonly string[] } {
  const found: string[] = [];
  const note =
    (mark: string): Reporter['error'] =>
    (code, span) =>
      void found.push(`${mark}${code}: ${text.slice(span.start, span.end)}`);
  const fields = new Set<string>();
  const values = new RuleValues();
  const known = new Map([['usual', { feature: usual, type: 'number' as const }]]);
  const scope = { schema: payments, steps, fields, values, features: { known, used: new Set<string>() } };
  const parts = checkMessage(text, scope, { error: note(''), warning: note('?') });
  return { parts, found, fields: [...fields] };
}

describe('a message', () => {
  it.each<[string, MessagePart]>([
    ['{{ large.amount }}', { kind: 'field', step: 'large', index: -1, field: 'amount' }],
    ['{{large.amount}}', { kind: 'field', step: 'large', index: -1, field: 'amount' }],
    ['{{ last(small).amount }}', { kind: 'field', step: 'small', index: -1, field: 'amount' }],
    ['{{ first(small).amount }}', { kind: 'field', step: 'small', index: 0, field: 'amount' }],
    ['{{ small[0].amount }}', { kind: 'field', step: 'small', index: 0, field: 'amount' }],
    ['{{ count(small) }}', { kind: 'aggregate', fn: 'count', step: 'small' }],
    ['{{ max(small.amount) }}', { kind: 'aggregate', fn: 'max', step: 'small', field: 'amount' }],
    ['{{ key }}', { kind: 'key' }],
    ['{{ duration }}', { kind: 'duration' }],
    ['{{ usual }}', { kind: 'value', index: 0 }],
    ['{{ amount / usual }}', { kind: 'value', index: 0 }],
    ['{{ amount }}', { kind: 'value', index: 0 }],
    ['{{ large.time }}', { kind: 'value', index: 0 }],
    ['{{ small[1].amount }}', { kind: 'value', index: 0 }],
    ['{{ stddev(small.amount) }}', { kind: 'value', index: 0 }],
    ['plain { text }', { kind: 'text', text: 'plain { text }' }],
  ])('reads %s', (text, part) => {
    expect(check(text)).toMatchObject({ parts: [part], found: [] });
  });

  it('keeps the text around values, and says which fields it reads', () => {
    const { parts, fields } = check('From {{ key }} to {{ large.country }}: {{ sum(small.amount) }}!');
    expect(parts.map((part) => (part.kind === 'text' ? part.text : part.kind))).toEqual([
      'From ',
      'key',
      ' to ',
      'field',
      ': ',
      'aggregate',
      '!',
    ]);
    expect(fields).toEqual(['country', 'amount']);
  });

  it.each([
    ['a {{ key', 'message-syntax: {{'],
    ['a {{ }} b', 'message-syntax:  '],
    ['a {{ nonsense }}', 'unknown-field: nonsense'],
    ['a {{ large }}', 'step-without-field: large'],
    ['a {{ large.amount + country }}', 'type-mismatch: country'],
    ['a {{ large. }}', 'message-syntax:  '],
    ['a {{ larg.amount }}', 'unknown-step: larg'],
    ['a {{ count(larg) }}', 'unknown-step: larg'],
    ['a {{ large.amuont }}', 'unknown-field: amuont'],
    ['a {{ sum(small.amuont) }}', 'unknown-field: amuont'],
    ['a {{ total(small.amount) }}', 'unknown-function: total'],
    ['a {{ sum(small) }}', 'wrong-arguments: small'],
    ['a {{ login.amount }}', '?always-empty: login'],
  ])('%s is reported at its place', (text, found) => {
    expect(check(text).found).toEqual([found]);
  });
});
