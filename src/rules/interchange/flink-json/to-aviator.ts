import type { CompareOp, Expr, Scalar } from '../../../engine/index.js';
import { NotExpressible } from '../not-expressible.js';
import { AVIATOR_FUNCTIONS } from './functions.js';

/** How strongly an operator binds. */
const OR = 1;
const AND = 2;
const COMPARE = 3;
const ADD = 4;
const MULTIPLY = 5;
const ATOM = 6;

type Said = readonly [text: string, strength: number];

/**
 * Words that are no variables in AVIATOR. A field that has such a name cannot be read.
 */
const WORDS = new Set(
  'if else elsif for in return break continue let fn end lambda new nil true false try catch finally throw use while'.split(
    ' ',
  ),
);

/**
 * A condition on the event alone as an AVIATOR expression. `maybeMissing` says which fields may have no value: with `nil`, which is less than
 * anything else there, a comparison would be true that is false here, and arithmetic fails; so it is asked first whether the value is there.
 *
 * @throws NotExpressible with what AVIATOR does not have.
 */
export function toAviator(expr: Expr, maybeMissing: (field: string) => boolean): string {
  const writer = new Writer(maybeMissing);
  const [text] = writer.truth(expr);
  if (writer.readsEvent) return text;
  throw new NotExpressible('a condition that reads nothing of the event, which Flink takes to hold');
}

class Writer {
  readsEvent = false;

  constructor(private readonly maybeMissing: (field: string) => boolean) {}

  /** An expression that is true or false. */
  truth(expr: Expr): Said {
    switch (expr.op) {
      case 'const':
        return [String(expr.value), ATOM];
      case 'field':
        return this.maybeMissing(expr.name)
          ? [`${this.name(expr.name)} == true`, COMPARE]
          : [this.name(expr.name), ATOM];
      case 'and':
        return this.junction(expr.args, ' && ', AND, 'true');
      case 'or':
        return this.junction(expr.args, ' || ', OR, 'false');
      case 'not':
        if (expr.arg.op === 'present') return [`${this.present(expr.arg.arg)} == nil`, COMPARE];
        return [`!(${this.truth(expr.arg)[0]})`, ATOM];
      case 'present':
        return [`${this.present(expr.arg)} != nil`, COMPARE];
      case 'compare':
        return this.comparison(expr.cmp, expr.left, expr.right);
      case 'in':
        if (expr.values.length === 0) return ['false', ATOM];
        return this.truth({ op: 'or', args: expr.values.map((value) => equals(expr.left, value)) });
      case 'if': {
        const [test, yes, no] = [expr.test, expr.whenTrue, expr.whenFalse].map((part) => this.truth(part)[0]);
        return [`((${test}) ? (${yes}) : (${no}))`, ATOM];
      }
      default:
        return this.guarded(fieldsIn(expr), [this.value(expr)[0], ATOM]);
    }
  }

  /** Any value. What it reads must be there. */
  private value(expr: Expr): Said {
    switch (expr.op) {
      case 'const':
        return [scalar(expr.value, false), ATOM];
      case 'field':
        return [this.name(expr.name), ATOM];
      case 'arith':
        return this.arithmetic(expr.fn, expr.left, expr.right);
      case 'call':
        return [this.call(expr.fn, expr.args), ATOM];
      default:
        throw new NotExpressible(whatIs(expr));
    }
  }

  private junction(args: readonly Expr[], sign: string, strength: number, none: string): Said {
    const [only] = args;
    if (only === undefined) return [none, ATOM];
    if (args.length === 1) return this.truth(only);
    return [args.map((arg) => bracketed(this.truth(arg), strength)).join(sign), strength];
  }

  private comparison(cmp: CompareOp, left: Expr, right: Expr): Said {
    const text = `${bracketed(this.operand(left), ADD)} ${cmp} ${bracketed(this.operand(right), ADD)}`;
    return this.guarded([...this.trueOfNil(cmp, left, right), ...computed(left), ...computed(right)], [text, COMPARE]);
  }

