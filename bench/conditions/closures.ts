/**
 * Checked expression trees as closures: one small function for each node, that calls those of its parts. The engine generates
 * code instead; this is what that is measured against (`bench/conditions.ts`), so it knows only conditions on the event alone.
 */
import type { CompareOp, EngineEvent, Expr, Scalar } from '../../src/engine/index.js';

export type Closure = (event: EngineEvent) => unknown;

/** Throws for what looks at more than the event. The meaning is that of the engine: whatever is compared with a missing value is false. */
export function closureOf(expr: Expr): Closure {
  switch (expr.op) {
    case 'const':
      return () => expr.value;
    case 'field':
      return (event) => event.fields[expr.name];
    case 'meta':
      return expr.name === 'time' ? (event) => event.time : (event) => event.kind;
    case 'compare':
      return comparison(expr.cmp, closureOf(expr.left), closureOf(expr.right));
    case 'in':
      return membership(closureOf(expr.left), expr.values);
    case 'and':
    case 'or':
      return junction(expr.op, expr.args.map(closureOf));
    case 'not': {
      const arg = closureOf(expr.arg);
      return (event) => arg(event) !== true;
    }
    case 'arith':
      return arithmetic(expr.fn, closureOf(expr.left), closureOf(expr.right));
    case 'present': {
      const arg = closureOf(expr.arg);
      return (event) => isPresent(arg(event));
    }
    case 'if': {
      const [test, whenTrue, whenFalse] = [closureOf(expr.test), closureOf(expr.whenTrue), closureOf(expr.whenFalse)];
      return (event) => (test(event) === true ? whenTrue(event) : whenFalse(event));
    }
    default:
      throw new Error(`${expr.op} looks at more than the event`);
  }
}

const isPresent = (value: unknown): boolean => value !== undefined && value !== null && !Number.isNaN(value);

const alike = (a: unknown, b: unknown): boolean =>
  typeof a === typeof b && (typeof a === 'number' || typeof a === 'string');

function comparison(cmp: CompareOp, left: Closure, right: Closure): Closure {
  switch (cmp) {
    case '==':
      return (event) => {
        const value = left(event);
        return isPresent(value) && value === right(event);
      };
    case '!=':
      return (event) => {
        const [a, b] = [left(event), right(event)];
        return isPresent(a) && isPresent(b) && a !== b;
      };
    case '<':
      return ordered(left, right, (a, b) => a < b);
    case '<=':
      return ordered(left, right, (a, b) => a <= b);
    case '>':
      return ordered(left, right, (a, b) => a > b);
    case '>=':
      return ordered(left, right, (a, b) => a >= b);
  }
}

function ordered(left: Closure, right: Closure, holds: (a: number, b: number) => boolean): Closure {
  return (event) => {
    const a = left(event);
    const b = right(event);
    return alike(a, b) && holds(a as number, b as number);
  };
}

function membership(left: Closure, values: readonly Scalar[]): Closure {
  const known = new Set<unknown>(values);
  return (event) => known.has(left(event));
}

function junction(op: 'and' | 'or', args: readonly Closure[]): Closure {
  const [first, second] = args;
  if (args.length === 2 && first !== undefined && second !== undefined) {
    return op === 'and'
      ? (event) => first(event) === true && second(event) === true
      : (event) => first(event) === true || second(event) === true;
  }
  return op === 'and'
    ? (event) => args.every((arg) => arg(event) === true)
    : (event) => args.some((arg) => arg(event) === true);
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

function arithmetic(fn: '+' | '-' | '*' | '/' | '%', left: Closure, right: Closure): Closure {
  switch (fn) {
    case '+':
      return (event) => numberOf(left(event)) + numberOf(right(event));
    case '-':
      return (event) => numberOf(left(event)) - numberOf(right(event));
    case '*':
      return (event) => numberOf(left(event)) * numberOf(right(event));
    case '/':
      return (event) => numberOf(left(event)) / numberOf(right(event));
    case '%':
      return (event) => numberOf(left(event)) % numberOf(right(event));
  }
}
