import type { CompareOp, Condition, Expr, Feature, Scalar } from '../../engine/index.js';
import { sayExpr } from '../condition/say-expr.js';
import { isName, operandsIn } from './operands.js';
import { type Measure, measureOf, sayValue } from './say-value.js';

/** What conditions are explained with: the values that expressions have at the moment in question. */
export interface Explaining {
  /** `null`: missing. */
  value(expr: Expr): Scalar | null;
  isTrue(condition: Condition): boolean;
  /** What a rule calls a feature. */
  nameOf?(feature: Feature): string;
}

/** A condition, or a part of one, and how far it is from the truth. JSON-ready. */
export interface ConditionPart {
  /** As conditions are written. */
  readonly condition: string;
  readonly holds: boolean;
  /** How it is put together: `all` and `any` of its parts, `not` of its only one; `test` has none. */
  readonly kind: 'all' | 'any' | 'not' | 'test';
  readonly parts?: readonly ConditionPart[];
  /** Of a test: what it read, by how it is written; `null`: missing. */
  readonly values?: Readonly<Record<string, Scalar | null>>;
  /** Of a comparison of numbers that fails: how far they are apart, in their own unit (times: ms). */
  readonly shortBy?: number;
  /** What is so, for people. */
  readonly said: string;
}

/**
 * Evaluates a condition part by part. Every part is looked at, those too that the outcome does not depend on, so that all that fails
 * can be told.
 */
export function explainCondition(condition: Condition, by: Explaining): ConditionPart {
  if (condition.op === 'function') {
    const holds = by.isTrue(condition);
    return { condition: 'a function', holds, kind: 'test', said: `the function of the host says ${holds}` };
  }
  return explain(condition, true, by);
}

/** The parts of a condition that keep it from holding: those that stand alone. Empty: it holds. */
export function failingParts(part: ConditionPart): readonly ConditionPart[] {
  return failing(part, true);
}

function failing(part: ConditionPart, wanted: boolean): readonly ConditionPart[] {
  if (part.holds === wanted) return [];
  if (part.kind === 'test') return [part];
  if (part.kind === 'not') return failing(part.parts![0]!, !wanted);
  return part.parts!.flatMap((inner) => failing(inner, wanted));
}

/**
 * How far a condition is from holding, to compare events by: one for each part that must change, less what little a comparison of
 * numbers is off. 0: it holds.
 */
export function farOff(part: ConditionPart): number {
  return far(part, true);
}

function far(part: ConditionPart, wanted: boolean): number {
  if (part.holds === wanted) return 0;
  if (part.kind === 'not') return far(part.parts![0]!, !wanted);
  if (part.kind === 'test') return offBy(part);
  const inner = part.parts!.map((of) => far(of, wanted));
  const needsAll = (part.kind === 'all') === wanted;
  if (inner.length === 0) return 1;
  return needsAll ? inner.reduce((sum, of) => sum + of, 0) : Math.min(...inner.filter((of) => of > 0));
}

/** More than a half, less than one. */
function offBy({ shortBy, values = {} }: ConditionPart): number {
  if (shortBy === undefined) return 1;
  const size = Math.max(...Object.values(values).map((value) => (typeof value === 'number' ? Math.abs(value) : 0)), 1);
  const share = shortBy / (size + shortBy);
  return 0.5 + 0.49 * share;
}

function explain(expr: Expr, wanted: boolean, by: Explaining): ConditionPart {
  const condition = sayExpr(expr, by.nameOf?.bind(by));
  switch (expr.op) {
    case 'and':
    case 'or': {
      const parts = expr.args.map((arg) => explain(arg, wanted, by));
      const holds = by.isTrue(expr);
      const kind = expr.op === 'and' ? 'all' : 'any';
      return { condition, holds, kind, parts, said: sayJoined(holds, parts) };
    }
    case 'not': {
      const part = explain(expr.arg, !wanted, by);
      return { condition, holds: !part.holds, kind: 'not', parts: [part], said: part.said };
    }
    case 'if':
      return { condition, ...explainChoice(expr, wanted, by) };
    case 'compare':
      return { condition, ...explainCompare(expr, wanted, by) };
    default:
      return { condition, ...explainTest(expr, by) };
  }
}

type Told = Omit<ConditionPart, 'condition'>;

/** Of what holds, and of what does not, what decides. */
function sayJoined(holds: boolean, parts: readonly ConditionPart[]): string {
  const deciding = parts.filter((part) => part.holds === holds);
  return (deciding.length > 0 ? deciding : parts).map(({ said }) => said).join(' and ');
}

/** A choice as the branch that was taken, which must be true as well. */
function explainChoice(expr: Extract<Expr, { op: 'if' }>, wanted: boolean, by: Explaining): Told {
  const test = explain(expr.test, wanted, by);
  const branch = explain(test.holds ? expr.whenTrue : expr.whenFalse, wanted, by);
  const said = `${branch.said}, because ${test.said}`;
  return { holds: by.isTrue(expr), kind: 'test', values: { ...test.values, ...branch.values }, said };
}

