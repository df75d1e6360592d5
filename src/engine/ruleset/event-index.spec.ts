import fc from 'fast-check';
import type { EngineEvent } from '../event.js';
import type { Expr } from '../expression/expression.js';
import { begin } from '../pattern/builder.js';
import { slotsOf } from './key-state.js';
import { canMatter, compileRuleSet, processKey } from './rule-set.js';
import type { RuleSetOutput } from './slot-state.js';

const field = (name: string): Expr => ({ op: 'field', name });
const is = (name: string, value: number | string): Expr => ({
  op: 'compare',
  cmp: '==',
  left: field(name),
  right: { op: 'const', value },
});
const silent = (): RuleSetOutput => ({ slot: 0, onMatch: () => undefined });
const event = (fields: Record<string, unknown>, seq = 1): EngineEvent => ({ time: seq, seq, kind: 'Payment', fields });

const values = fc.constantFrom(-1, 0, 5, 5.5, 10, 'x', 'y');
const comparison: fc.Arbitrary<Expr> = fc.record({
  op: fc.constant('compare' as const),
  cmp: fc.constantFrom('==', '!=', '<', '<=', '>', '>='),
  left: fc.constantFrom(field('a'), field('b')),
  right: values.map((value): Expr => ({ op: 'const', value })),
});
const swapped = comparison.map((c): Expr => (c.op === 'compare' ? { ...c, left: c.right, right: c.left } : c));
const oneOf: fc.Arbitrary<Expr> = fc.record({
  op: fc.constant('in' as const),
  left: fc.constant(field('a')),
  values: fc.array(values, { maxLength: 6 }),
});
const condition: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    comparison,
    swapped,
    oneOf,
    fc.record({ op: fc.constantFrom('and' as const, 'or' as const), args: fc.array(tie('expr'), { maxLength: 3 }) }),
    fc.record({ op: fc.constant('not' as const), arg: tie('expr') }),
  ),
})).expr;
const anyValue = fc.constantFrom<unknown>(
  -1,
  0,
  -0,
  4,
  5,
  5.5,
  7,
  10,
  11,
  'x',
  'y',
  'z',
  null,
  undefined,
  true,
  Number.NaN,
);

