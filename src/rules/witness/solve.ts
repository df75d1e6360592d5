import { type Expr, FUNCTIONS, type Lists, PatternCompiler, type Scalar } from '../../engine/index.js';
import { Logic } from '../logic/constraints.js';
import { contains, type Domain, type Interval } from '../logic/domain.js';
import type { EventSchema } from '../schema.js';
import { LISTED } from './substitute.js';

export type Fields = Record<string, Scalar | null>;

/** How values are chosen where a condition leaves a choice. */
export interface Manner {
  /** At the bounds that the condition sets, rather than by default. */
  readonly atBounds: boolean;
  /** Texts that differ from event to event, rather than the same. */
  readonly varied: boolean;
}

export const MANNERS: readonly Manner[] = [false, true].flatMap((varied) =>
  [false, true].map((atBounds) => ({ atBounds, varied })),
);

export interface SolveContext {
  readonly manner: Manner;
  /** Of the event in its stream, from 1. */
  readonly number: number;
  readonly schema: EventSchema | null;
  readonly lists: Lists;
  /** Fields that have a value even if the condition does not read them. */
  readonly also: readonly string[];
  /** Values that fields have whatever the condition says. */
  readonly fixed: Readonly<Fields>;
}

/** Combinations of values that are tried where the constraints alone do not do. */
const TRIES_MAX = 3000;

/**
 * Values for the fields that a condition reads, so that it has the truth; `null` when none were found. The condition speaks of the
 * event's fields alone. First by the bounds of its terms, then by trying what its constants and bounds suggest.
 */
export function solve(expr: Expr, truth: boolean, context: SolveContext): Fields | null {
  const fields = [...fieldsIn(expr)].filter((name) => !(name in context.fixed));
  const holds = testOf(expr, truth, context.lists);
  const base = (): Fields => {
    const values: Fields = {};
    for (const name of context.also) values[name] = wishOf(name, context);
    Object.assign(values, context.fixed);
    for (const name of fields) values[name] = wishOf(name, context);
    return values;
  };
  if (!context.manner.atBounds && holds(base())) return base();
  const pools = new Map<string, Set<Scalar | null>>(
    fields.map((name) => [name, new Set(poolOf(name, expr, context.schema))]),
  );
  for (const conjunction of new Logic(() => context.schema).conjunctions([[expr, truth]]) ?? []) {
    const values = base();
    for (const { term, domain, key } of conjunction.values()) assign(term, domain, key, values, pools, context);
    if (holds(values)) return values;
  }
  return search(fields, pools, base(), holds);
}

function search(
  fields: readonly string[],
  pools: ReadonlyMap<string, ReadonlySet<Scalar | null>>,
  base: Fields,
  holds: (values: Fields) => boolean,
): Fields | null {
  const lists = fields.map((name) => [...pools.get(name)!]);
  const combinations = lists.reduce((product, list) => product * list.length, 1);
  for (let n = 0; n < Math.min(TRIES_MAX, combinations); n++) {
    // All of them in order while they are few, spread over all of them when they are many.
    let at = combinations <= TRIES_MAX ? n : (n * 7919) % combinations;
    const values = { ...base };
    fields.forEach((name, i) => {
      values[name] = lists[i]![at % lists[i]!.length]!;
      at = Math.floor(at / lists[i]!.length);
    });
    if (holds(values)) return values;
  }
  return null;
}

/** Gives the fields of a term values by which the term is in its domain, and notes those as worth a try. */
function assign(
  term: Expr,
  domain: Domain,
  key: string,
  values: Fields,
  pools: Map<string, Set<Scalar | null>>,
  context: SolveContext,
): void {
  const note = (name: string, value: Scalar | null): void => {
    pools.get(name)?.add(value);
    if (!(name in context.fixed)) values[name] = value;
  };
  if (term.op === 'field') {
    const value = valueIn(domain, wishOf(term.name, context), context.manner);
    if (value !== undefined) note(term.name, value);
    return;
  }
  // A comparison of two terms: their difference is below, at or above 0.
  const difference: Expr =
    key.startsWith('sign ') && term.op === 'compare'
      ? { op: 'arith', fn: '-', left: term.left, right: term.right }
      : term;
  for (const name of fieldsIn(difference)) {
    if (name in context.fixed) continue;
    const at = (x: number): number => numberOf(difference, { ...values, [name]: x });
    const [b, slope] = [at(0), at(1) - at(0)];
    if (slope === 0 || Number.isNaN(slope) || Math.abs(at(2) - b - 2 * slope) > 1e-9 * Math.abs(slope)) continue;
    for (const wanted of numbersIn(domain.interval)) note(name, tidy((wanted - b) / slope));
    return;
  }
}

/** Ten digits: no trace of the way it was computed. */
const tidy = (n: number): number => Number(n.toPrecision(12));

