import { compilePattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import type { Expr } from './expression.js';

const event = (fields: Record<string, unknown>): EngineEvent => ({ time: 1000, seq: 1, kind: 'Payment', fields });

function holds(where: Expr, fields: Record<string, unknown> = {}): boolean {
  const pattern = compilePattern({ steps: [{ kind: 'event', name: 'a', contiguity: 'start', where }] });
  const e = event(fields);
  return pattern.start.transitions[0]!.test!(e, e.fields, null);
}

const f = (name: string): Expr => ({ op: 'field', name });
const c = (value: number | string | boolean): Expr => ({ op: 'const', value });
const compare = (left: Expr, cmp: '==' | '!=' | '<' | '<=' | '>' | '>=', right: Expr): Expr => ({
  op: 'compare',
  cmp,
  left,
  right,
});

describe('conditions', () => {
  it.each([
    [compare(f('n'), '>', c(5)), true],
    [compare(f('n'), '!=', c(6)), false],
    [compare(f('s'), '==', c('x')), true],
    [compare(f('s'), '<', c('y')), true],
    [{ op: 'in', left: f('s'), values: ['a', 'x'] }, true],
    [{ op: 'in', left: f('n'), values: [1, 2, 3, 4, 5, 6] }, true],
    [compare({ op: 'arith', fn: '*', left: f('n'), right: c(2) }, '==', c(12)), true],
    [{ op: 'not', arg: compare(f('n'), '==', c(6)) }, false],
    [{ op: 'call', fn: 'startsWith', args: [f('s'), c('x')] }, true],
    [compare({ op: 'meta', name: 'kind' }, '==', c('Payment')), true],
    [compare({ op: 'if', test: f('b'), whenTrue: c(1), whenFalse: c(2) }, '==', c(1)), true],
    [{ op: 'and', args: [] }, true],
    [{ op: 'or', args: [] }, false],
  ] as [Expr, boolean][])('%j is %s', (where, expected) => {
    expect(holds(where, { n: 6, s: 'x', b: true })).toBe(expected);
  });

  describe('a missing value', () => {
    const missing: Expr[] = [f('absent'), f('none'), { op: 'arith', fn: '+', left: f('absent'), right: c(1) }];
    it.each(['==', '!=', '<', '<=', '>', '>='] as const)('makes every comparison by %s false', (cmp) => {
      for (const m of missing) {
        for (const other of [c(0), c('x'), f('n'), f('none')]) {
          expect(holds(compare(m, cmp, other), { n: 0, none: null })).toBe(false);
          expect(holds(compare(other, cmp, m), { n: 0, none: null })).toBe(false);
        }
      }
    });

    it('is not there for has(), and in no list', () => {
      for (const arg of missing) expect(holds({ op: 'present', arg }, { none: null })).toBe(false);
      expect(holds({ op: 'present', arg: f('n') }, { n: 0 })).toBe(true);
      expect(holds({ op: 'in', left: f('absent'), values: ['undefined', 'null'] })).toBe(false);
    });
  });

  it('does not take a text for a number', () => {
    expect(holds(compare(f('n'), '>', c(5)), { n: '6' })).toBe(false);
    expect(holds(compare(f('n'), '>', f('m')), { n: '6', m: 5 })).toBe(false);
  });

  it('treats hostile names and texts as nothing but names and texts', () => {
    const hostile = '"]; globalThis.hacked = true; //\u2028';
    expect(holds(compare(f(hostile), '==', c(hostile)), { [hostile]: hostile })).toBe(true);
    expect(holds(compare(f('constructor'), '==', c('x')))).toBe(false);
    expect((globalThis as { hacked?: boolean }).hacked).toBeUndefined();
    expect(() => holds({ op: 'call', fn: 'constructor', args: [] })).toThrow('unknown function');
    expect(() => holds({ op: 'arith', fn: ';' as '+', left: c(1), right: c(1) })).toThrow('unknown operator');
  });
});
