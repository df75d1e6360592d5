import {
  compileRuleSet,
  eq,
  field,
  gt,
  inList,
  type Lists,
  lookup,
  not,
  PatternCompiler,
  PatternRunner,
} from '../index.js';
import type { Expr } from './expression.js';

const lists: Lists = {
  has: (list, value) => list === 'blocked' && ['A1', '5', 'true'].includes(value),
  get: (list, key) => (list === 'limit' ? { A1: '100', A2: 'none', A3: ' ' }[key] : undefined),
};

const patternOf = (where: Expr) => ({
  steps: [{ kind: 'event' as const, name: 'a', contiguity: 'start' as const, where }],
});
const holds = (where: Expr, fields: Record<string, unknown>): boolean =>
  new PatternRunner(patternOf(where), { lists }).feed({ time: 0, seq: 0, kind: '', fields }).length === 1;

describe('conditions on lists', () => {
  it.each<[unknown, boolean]>([
    ['A1', true],
    ['A2', false],
    [5, true],
    [true, true],
    [null, false],
    [undefined, false],
    [Number.NaN, false],
  ])('find whether %j is in a list', (value, expected) => {
    expect(holds(inList(field('f'), 'blocked'), { f: value })).toBe(expected);
    expect(holds(not(inList(field('f'), 'blocked')), { f: value })).toBe(!expected);
  });

  it('look up texts and numbers; what is not there is missing', () => {
    const limit = (account: string, cmp: typeof gt) =>
      holds(cmp(lookup('limit', field('f'), 'number'), 50), { f: account });
    expect(['A1', 'A2', 'A3', 'A4'].map((account) => limit(account, gt))).toEqual([true, false, false, false]);
    expect(holds(eq(lookup('limit', field('f')), 'none'), { f: 'A2' })).toBe(true);
    expect(holds({ op: 'present', arg: lookup('limit', field('f')) }, { f: 'A9' })).toBe(false);
  });

  it('cannot be compiled without lists', () => {
    expect(() => new PatternRunner(patternOf(inList(field('f'), 'blocked')))).toThrow('asks the list blocked');
  });

  it('are compiled again when the lists are others', () => {
    const patterns = [{ id: 'a', pattern: patternOf(inList(field('f'), 'blocked')) }];
    const { compiler } = compileRuleSet(patterns, { lists });
    expect(compileRuleSet(patterns, { lists, compiler }).compiler).toBe(compiler);
    const other: Lists = { has: () => true, get: () => undefined };
    expect(compileRuleSet(patterns, { lists: other, compiler }).compiler).not.toBe(compiler);
    expect(compiler).toBeInstanceOf(PatternCompiler);
  });

  it('work in the where of a feature', () => {
    const counted = { fn: 'count' as const, overMs: 1000, where: inList(field('f'), 'blocked') };
    const runner = new PatternRunner(patternOf(gt({ op: 'feature', feature: counted }, 1)), { lists });
    const fed = ['A1', 'A2', 'A1'].map((f, seq) => runner.feed({ time: seq, seq, kind: '', fields: { f } }).length);
    expect(fed).toEqual([0, 0, 1]);
  });
});