function explainTest(expr: Expr, by: Explaining): Told {
  const holds = by.isTrue(expr);
  const values = valuesIn(expr, by);
  const say = (of: Expr): string => sayExpr(of, by.nameOf?.bind(by));
  const valued = (of: Expr): string => sayValued(of, by);
  const told = (said: string): Told => ({ holds, kind: 'test', values, said });
  switch (expr.op) {
    case 'in': {
      if (by.value(expr.left) === null) return told(`${say(expr.left)} is missing`);
      const listed = expr.values.map((value) => sayValue(value)).join(', ');
      const [only] = expr.values;
      if (expr.values.length === 1)
        return told(
          holds ? `${say(expr.left)} is ${sayValue(only!)}` : `${valued(expr.left)} is not ${sayValue(only!)}`,
        );
      return told(`${valued(expr.left)} is ${holds ? '' : 'not '}one of ${listed}`);
    }
    case 'inList':
      if (by.value(expr.value) === null) return told(`${say(expr.value)} is missing`);
      return told(`${valued(expr.value)} is ${holds ? '' : 'not '}in the list ${expr.list}`);
    case 'present':
      return told(holds ? `${valued(expr.arg)} is there` : `${say(expr.arg)} is missing`);
    case 'const':
      return told(`it is always ${holds}`);
    default: {
      const value = by.value(expr);
      if (value !== null) return told(`${say(expr)} is ${sayValue(value)}${sayRead(expr, values)}`);
      const missing = Object.keys(values).filter((name) => values[name] === null && name !== say(expr));
      return told(`${say(expr)} is missing${missing.length > 0 ? `, because ${missing.join(' and ')} is` : ''}`);
    }
  }
}

const INVERSE: Readonly<Record<CompareOp, CompareOp>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

function explainCompare(expr: Extract<Expr, { op: 'compare' }>, wanted: boolean, by: Explaining): Told {
  const holds = by.isTrue(expr);
  const [left, right] = [by.value(expr.left), by.value(expr.right)];
  const values = valuesIn(expr, by);
  const missing = [expr.left, expr.right].filter((side) => by.value(side) === null);
  if (missing.length > 0) {
    const names = missing.map((side) => sayExpr(side, by.nameOf?.bind(by)));
    const said = names.length === 1 ? `${names[0]} is missing` : `${names.join(' and ')} are missing`;
    return { holds, kind: 'test', values, said };
  }
  const measure = comparedAs(expr);
  const sides = [sayValued(expr.left, by, measure), sayOther(expr.right, by, measure)] as const;
  // What is equal to a constant need not be said twice.
  if (left === right && (expr.cmp === '==') === holds && expr.right.op === 'const' && typeof left === 'string')
    return { holds, kind: 'test', values, said: `${sayExpr(expr.left, by.nameOf?.bind(by))} is ${sides[1]}` };
  if (holds === wanted || typeof left !== 'number' || typeof right !== 'number')
    return { holds, kind: 'test', values, said: sayCompared(sides, expr.cmp, holds) };
  const shortBy = Math.abs(left - right);
  const asked = wanted ? expr.cmp : INVERSE[expr.cmp];
  const said = sayShort(sides, asked, shortBy, measure === 'time' ? 'span' : measure);
  return { holds, kind: 'test', values, shortBy, said };
}

function sayCompared([left, right]: readonly [string, string], cmp: CompareOp, holds: boolean): string {
  if (cmp === '==' || cmp === '!=') return `${left} is ${(cmp === '==') === holds ? '' : 'not '}${right}`;
  return `${left} is ${holds ? '' : 'not '}${cmp} ${right}`;
}

/** `amount 9,800 is 200 short of > 10,000`. */
function sayShort([left, right]: readonly [string, string], cmp: CompareOp, by: number, measure: Measure): string {
  const off = sayValue(by, measure);
  if (cmp === '!=') return `${left} is ${right}, and must not be`;
  if (cmp === '==') return `${left} is not ${right}, but ${off} off`;
  if (by === 0) return `${left} is just not ${cmp} ${right}`;
  return cmp === '>' || cmp === '>='
    ? `${left} is ${off} short of ${cmp} ${right}`
    : `${left} is ${off} too much for ${cmp} ${right}`;
}

/** Times and spans of time are compared with plain numbers of milliseconds. */
function comparedAs({ left, right }: Extract<Expr, { op: 'compare' }>): Measure {
  const measures = [measureOf(left), measureOf(right)];
  return measures.find((measure) => measure !== 'number') ?? 'number';
}

/** An expression and its value: `amount 9,800`, `usual * 2 (120)`; a constant alone. */
function sayValued(expr: Expr, by: Explaining, measure: Measure = measureOf(expr)): string {
  const value = sayValue(by.value(expr), measure);
  if (expr.op === 'const') return value;
  const text = sayExpr(expr, by.nameOf?.bind(by));
  return isName(expr) ? `${text} ${value}` : `${text} (${value}${sayParts(expr, by)})`;
}

/** The other side of a comparison: `> 10,000`, `> 2 * usual (240, with usual 120)`. */
function sayOther(expr: Expr, by: Explaining, measure: Measure): string {
  return expr.op === 'const' ? sayValue(expr.value, measure) : sayValued(expr, by, measure);
}

/** `, with usual 120`: what an expression was worked out of. */
function sayParts(expr: Expr, by: Explaining): string {
  const read = Object.entries(valuesIn(expr, by));
  if (read.length === 0) return '';
  return `, with ${read.map(([name, value]) => `${name} ${sayValue(value, measureOfName(name))}`).join(' and ')}`;
}

const sayRead = (expr: Expr, values: Readonly<Record<string, Scalar | null>>): string => {
  const read = Object.entries(values);
  if (isName(expr) || read.length === 0) return '';
  return `, with ${read.map(([name, value]) => `${name} ${sayValue(value, measureOfName(name))}`).join(' and ')}`;
};

const measureOfName = (name: string): Measure => (name === 'time' || name.endsWith('.time') ? 'time' : 'number');

/** Values of what an expression reads, by how it is written. */
function valuesIn(expr: Expr, by: Explaining): Record<string, Scalar | null> {
  const read = operandsIn(expr, by.nameOf?.bind(by));
  return Object.fromEntries(read.map(({ name, expr: of }) => [name, by.value(of)]));
}
