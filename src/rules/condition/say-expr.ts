import type { Expr, Feature, Scalar } from '../../engine/index.js';

/** How strongly an operator binds; brackets are written around what binds less. */
const OR = 1;
const AND = 2;
const COMPARE = 3;
const ADD = 4;
const MULTIPLY = 5;
const ATOM = 6;

const MULTIPLIES = new Set(['*', '/', '%']);

/** The expression as conditions are written. `nameOf`: what a rule calls a feature. */
export function sayExpr(expr: Expr, nameOf: (feature: Feature) => string = sayFeature): string {
  return say(expr, 0, nameOf);
}

function say(expr: Expr, around: number, nameOf: (feature: Feature) => string): string {
  const [text, strength] = parts(expr, (inner, least) => say(inner, least, nameOf), nameOf);
  return strength < around ? `(${text})` : text;
}

function parts(
  expr: Expr,
  inner: (expr: Expr, least: number) => string,
  nameOf: (feature: Feature) => string,
): readonly [text: string, strength: number] {
  switch (expr.op) {
    case 'const':
      return [sayScalar(expr.value), ATOM];
    case 'field':
      return [expr.name, ATOM];
    case 'meta':
      return [expr.name, ATOM];
    case 'aggregate':
      return [sayAggregate(expr), ATOM];
    case 'nth':
      return [`${expr.step}[${expr.index}].${fieldName(expr.field)}`, ATOM];
    case 'feature':
      return [nameOf(expr.feature), ATOM];
    case 'compare':
      return [`${inner(expr.left, ADD)} ${expr.cmp} ${inner(expr.right, ADD)}`, COMPARE];
    case 'in':
      return [`${inner(expr.left, ADD)} in [${expr.values.map(sayScalar).join(', ')}]`, COMPARE];
    case 'inList':
      return [`${inner(expr.value, ADD)} in list(${sayScalar(expr.list)})`, COMPARE];
    case 'lookup':
      return [`${expr.as === 'number' ? 'listNumber' : 'list'}(${sayScalar(expr.list)}, ${inner(expr.key, 0)})`, ATOM];
    case 'and':
      return [expr.args.map((arg) => inner(arg, AND)).join(' && '), AND];
    case 'or':
      return [expr.args.map((arg) => inner(arg, OR)).join(' || '), OR];
    case 'not':
      return expr.arg.op === 'present'
        ? [`${inner(expr.arg.arg, ADD)} == null`, COMPARE]
        : [`!${inner(expr.arg, ATOM)}`, ATOM];
    case 'arith': {
      const strength = MULTIPLIES.has(expr.fn) ? MULTIPLY : ADD;
      return [`${inner(expr.left, strength)} ${expr.fn} ${inner(expr.right, strength + 1)}`, strength];
    }
    case 'present':
      return [`has(${inner(expr.arg, 0)})`, ATOM];
    case 'if':
      return [`${inner(expr.test, OR)} ? ${inner(expr.whenTrue, OR)} : ${inner(expr.whenFalse, OR)}`, 0];
    case 'call':
      return [`${expr.fn}(${expr.args.map((arg) => inner(arg, 0)).join(', ')})`, ATOM];
  }
}

function sayAggregate({ fn, step, field }: Extract<Expr, { op: 'aggregate' }>): string {
  if (field === undefined) return `${fn}(${step})`;
  if (fn === 'last') return `${step}.${fieldName(field)}`;
  return fn === 'first' ? `first(${step}).${fieldName(field)}` : `${fn}(${step}.${fieldName(field)})`;
}

/** `$time` and `$kind` are the event's own. */
const fieldName = (field: string): string => field.replace(/^\$/, '');

const sayScalar = (value: Scalar): string =>
  typeof value === 'string' ? `'${value.replace(/[\\']/g, '\\$&').replace(/[\n\r\t]/g, escaped)}'` : String(value);

const escaped = (space: string): string => JSON.stringify(space).slice(1, -1);

const sayFeature = ({ fn, field }: Feature): string => (field === undefined ? fn : `${fn} of ${field}`);
