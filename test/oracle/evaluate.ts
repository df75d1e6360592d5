import type { Condition, EngineEvent, Expr, Scalar } from '../../src/engine/index.js';

/**
 * Conditions by walking their trees, written from what `expression.ts` says they mean. It shares no code with the engine,
 * so that the generated code is checked as well.
 */

/** `undefined` is the missing value; a number that is none is missing too. */
type Value = Scalar | undefined;

/** The events that a partial match has for a step so far, oldest first. */
export type EventsOf = (step: string) => readonly EngineEvent[];

export function holds(condition: Condition, event: EngineEvent, eventsOf: EventsOf): boolean {
  if (condition.op === 'function') return condition.test(event, { events: eventsOf }) === true;
  return evaluate(condition, event, eventsOf) === true;
}

function evaluate(expr: Expr, event: EngineEvent, eventsOf: EventsOf): Value {
  const value = (inner: Expr): Value => evaluate(inner, event, eventsOf);
  switch (expr.op) {
    case 'const':
      return known(expr.value);
    case 'field':
      return known(event.fields[expr.name]);
    case 'meta':
      return expr.name === 'time' ? event.time : expr.name === 'stream' ? event.stream : event.kind;
    case 'aggregate':
      return statistic(expr.fn, eventsOf(expr.step), expr.field);
    case 'nth':
      return fieldOf(eventsOf(expr.step)[expr.index], expr.field);
    case 'compare':
      return compare(expr.cmp, value(expr.left), value(expr.right));
    case 'in':
      return expr.values.some((one) => value(expr.left) === one);
    case 'and':
      return expr.args.every((arg) => value(arg) === true);
    case 'or':
      return expr.args.some((arg) => value(arg) === true);
    case 'not':
      return value(expr.arg) !== true;
    case 'arith':
      return arithmetic(expr.fn, value(expr.left), value(expr.right));
    case 'present':
      return value(expr.arg) !== undefined;
    case 'if':
      return value(expr.test) === true ? value(expr.whenTrue) : value(expr.whenFalse);
    case 'call':
      return call(expr.fn, expr.args.map(value));
    default:
      throw new Error(`the oracle does not know ${expr.op}`);
  }
}

function known(value: unknown): Value {
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value;
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}

function fieldOf(event: EngineEvent | undefined, field: string): Value {
  if (event === undefined) return undefined;
  if (field === '$time') return event.time;
  return field === '$kind' ? event.kind : known(event.fields[field]);
}

function statistic(fn: string, events: readonly EngineEvent[], field = ''): Value {
  if (fn === 'count') return events.length;
  if (fn === 'first') return fieldOf(events[0], field);
  if (fn === 'last') return fieldOf(events.at(-1), field);
  const values = events.map((event) => fieldOf(event, field)).filter((value) => value !== undefined);
  if (fn === 'distinct') return new Set(values).size;
  const numbers = values.filter((value) => typeof value === 'number');
  const total = numbers.reduce((a, b) => a + b, 0);
  if (fn === 'sum') return total;
  if (numbers.length === 0) return undefined;
  if (fn === 'avg') return total / numbers.length;
  if (fn === 'min') return Math.min(...numbers);
  if (fn === 'max') return Math.max(...numbers);
  if (fn === 'stddev') {
    const mean = total / numbers.length;
    return Math.sqrt(numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length);
  }
  throw new Error(`the oracle does not know ${fn}`);
}

function compare(cmp: string, left: Value, right: Value): boolean {
  if (left === undefined || right === undefined) return false;
  if (cmp === '==') return left === right;
  if (cmp === '!=') return left !== right;
  if (typeof left !== typeof right || typeof left === 'boolean') return false;
  if (cmp === '<') return left < right;
  if (cmp === '<=') return left <= right;
  return cmp === '>' ? left > right : left >= right;
}

function arithmetic(fn: string, left: Value, right: Value): Value {
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  if (fn === '+') return known(left + right);
  if (fn === '-') return known(left - right);
  if (fn === '*') return known(left * right);
  return known(fn === '/' ? left / right : left % right);
}

function call(fn: string, args: readonly Value[]): Value {
  const [a, b] = args;
  if (typeof a === 'number') {
    if (fn === 'abs') return a < 0 ? -a : a;
    if (fn === 'floor') return Math.floor(a);
    if (fn === 'ceil') return Math.ceil(a);
  }
  if (typeof a !== 'string') return undefined;
  if (fn === 'size') return a.length;
  if (fn === 'lower') return a.toLowerCase();
  if (fn === 'upper') return a.toUpperCase();
  if (typeof b !== 'string') return undefined;
  if (fn === 'contains') return a.indexOf(b) >= 0;
  if (fn === 'startsWith') return a.slice(0, b.length) === b;
  if (fn === 'endsWith') return b === '' || a.slice(-b.length) === b;
  throw new Error(`the oracle does not know ${fn}`);
}
