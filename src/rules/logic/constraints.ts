import { type CompareOp, canonicalJson, type Expr, type FeatureFn, type Scalar } from '../../engine/index.js';
import type { EventSchema } from '../schema.js';
import {
  ABSENT,
  ANYTHING,
  among,
  comparedWith,
  type Domain,
  EVERY_NUMBER,
  intersect,
  isEmpty,
  PRESENT,
} from './domain.js';

/** A term (a field, a statistic, a comparison of two others …) and what it must be. */
export interface Constraint {
  readonly key: string;
  readonly term: Expr;
  readonly domain: Domain;
}

/** All of these must hold. By key of the term. */
export type Conjunction = ReadonlyMap<string, Constraint>;

/** More alternatives than this are not told apart; nothing is concluded then. */
const ALTERNATIVES_MAX = 64;

const MIRRORED: Readonly<Record<CompareOp, CompareOp>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

const ALWAYS: readonly Conjunction[] = [new Map()];
const NEVER: readonly Conjunction[] = [];

/** What is known of the events of a step, or of the event under test; `null`: nothing. */
export type SchemaOf = (step?: string) => EventSchema | null;

/**
 * Reasoning about conditions by what each term in them may be. It is sound in one direction: what it calls impossible is so; what it
 * does not may still be. Terms are told apart by what they say alone: that `amount` is above 5 says nothing of `2 * amount`.
 */
export class Logic {
  private readonly bounds = new Map<string, Domain>();

  constructor(private readonly schemaOf: SchemaOf) {}

  /** False: there is no event and no run for which all of these have these truths. */
  possible(...wanted: readonly (readonly [expr: Expr, truth: boolean])[]): boolean {
    const alternatives = this.conjunctions(wanted);
    return alternatives === null || alternatives.length > 0;
  }

  /** True: whenever the first is true, the second is. */
  implies(first: Expr, second: Expr): boolean {
    return !this.possible([first, true], [second, false]);
  }

  /** The ways in which all of these can have these truths; `null`: too many to tell. */
  conjunctions(wanted: readonly (readonly [expr: Expr, truth: boolean])[]): readonly Conjunction[] | null {
    return this.all(
      wanted.map(
        ([expr, truth]) =>
          () =>
            this.of(expr, truth),
      ),
    );
  }

  private of(expr: Expr, truth: boolean): readonly Conjunction[] | null {
    switch (expr.op) {
      case 'const':
        return (expr.value === true) === truth ? ALWAYS : NEVER;
      case 'not':
        return this.of(expr.arg, !truth);
      case 'and':
      case 'or': {
        const parts = expr.args.map((arg) => () => this.of(arg, truth));
        return (expr.op === 'and') === truth ? this.all(parts) : any(parts);
      }
      case 'if':
        return any([
          () => this.all([() => this.of(expr.test, true), () => this.of(expr.whenTrue, truth)]),
          () => this.all([() => this.of(expr.test, false), () => this.of(expr.whenFalse, truth)]),
        ]);
      case 'compare':
        return this.comparison(expr, truth);
      case 'in':
        return this.one(expr.left, among(new Set(expr.values), truth));
      case 'present':
        return this.one(expr.arg, truth ? PRESENT : ABSENT);
      default:
        return this.one(expr, among(new Set([true]), truth));
    }
  }

  private comparison(expr: Extract<Expr, { op: 'compare' }>, truth: boolean): readonly Conjunction[] | null {
    const [left, cmp, right] =
      expr.left.op === 'const' ? [expr.right, MIRRORED[expr.cmp], expr.left] : [expr.left, expr.cmp, expr.right];
    if (left.op === 'const')
      return compareConstants(left.value, cmp, (right as typeof left).value) === truth ? ALWAYS : NEVER;
    if (right.op === 'const') {
      const domain = comparedWith(cmp, right.value, truth);
      return domain === null ? this.one(expr, among(new Set([true]), truth)) : this.one(left, domain);
    }
    return this.relation(left, cmp, right, truth);
  }

  /** Two terms compared: a term of its own, which is -1, 0 or 1. */
  private relation(left: Expr, cmp: CompareOp, right: Expr, truth: boolean): readonly Conjunction[] | null {
    const [l, r] = [canonicalJson(left), canonicalJson(right)];
    if (l === r) {
      const holds = cmp === '==' || cmp === '<=' || cmp === '>=';
      if (holds) return this.one(left, truth ? PRESENT : ABSENT);
      return truth ? NEVER : ALWAYS;
    }
    const ordered = l < r;
    const term: Expr = { op: 'compare', cmp: '==', left: ordered ? left : right, right: ordered ? right : left };
    const domain = comparedWith(ordered ? cmp : MIRRORED[cmp], 0, truth)!;
    const [below, above] = [this.apart(term.left, term.right), this.apart(term.right, term.left)];
    const interval = { ...EVERY_NUMBER, low: above === undefined ? -1 : 0, high: below === undefined ? 1 : 0 };
    const absent =
      (below ?? above) === undefined || [l, r].some((key, i) => this.boundsOf([left, right][i]!, key).absent);
    const sign: Domain = { ...ANYTHING, absent, nonNumbers: false, interval, integer: true };
    return single(`sign ${canonicalJson(term)}`, term, intersect(sign, domain));
  }

  private one(term: Expr, domain: Domain): readonly Conjunction[] {
    const key = canonicalJson(term);
    return single(key, term, intersect(this.boundsOf(term, key), domain));
  }

