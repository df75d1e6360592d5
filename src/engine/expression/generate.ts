import type { CompareOp, Expr, Feature, FunctionCondition, Scalar } from './expression.js';
import { isScalarFeature } from './feature.js';
import { FUNCTIONS, fewest, most, type ParamType, paramOf } from './functions.js';
import type { Lists } from './lists.js';

/**
 * Turns checked trees into JavaScript source. Only the operators below are ever written, every name goes through
 * `JSON.stringify`, constants are parameters, and the code sees nothing but those: `event`, its `fields`, the `head` of the
 * run, the constants, and the run-time library `rt`. So a condition cannot reach prototypes or globals, whatever names a rule uses.
 *
 * A missing value is `undefined` (or null) among values and `NaN` among numbers; comparisons with either are false.
 */
export interface GenerateContext {
  /** Index of a step's events; -1 for a step that never holds events. */
  stepIndex(step: string): number;
  /** Adds a constant, and returns the code that reads it. */
  constant(value: unknown): string;
  /** What `inList` and `lookup` ask. Throws `ListsMissingError` when there are none. */
  lists(list: string): Lists;
  /** The code that reads the feature's present value: a number (`NaN`: missing), but of `isScalarFeature` any scalar or `undefined`. */
  feature(feature: Feature): string;
  /** The code that reads the key that the event is counted for. */
  key(): string;
}

/** `dynamic`: any type, possibly missing. */
type Shape = 'number' | 'string' | 'boolean' | 'dynamic';

interface Code {
  readonly text: string;
  readonly shape: Shape;
}

const code = (shape: Shape, text: string): Code => ({ text, shape });

export function generateTest(expr: Expr | FunctionCondition, context: GenerateContext): string {
  if (expr.op === 'function') return `(${context.constant(expr.test)}(event, rt.view(head)) === true)`;
  return asTest(generate(expr, context));
}

/** The code of any expression. */
export const generateValue = (expr: Expr, context: GenerateContext): string => generate(expr, context).text;

const asTest = (c: Code): string => (c.shape === 'boolean' ? c.text : `(${c.text} === true)`);

const asNumber = (c: Code): string => {
  if (c.shape === 'number') return c.text;
  return c.shape === 'dynamic' ? `rt.num(${c.text})` : '(NaN)';
};

function generate(expr: Expr, context: GenerateContext): Code {
  switch (expr.op) {
    case 'const':
      return constant(expr.value, context);
    case 'field':
      return code('dynamic', `fields[${JSON.stringify(expr.name)}]`);
    case 'meta':
      return meta(expr.name, context);
    case 'aggregate':
      return aggregate(expr, context);
    case 'nth':
      return code(
        'dynamic',
        `rt.nth(head, ${context.stepIndex(expr.step)}, ${Number(expr.index)}, ${JSON.stringify(expr.field)})`,
      );
    case 'feature':
      return code(isScalarFeature(expr.feature) ? 'dynamic' : 'number', context.feature(expr.feature));
    case 'compare':
      return compare(expr.cmp, generate(expr.left, context), generate(expr.right, context));
    case 'in':
      return oneOf(generate(expr.left, context), expr.values, context);
    case 'inList':
      return code('boolean', `rt.inList(${ask(expr.list, expr.value, context)})`);
    case 'lookup':
      return expr.as === 'number'
        ? code('number', `rt.lookupNumber(${ask(expr.list, expr.key, context)})`)
        : code('dynamic', `rt.lookup(${ask(expr.list, expr.key, context)})`);
    case 'and':
    case 'or':
      return junction(expr.op, expr.args, context);
    case 'not':
      return code('boolean', `!${asTest(generate(expr.arg, context))}`);
    case 'arith':
      return code(
        'number',
        `(${asNumber(generate(expr.left, context))} ${operator(expr.fn)} ${asNumber(generate(expr.right, context))})`,
      );
    case 'present':
      return code('boolean', `rt.present(${generate(expr.arg, context).text})`);
    case 'if':
      return conditional(expr, context);
    case 'call':
      return call(expr.fn, expr.args, context);
    default:
      return unreachable(expr);
  }
}

function meta(name: Extract<Expr, { op: 'meta' }>['name'], context: GenerateContext): Code {
  if (name === 'time') return code('number', 'event.time');
  if (name === 'key') return code('string', context.key());
  return name === 'kind' ? code('string', 'event.kind') : code('dynamic', 'event.stream');
}