  private operand(expr: Expr): Said {
    return expr.op === 'compare' || expr.op === 'and' || expr.op === 'or' || expr.op === 'not' || expr.op === 'present'
      ? [`(${this.truth(expr)[0]})`, ATOM]
      : this.value(expr);
  }

  /** Fields of which the comparison would be true, were they missing. */
  private trueOfNil(cmp: CompareOp, left: Expr, right: Expr): readonly string[] {
    const [a, b] = [this.missing(left), this.missing(right)];
    if (cmp === '!=') return [...a, ...b];
    if (cmp === '==') return b.length > 0 ? a : [];
    return cmp === '<' || cmp === '<=' ? a : b;
  }

  private missing(expr: Expr): readonly string[] {
    return expr.op === 'field' && this.maybeMissing(expr.name) ? [expr.name] : [];
  }

  private guarded(fields: readonly string[], [text, strength]: Said): Said {
    const asked = [...new Set(fields.filter(this.maybeMissing))];
    if (asked.length === 0) return [text, strength];
    return [[...asked.map((field) => `${this.name(field)} != nil`), text].join(' && '), AND];
  }

  private arithmetic(fn: '+' | '-' | '*' | '/' | '%', left: Expr, right: Expr): Said {
    const strength = fn === '*' || fn === '/' || fn === '%' ? MULTIPLY : ADD;
    if ((fn === '/' || fn === '%') && (right.op !== 'const' || right.value === 0))
      throw new NotExpressible('a division by what may be zero');
    const divisor: Said = right.op === 'const' ? [scalar(right.value, fn === '/'), ATOM] : this.value(right);
    return [`${bracketed(this.value(left), strength)} ${fn} ${bracketed(divisor, strength + 1)}`, strength];
  }

  private name(field: string): string {
    if (WORDS.has(field)) throw new NotExpressible(`the field ${field}, whose name is a word of AVIATOR`);
    this.readsEvent = true;
    return field;
  }

  private present(expr: Expr): string {
    if (expr.op === 'field') return this.name(expr.name);
    throw new NotExpressible(expr.op === 'aggregate' || expr.op === 'nth' ? whatIs(expr) : 'has() of what is no field');
  }

  private call(fn: string, args: readonly Expr[]): string {
    const known = AVIATOR_FUNCTIONS.find(({ cel }) => cel === fn);
    if (known === undefined) throw new NotExpressible(`the function ${fn}`);
    return `${known.aviator}(${args.map((arg) => this.value(arg)[0]).join(', ')})`;
  }
}

const bracketed = ([text, strength]: Said, least: number): string => (strength < least ? `(${text})` : text);

const equals = (left: Expr, value: Scalar): Expr => ({ op: 'compare', cmp: '==', left, right: { op: 'const', value } });

function scalar(value: Scalar, decimal: boolean): string {
  if (typeof value === 'number') return decimal && Number.isInteger(value) ? value.toFixed(1) : String(value);
  if (typeof value === 'boolean') return String(value);
  if (value.includes('#{')) throw new NotExpressible('a text with #{ in it, which is filled in there');
  return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}'`;
}

/** Fields inside of what is computed. */
const computed = (expr: Expr): readonly string[] => (expr.op === 'field' ? [] : fieldsIn(expr));

function fieldsIn(expr: Expr): readonly string[] {
  if (expr.op === 'field') return [expr.name];
  if (expr.op === 'arith') return [...fieldsIn(expr.left), ...fieldsIn(expr.right)];
  return expr.op === 'call' ? expr.args.flatMap(fieldsIn) : [];
}

function whatIs(expr: Expr): string {
  switch (expr.op) {
    case 'aggregate':
    case 'nth':
      return `what the step ${expr.step} has taken: AVIATOR sees the event alone`;
    case 'meta':
      return `${expr.name}: AVIATOR sees the fields of the event alone`;
    case 'feature':
      return 'features: AVIATOR sees the event alone';
    case 'inList':
    case 'lookup':
      return `the reference list ${expr.list}`;
    default:
      return `a choice or comparison as a value`;
  }
}