  /** How far the second is above the first at most, where it is never below it; else `undefined`. */
  private apart(lower: Expr, upper: Expr): number | undefined {
    if (lower.op !== 'field' || upper.op !== 'field') return undefined;
    return this.schemaOf()?.fields.get(lower.name)?.known?.upTo?.[upper.name];
  }

  /** What is known of the difference of two fields. */
  private difference(term: Expr): Domain | undefined {
    if (term.op !== 'arith' || term.fn !== '-') return undefined;
    const [high, low] = [this.apart(term.right, term.left), this.apart(term.left, term.right)];
    if (high === undefined && low === undefined) return undefined;
    const interval = { ...EVERY_NUMBER, low: high === undefined ? -low! : 0, high: high ?? 0 };
    return { ...ANYTHING, nonNumbers: false, interval };
  }

  private boundsOf(term: Expr, key: string): Domain {
    let domain = this.bounds.get(key);
    if (domain === undefined) {
      domain = this.difference(term) ?? boundsOf(term, this.schemaOf);
      this.bounds.set(key, domain);
    }
    return domain;
  }

  private all(parts: readonly (() => readonly Conjunction[] | null)[]): readonly Conjunction[] | null {
    let found: readonly Conjunction[] = ALWAYS;
    let unknown = false;
    for (const part of parts) {
      const next = part();
      // What is too much to look at may be true in any way: the others can still exclude each other.
      if (next === null || found.length * next.length > ALTERNATIVES_MAX) unknown = true;
      else found = found.flatMap((left) => next.flatMap((right) => joined(left, right) ?? []));
      if (found.length === 0) return found;
    }
    return unknown ? null : found;
  }
}

function any(parts: readonly (() => readonly Conjunction[] | null)[]): readonly Conjunction[] | null {
  const found: Conjunction[] = [];
  for (const part of parts) {
    const next = part();
    if (next === null) return null;
    found.push(...next);
    if (found.length > ALTERNATIVES_MAX) return null;
  }
  return found;
}

const single = (key: string, term: Expr, domain: Domain): readonly Conjunction[] =>
  isEmpty(domain) ? NEVER : [new Map([[key, { key, term, domain }]])];

/** `null`: they exclude each other. */
function joined(left: Conjunction, right: Conjunction): Conjunction | null {
  const all = new Map(left);
  for (const [key, { term, domain }] of right) {
    const known = all.get(key);
    const both = known === undefined ? domain : intersect(known.domain, domain);
    if (isEmpty(both)) return null;
    all.set(key, { key, term, domain: both });
  }
  return all;
}

function compareConstants(left: Scalar, cmp: CompareOp, right: Scalar): boolean {
  if (typeof left !== typeof right) return false;
  if (cmp === '==') return left === right;
  if (cmp === '!=') return left !== right;
  if (cmp === '<') return left < right;
  if (cmp === '<=') return left <= right;
  return cmp === '>' ? left > right : left >= right;
}

/** What is known of a term whatever the conditions say. */
function boundsOf(term: Expr, schemaOf: SchemaOf): Domain {
  switch (term.op) {
    case 'field':
      return ofField(term.name, schemaOf(), true);
    case 'meta':
      return term.name === 'time' ? { ...PRESENT, nonNumbers: false } : PRESENT;
    case 'aggregate':
      if (term.fn === 'count' || term.fn === 'distinct') return COUNT;
      if (term.fn === 'sum') return { ...PRESENT, nonNumbers: false };
      return term.fn === 'first' || term.fn === 'last'
        ? ofField(term.field!, schemaOf(term.step), false)
        : term.fn === 'stddev'
          ? NOT_NEGATIVE
          : { ...ANYTHING, nonNumbers: false };
    case 'nth':
      return ofField(term.field, schemaOf(term.step), false);
    case 'feature':
      return FEATURES[term.feature.fn] ?? ANYTHING;
    case 'arith':
      return { ...ANYTHING, nonNumbers: false };
    default:
      return ANYTHING;
  }
}

const COUNT: Domain = { ...PRESENT, nonNumbers: false, integer: true, interval: { ...EVERY_NUMBER, low: 0 } };

const NOT_NEGATIVE: Domain = { ...ANYTHING, nonNumbers: false, interval: { ...EVERY_NUMBER, low: 0 } };

const FEATURES: Readonly<Partial<Record<FeatureFn, Domain>>> = {
  ...{ count: COUNT, distinct: COUNT },
  ...{ stddev: NOT_NEGATIVE, since: NOT_NEGATIVE },
};

/** `own`: of the event under test, so that only an optional field can be missing; a step may have no event. */
function ofField(name: string, schema: EventSchema | null, own: boolean): Domain {
  const field = schema?.fields.get(name);
  if (field === undefined) return ANYTHING;
  const { type, symbols, optional, known } = field;
  const { low = Number.NEGATIVE_INFINITY, integer = false } = known ?? {};
  return {
    ...ANYTHING,
    absent: optional || !own,
    nonNumbers: type !== 'number',
    integer,
    interval:
      type === 'number' || type === 'other'
        ? { ...EVERY_NUMBER, low }
        : { ...EVERY_NUMBER, low: Infinity, high: -Infinity },
    only: symbols !== undefined ? new Set(symbols) : type === 'boolean' ? new Set([true, false]) : null,
  };
}