function numberOf(expr: Expr, values: Fields): number {
  switch (expr.op) {
    case 'const':
      return typeof expr.value === 'number' ? expr.value : Number.NaN;
    case 'field': {
      const value = values[expr.name];
      return typeof value === 'number' ? value : Number.NaN;
    }
    case 'arith': {
      const [l, r] = [numberOf(expr.left, values), numberOf(expr.right, values)];
      return expr.fn === '+'
        ? l + r
        : expr.fn === '-'
          ? l - r
          : expr.fn === '*'
            ? l * r
            : expr.fn === '/'
              ? l / r
              : l % r;
    }
    case 'call': {
      const fn = FUNCTIONS.get(expr.fn);
      if (fn === undefined || fn.params.some((param) => param !== 'number')) return Number.NaN;
      const result = fn.apply(...(expr.args.map((arg) => numberOf(arg, values)) as never[]));
      return typeof result === 'number' ? result : Number.NaN;
    }
    default:
      return Number.NaN;
  }
}

function valueIn(domain: Domain, wish: Scalar, { atBounds }: Manner): Scalar | null | undefined {
  const numbers = numbersIn(domain.interval);
  const found = [
    ...(atBounds ? numbers : []),
    wish,
    ...(domain.only ?? []),
    ...numbers,
    'other',
    'another',
    true,
    false,
  ].find(
    (value) =>
      contains(domain, value) && (domain.only !== null || typeof value === typeof wish || domain.only !== null),
  );
  return found ?? (domain.absent ? null : undefined);
}

/** Numbers in an interval, those at its ends first. */
export function numbersIn({ low, lowStrict, high, highStrict }: Interval): readonly number[] {
  if (low > high) return [];
  const step = stepAt(Number.isFinite(low) ? low : high);
  const near = [low, low + step, high, high - step, (low + high) / 2, 0].filter(Number.isFinite);
  return near.filter((n) => (lowStrict ? n > low : n >= low) && (highStrict ? n < high : n <= high));
}

/** Whole thresholds are passed by 1, others by a hundredth. */
export const stepAt = (bound: number): number => (Number.isInteger(bound) ? 1 : 0.01);

function poolOf(name: string, expr: Expr, schema: EventSchema | null): readonly (Scalar | null)[] {
  const field = schema?.fields.get(name);
  const byDefault = defaultOf(name, schema);
  if (field?.symbols !== undefined) return [...field.symbols];
  const constants = constantsIn(expr);
  const fitting = constants.filter((value) => field === undefined || typeof value === field.type);
  const texts = fitting
    .filter((value) => typeof value === 'string')
    .flatMap((text) => [text, `${text}x`, `x${text}`, text.replace(/[*?]/g, 'x')]);
  const numbers = fitting
    .filter((value) => typeof value === 'number')
    .flatMap((n) => [n, n - stepAt(n), n + stepAt(n), 2 * n]);
  const listed = JSON.stringify(expr).includes('"op":"inList"') ? [LISTED] : [];
  const truths = field?.type === 'boolean' ? [true, false] : [];
  return [...new Set([byDefault, 'other', ...listed, ...texts, ...numbers, ...truths, null])].filter(
    (value) => value === null || field === undefined || field.type === 'other' || typeof value === field.type,
  );
}

function wishOf(name: string, { schema, manner, number }: SolveContext): Scalar {
  const value = defaultOf(name, schema);
  const isFree = typeof value === 'string' && schema?.fields.get(name)?.symbols === undefined;
  return manner.varied && isFree ? `${value}${number}` : value;
}

export function defaultOf(name: string, schema: EventSchema | null): Scalar {
  const field = schema?.fields.get(name);
  if (field?.symbols?.[0] !== undefined) return field.symbols[0];
  if (field?.type === 'number') return 1;
  return field?.type === 'boolean' ? true : 'x';
}

export function fieldsIn(expr: Expr): ReadonlySet<string> {
  const names = new Set<string>();
  walk(expr, (part) => {
    if (part.op === 'field') names.add(part.name);
  });
  return names;
}

export function constantsIn(expr: Expr): readonly Scalar[] {
  const values = new Set<Scalar>();
  walk(expr, (part) => {
    if (part.op === 'const') values.add(part.value);
    if (part.op === 'in') for (const value of part.values) values.add(value);
  });
  return [...values].filter((value) => !Number.isNaN(value));
}

function walk(value: unknown, visit: (expr: Expr) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (typeof value === 'object' && value !== null) {
    if ('op' in value) visit(value as Expr);
    for (const part of Object.values(value)) walk(part, visit);
  }
}

function testOf(expr: Expr, truth: boolean, lists: Lists): (values: Fields) => boolean {
  const compiler = new PatternCompiler({ lists });
  const test = compiler.testOf(expr);
  return (fields) => {
    compiler.predicates.mark.next();
    return test({ time: 0, seq: 0, kind: '', fields }, fields) === truth;
  };
}