describe('the index of interests', () => {
  it('finds just the patterns that an event can begin', () => {
    const cases = fc.tuple(fc.array(condition, { minLength: 1, maxLength: 8 }), fc.array(fc.tuple(anyValue, anyValue)));
    fc.assert(
      fc.property(cases, ([conditions, rows]) => {
        const rules = compileRuleSet(
          conditions.map((where, i) => ({
            id: `p${i}`,
            pattern: begin('A').where(where).followedBy('B').where(is('c', 1)).build(),
          })),
        );
        for (const [a, b] of rows) {
          const e = event({ a, b });
          rules.index.look(e);
          const begun = rules.patterns.map((p) => p.start.transitions.some((t) => t.test?.(e, e.fields, null) ?? true));
          expect(rules.patterns.map((_, slot) => rules.index.canStart(slot))).toEqual(begun);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('finds what waits: the state of a key is touched just when its event comes', () => {
    const rules = compileRuleSet([
      { id: 'p', pattern: begin('A').where(is('a', 1)).followedBy('B').where(is('b', 'x')).build() },
    ]);
    const state = processKey(rules, undefined, event({ a: 1 }), silent());
    expect(canMatter(rules, event({ a: 2, b: 'y' }))).toBe(false);
    expect(canMatter(rules, event({ a: 2, b: 'x' }))).toBe(true);
    expect(processKey(rules, state, event({ a: 2, b: 'y' }), silent())).toBe(state);
    expect(processKey(rules, state, event({ a: 2, b: 'x' }), silent())).toBeUndefined();
  });

  it('lets an event matter to nobody although optional steps and loops are under way', () => {
    const rules = compileRuleSet([
      {
        id: 'p',
        pattern: begin('A')
          .where(is('a', 1))
          .oneOrMore()
          .followedBy('B')
          .where(is('a', 2))
          .optional()
          .followedBy('C')
          .where(is('a', 3))
          .build(),
      },
    ]);
    const state = processKey(rules, undefined, event({ a: 1 }), silent());
    expect(state).toBeDefined();
    for (const a of [0, 4, 'x']) expect(canMatter(rules, event({ a }))).toBe(false);
    for (const a of [1, 2, 3]) expect(canMatter(rules, event({ a }))).toBe(true);
  });

  it('matters always where a step must follow at once', () => {
    const rules = compileRuleSet([
      { id: 'p', pattern: begin('A').where(is('a', 1)).next('B').where(is('a', 2)).build() },
    ]);
    expect(canMatter(rules, event({ a: 7 }))).toBe(true);
  });

  it('tells apart a thousand thresholds', () => {
    const rules = compileRuleSet(
      Array.from({ length: 1000 }, (_, i) => ({
        id: `p${i}`,
        pattern: begin('A')
          .where({ op: 'compare', cmp: '>', left: field('a'), right: { op: 'const', value: i } })
          .followedBy('B')
          .build(),
      })),
    );
    rules.index.look(event({ a: 500 }));
    expect(rules.index.startCount).toBe(500);
    expect([0, 499, 500, 999].map((slot) => rules.index.canStart(slot))).toEqual([true, true, false, false]);
    expect(rules.index.nextStart(499)).toBe(499);
    expect(rules.index.nextStart(500)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('predicates', () => {
  it('are evaluated at most once for an event, however many patterns and runs ask', () => {
    const other: Expr = { op: 'compare', cmp: '!=', left: field('a'), right: { op: 'const', value: 7 } };
    const rules = compileRuleSet(
      Array.from({ length: 50 }, (_, i) => ({
        id: `p${i}`,
        pattern: begin('A')
          .where(other)
          .next('B')
          .where({ op: 'and', args: [other, is('n', i)] })
          .build(),
      })),
      { sharing: 'never' },
    );
    let reads = 0;
    const counted = {
      get a() {
        reads++;
        return 1;
      },
      n: 3,
    };
    const state = processKey(rules, undefined, event(counted, 1), silent());
    expect(slotsOf(state!).slots.length).toBe(50);
    expect(reads).toBe(1);
    processKey(rules, state, event(counted, 2), silent());
    expect(reads).toBe(2);
  });

  it('are one object where they mean the same', () => {
    const rules = compileRuleSet(
      Array.from({ length: 50 }, (_, i) => ({
        id: `p${i}`,
        pattern: begin('A')
          .where(is('a', 1))
          .followedBy('B')
          .where({ op: 'and', args: [is('a', 1), is('n', i)] })
          .build(),
      })),
    );
    // One that all share, and for each pattern one of its own and the conjunction of the two.
    expect(rules.compiler.predicates.compiled).toBe(1 + 50 + 50);
  });

  it('share their code where only constants differ', () => {
    const rules = compileRuleSet(
      Array.from({ length: 100 }, (_, i) => ({ id: `p${i}`, pattern: begin('A').where(is('a', i)).build() })),
    );
    expect(rules.compiler.predicates.compiled).toBe(100);
    expect(rules.compiler.predicates.forms).toBe(1);
  });
});

describe('a rule set made from another one', () => {
  const some = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      id: `p${i}`,
      pattern: begin('A').where(is('a', i)).followedBy('B').where(is('b', i)).build(),
    }));

  it('compiles only what is new', () => {
    const first = compileRuleSet(some(1000));
    const { compiler } = first;
    expect(compiler.compiled).toBe(1000);
    const second = compileRuleSet(some(1001), { compiler });
    expect(compiler.compiled).toBe(1001);
    expect(second.patterns.slice(0, 1000)).toEqual(first.patterns);
    expect(second.patterns.every((p, i) => i === 1000 || p === first.patterns[i])).toBe(true);
  });
});
