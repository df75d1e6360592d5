import type { Expr } from '../../engine/index.js';
import type { KnownLists } from '../known-lists.js';
import { payments } from '../testkit/payments.js';
import { checkCondition } from './check-condition.js';

const known: KnownLists = new Map([
  ['sanctioned', 'set'],
  ['home', 'map'],
]);

function check(text: string, lists: KnownLists | null = known) {
  const found: string[] = [];
  const hints: (string | undefined)[] = [];
  const used = new Set<string>();
  const expr = checkCondition(
    text,
    {
      schema: payments,
      steps: [{ name: 'a', negated: false, repeats: false }],
      self: 0,
      fields: new Set(),
      lists: { known: lists, used },
    },
    {
      error: (code, { start, end }, _, hint) => {
        found.push(`${code}: ${text.slice(start, end)}`);
        hints.push(hint);
      },
      warning: (code) => void found.push(`?${code}`),
    },
  );
  return { expr, found, hints, used: [...used].sort() };
}

const field = (name: string): Expr => ({ op: 'field', name });

describe('a condition on reference lists', () => {
  it('asks whether a value is in one', () => {
    expect(check("country in list('sanctioned')")).toEqual({
      expr: { op: 'inList', list: 'sanctioned', value: field('country') },
      found: [],
      hints: [],
      used: ['sanctioned'],
    });
  });

  it('asks a map for a text and for a number', () => {
    expect(check("country != list('home', accountId) && amount > listNumber('home', country)")).toMatchObject({
      expr: {
        args: [
          { cmp: '!=', right: { op: 'lookup', list: 'home', key: field('accountId'), as: 'string' } },
          { cmp: '>', right: { op: 'lookup', list: 'home', key: field('country'), as: 'number' } },
        ],
      },
      found: [],
    });
  });

  it.each([
    ["country in list('sanctiond')", "unknown-list: 'sanctiond'", 'Did you mean sanctioned?'],
    [
      "list('sanctioned', country) == 'x'",
      "not-a-map: 'sanctioned'",
      "Ask field in list('sanctioned'), or set lists.sanctioned.kind to map.",
    ],
    [
      "list('home', accountId) > 5",
      "type-mismatch: list('home', accountId) > 5",
      'Write listNumber to compare it with a number.',
    ],
    [
      "list('home') == 'x'",
      "wrong-arguments: list('home')",
      "Write field in list('name') for a set, list('name', key) for a map.",
    ],
    ["country in list('home', accountId)", "wrong-arguments: list('home', accountId)", "Write field in list('name')."],
    ['country in list(country)', 'wrong-arguments: country', "Write list('name')."],
    ["labels in list('home')", 'type-mismatch: labels', undefined],
    ["listNumber('home') > 5", "wrong-arguments: listNumber('home')", "Write listNumber('name', key)."],
  ])('is told what is wrong with %s', (text, found, hint) => {
    expect(check(text)).toMatchObject({ expr: null, found: [found], hints: [hint] });
  });

  it('is told where a list would come from when there is none', () => {
    expect(check("country in list('x')", new Map()).hints).toEqual(['Name its file in the settings: lists.x.file.']);
  });

  it('may ask any list where nothing is known of them', () => {
    expect(check("country in list('x')", null)).toMatchObject({ found: [], used: ['x'] });
  });
});