/** Numbers and strings are not written into the code: conditions that differ in them alone share it. */
function constant(value: Scalar, context: GenerateContext): Code {
  if (typeof value === 'number') return code('number', Number.isFinite(value) ? context.constant(value) : '(NaN)');
  return typeof value === 'string'
    ? code('string', context.constant(value))
    : code('boolean', value === true ? 'true' : 'false');
}

function aggregate(expr: Extract<Expr, { op: 'aggregate' }>, context: GenerateContext): Code {
  const step = context.stepIndex(expr.step);
  if (expr.fn === 'count') return code('number', `rt.count(head, ${step})`);
  const text = `rt.${knownAggregate(expr.fn)}(head, ${step}, ${JSON.stringify(expr.field ?? '')})`;
  return code(expr.fn === 'first' || expr.fn === 'last' ? 'dynamic' : 'number', text);
}

const AGGREGATES = new Set(['sum', 'avg', 'min', 'max', 'first', 'last', 'distinct', 'stddev']);

function knownAggregate(fn: string): string {
  if (!AGGREGATES.has(fn)) throw new Error(`unknown aggregate ${fn}`);
  return fn;
}

const COMPARE: Readonly<Record<CompareOp, string>> = {
  '==': '===',
  '!=': '!==',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
const HELPER: Readonly<Record<CompareOp, string>> = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

function compare(cmp: CompareOp, left: Code, right: Code): Code {
  const op = COMPARE[cmp];
  if (op === undefined) throw new Error(`unknown comparison ${cmp}`);
  const numeric = left.shape === 'number' || right.shape === 'number';
  if (numeric && cmp !== '!=') return code('boolean', `(${asNumber(left)} ${op} ${asNumber(right)})`);
  if (numeric) return code('boolean', `rt.neNum(${asNumber(left)}, ${asNumber(right)})`);
  if (cmp === '==' && (left.shape === 'string' || right.shape === 'string'))
    return code('boolean', `(${left.text} === ${right.text})`);
  return code('boolean', `rt.${HELPER[cmp]}(${left.text}, ${right.text})`);
}

/** Up to this many values a chain of comparisons is faster than a set. */
const CHAIN_MAX = 4;

function oneOf(left: Code, values: readonly Scalar[], context: GenerateContext): Code {
  if (values.length > CHAIN_MAX) return code('boolean', `${context.constant(new Set(values))}.has(${left.text})`);
  if (values.length === 0) return code('boolean', 'false');
  return code(
    'boolean',
    `rt.in${values.length}(${[left.text, ...values.map((v) => constant(v, context).text)].join(', ')})`,
  );
}

function junction(op: 'and' | 'or', args: readonly Expr[], context: GenerateContext): Code {
  if (args.length === 0) return code('boolean', op === 'and' ? 'true' : 'false');
  return code('boolean', `(${args.map((arg) => asTest(generate(arg, context))).join(op === 'and' ? ' && ' : ' || ')})`);
}

function ask(list: string, value: Expr, context: GenerateContext): string {
  const lists = context.constant(context.lists(list));
  return `${lists}, ${context.constant(list)}, ${generate(value, context).text}`;
}

function operator(fn: string): string {
  if (!['+', '-', '*', '/', '%'].includes(fn)) throw new Error(`unknown operator ${fn}`);
  return fn;
}

function conditional(expr: Extract<Expr, { op: 'if' }>, context: GenerateContext): Code {
  const whenTrue = generate(expr.whenTrue, context);
  const whenFalse = generate(expr.whenFalse, context);
  const shape = whenTrue.shape === whenFalse.shape ? whenTrue.shape : 'dynamic';
  return code(shape, `(${asTest(generate(expr.test, context))} ? ${whenTrue.text} : ${whenFalse.text})`);
}

/** What makes an argument one of its type, or missing. */
const READERS: Readonly<Record<ParamType, string>> = { number: 'num', string: 'str', any: 'scalar' };

function call(name: string, args: readonly Expr[], context: GenerateContext): Code {
  const fn = FUNCTIONS.get(name);
  if (fn === undefined || args.length < fewest(fn) || args.length > most(fn))
    throw new Error(`unknown function ${name}/${args.length}`);
  const values = args.map((arg, i) => `rt.${READERS[paramOf(fn, i)]}(${generate(arg, context).text})`);
  return code('dynamic', `rt.call(${context.constant(fn)}, ${values.join(', ')})`);
}

function unreachable(expr: never): never {
  throw new Error(`unknown expression ${JSON.stringify(expr)}`);
}
