import fc from 'fast-check';
import type { Expr } from '../../../src/engine/index.js';

/**
 * Random conditions over the fields `type` (a to d), `amount` (small numbers, now and then missing) and the kind. Steps are named
 * `#0`, `#1` … until it is known which steps the pattern has; then `withNames` puts the names in.
 */
const field = (name: string): Expr => ({ op: 'field', name });
const constant = (value: number | string): Expr => ({ op: 'const', value });
const types = fc.constantFrom('a', 'b', 'c', 'd');
const number = fc.integer({ min: 0, max: 9 });
const anyCompare = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const step = fc.integer({ min: 0, max: 5 }).map((n) => `#${n}`);

const typeIs: fc.Arbitrary<Expr> = types.map((type) => compare('==', field('type'), constant(type)));

function compare(cmp: '==' | '!=' | '<' | '<=' | '>' | '>=', left: Expr, right: Expr): Expr {
  return { op: 'compare', cmp, left, right };
}

/** Numbers of the event under test. */
const ownNumber: fc.Arbitrary<Expr> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(field('amount')) },
  { weight: 1, arbitrary: fc.constant<Expr>({ op: 'meta', name: 'time' }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ fn: fc.constantFrom('+', '-', '*', '/', '%'), right: number })
      .map(({ fn, right }): Expr => ({ op: 'arith', fn, left: field('amount'), right: constant(right) })),
  },
  { weight: 1, arbitrary: fc.constant<Expr>({ op: 'call', fn: 'abs', args: [field('amount')] }) },
);

/** Conditions that look at the event alone. */
export const aloneCondition: fc.Arbitrary<Expr> = fc.oneof(
  { weight: 12, arbitrary: typeIs },
  { weight: 2, arbitrary: fc.uniqueArray(types, { minLength: 1, maxLength: 3 }).map(oneOfTypes) },
  { weight: 1, arbitrary: types.map((type) => compare('!=', field('type'), constant(type))) },
  {
    weight: 3,
    arbitrary: fc.record({ cmp: anyCompare, left: ownNumber, right: number }).map(amountTest),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ type: typeIs, cmp: anyCompare, right: number, op: fc.constantFrom('and', 'or') })
      .map(
        ({ type, cmp, right, op }): Expr => ({ op, args: [type, amountTest({ cmp, left: field('amount'), right })] }),
      ),
  },
  { weight: 1, arbitrary: typeIs.map((arg): Expr => ({ op: 'not', arg })) },
  { weight: 1, arbitrary: fc.constant<Expr>({ op: 'present', arg: field('amount') }) },
  { weight: 1, arbitrary: fc.constantFrom(true, false).map((value): Expr => ({ op: 'const', value })) },
  { weight: 1, arbitrary: fc.constantFrom('tx', 'card', 'wire').map(kindIs) },
  { weight: 1, arbitrary: typeIs.map(typeOrElse) },
);

function oneOfTypes(values: readonly string[]): Expr {
  return { op: 'in', left: field('type'), values };
}

function amountTest(t: { cmp: '==' | '!=' | '<' | '<=' | '>' | '>='; left: Expr; right: number }): Expr {
  return compare(t.cmp, t.left, constant(t.right));
}

function kindIs(kind: string): Expr {
  return compare('==', { op: 'meta', name: 'kind' }, constant(kind));
}

function typeOrElse(test: Expr): Expr {
  const big = compare('>', field('amount'), constant(4));
  return { op: 'if', test, whenTrue: big, whenFalse: { op: 'not', arg: big } };
}

/** Numbers of the events that the partial match has so far. */
const earlierNumber: fc.Arbitrary<Expr> = fc.oneof(
  step.map((name): Expr => ({ op: 'aggregate', fn: 'count', step: name })),
  fc
    .record({ fn: fc.constantFrom('sum', 'last', 'first', 'min', 'max', 'avg', 'distinct', 'stddev'), name: step })
    .map(({ fn, name }): Expr => ({ op: 'aggregate', fn, step: name, field: 'amount' })),
  fc
    .record({ index: fc.integer({ min: 0, max: 2 }), name: step })
    .map(({ index, name }): Expr => ({ op: 'nth', step: name, index, field: 'amount' })),
  step.map(
    (name): Expr => ({
      op: 'arith',
      fn: '-',
      left: { op: 'meta', name: 'time' },
      right: { op: 'aggregate', fn: 'first', step: name, field: '$time' },
    }),
  ),
);

/** Conditions that look back at what the partial match has. */
export const iterativeCondition: fc.Arbitrary<Expr> = fc
  .record({
    type: typeIs,
    op: fc.constantFrom('and', 'or', null),
    cmp: anyCompare,
    left: earlierNumber,
    right: fc.oneof(number.map(constant), fc.constant(field('amount'))),
  })
  .map(({ type, op, cmp, left, right }): Expr => {
    const looksBack = compare(cmp, left, right);
    return op === null ? looksBack : { op, args: [type, looksBack] };
  });

/** The condition with `#n` replaced by the n-th of the names, counted round. */
export function withNames(condition: Expr, names: readonly string[]): Expr {
  return JSON.parse(JSON.stringify(condition), (key, value: unknown) =>
    key === 'step' && typeof value === 'string' ? names[Number(value.slice(1)) % names.length] : value,
  ) as Expr;
}
