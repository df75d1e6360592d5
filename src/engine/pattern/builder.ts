import type { EngineEvent } from '../event.js';
import type { Condition, Expr, Feature, RunView } from '../expression/expression.js';
import type { Contiguity, EventStep, GroupStep, InsideContiguity, Pattern, Quantifier, Skip, Step } from './pattern.js';

/** A condition as a tree, or, for embedding, as a pure function. */
export type ConditionLike = Condition | ((event: EngineEvent, run: RunView) => boolean);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The fluent form of a pattern, with Flink CEP's names. It only collects: `build()` gives the pattern as data, and
 * `validatePattern` (or compiling) says what is wrong with it.
 *
 *     begin('large').where(gt(field('amount'), 10_000)).next('cash').subtype('Withdrawal')
 *       .followedBy('offshore').where(eq(field('country'), 'OFFSHORE')).within(600_000).build()
 */
export class PatternBuilder {
  private readonly steps: Mutable<Step>[] = [];
  private withinMs: number | undefined;
  private gapMs: number | undefined;
  private after: Skip | undefined;
  private tellsNearMisses = false;

  /** @internal use `begin` */
  constructor(first: string | PatternBuilder) {
    this.add('start', first);
  }

  next(step: string | PatternBuilder): this {
    return this.add('next', step);
  }
  followedBy(step: string | PatternBuilder): this {
    return this.add('followedBy', step);
  }
  followedByAny(step: string | PatternBuilder): this {
    return this.add('followedByAny', step);
  }
  notNext(step: string): this {
    return this.add('notNext', step);
  }
  notFollowedBy(step: string): this {
    return this.add('notFollowedBy', step);
  }

  /** Given more than once, all must hold. */
  where(condition: ConditionLike): this {
    return this.combine('and', condition);
  }

  /** An alternative to what `where` has said so far. */
  or(condition: ConditionLike): this {
    return this.combine('or', condition);
  }

  subtype(kind: string): this {
    (this.last as Mutable<EventStep>).subtype = kind;
    return this;
  }

  times(from: number, to: number = from, gapMs?: number): this {
    return this.quantify({ from, to, gapMs });
  }
  timesOrMore(from: number, gapMs?: number): this {
    return this.quantify({ from, to: null, gapMs });
  }
  oneOrMore(gapMs?: number): this {
    return this.timesOrMore(1, gapMs);
  }
  optional(): this {
    this.last.optional = true;
    return this;
  }
  greedy(): this {
    this.last.greedy = true;
    return this;
  }
  consecutive(): this {
    return this.inside('consecutive');
  }
  allowCombinations(): this {
    return this.inside('combinations');
  }
  until(condition: ConditionLike): this {
    this.last.until = asCondition(condition);
    return this;
  }

  /** Longest time from the event before to this step's event. */
  gap(ms: number): this {
    this.last.gapMs = ms;
    return this;
  }

  /** Window of the whole match. */
  within(ms: number): this {
    this.withinMs = ms;
    return this;
  }

  skip(skip: Skip): this {
    this.after = skip;
    return this;
  }

  /** Partial matches that end one step short of a match are told. */
  nearMisses(): this {
    this.tellsNearMisses = true;
    return this;
  }

  build(): Pattern {
    return {
      steps: this.steps.map((step) => ({ ...step }) as Step),
      ...(this.withinMs === undefined ? {} : { withinMs: this.withinMs }),
      ...(this.gapMs === undefined ? {} : { gapMs: this.gapMs }),
      ...(this.after === undefined ? {} : { skip: this.after }),
      ...(this.tellsNearMisses ? { nearMisses: true } : {}),
    };
  }

  private get last(): Mutable<Step> {
    return this.steps.at(-1)!;
  }

  private add(contiguity: Contiguity, step: string | PatternBuilder): this {
    this.steps.push(
      typeof step === 'string'
        ? ({ kind: 'event', name: step, contiguity } satisfies EventStep)
        : ({ kind: 'group', contiguity, steps: step.build().steps } satisfies GroupStep),
    );
    return this;
  }

  private quantify(quantifier: Quantifier): this {
    const { gapMs, ...times } = quantifier;
    this.last.quantifier = gapMs === undefined ? times : quantifier;
    return this;
  }

  private inside(contiguity: InsideContiguity): this {
    this.last.inside = contiguity;
    return this;
  }

  private combine(op: 'and' | 'or', condition: ConditionLike): this {
    const step = this.last as Mutable<EventStep>;
    const added = asCondition(condition);
    step.where = step.where === undefined ? added : junction(op, step.where, added);
    return this;
  }
}

export const begin = (first: string | PatternBuilder): PatternBuilder => new PatternBuilder(first);

const asCondition = (condition: ConditionLike): Condition =>
  typeof condition === 'function' ? { op: 'function', test: condition } : condition;

function junction(op: 'and' | 'or', left: Condition, right: Condition): Condition {
  if (left.op !== 'function' && right.op !== 'function') return { op, args: [left, right] };
  const [l, r] = [asFunction(left), asFunction(right)];
  if (l === null || r === null)
    throw new TypeError(
      'A condition tree and a function cannot be combined on one step: write both as one or the other.',
    );
  return {
    op: 'function',
    test: op === 'and' ? (e, run) => l(e, run) && r(e, run) : (e, run) => l(e, run) || r(e, run),
  };
}

const asFunction = (condition: Condition): ((event: EngineEvent, run: RunView) => boolean) | null =>
  condition.op === 'function' ? condition.test : null;

type Operand = Expr | number | string | boolean;
const operand = (value: Operand): Expr => (typeof value === 'object' ? value : { op: 'const', value });
const comparison =
  (cmp: '==' | '!=' | '<' | '<=' | '>' | '>=') =>
  (left: Operand, right: Operand): Expr => ({ op: 'compare', cmp, left: operand(left), right: operand(right) });

/** Small words for condition trees. */
export const field = (name: string): Expr => ({ op: 'field', name });
export const eq = comparison('==');
export const ne = comparison('!=');
export const lt = comparison('<');
export const le = comparison('<=');
export const gt = comparison('>');
export const ge = comparison('>=');
export const and = (...args: Expr[]): Expr => ({ op: 'and', args });
export const or = (...args: Expr[]): Expr => ({ op: 'or', args });
export const not = (arg: Expr): Expr => ({ op: 'not', arg });
export const oneOf = (left: Expr, values: readonly (number | string)[]): Expr => ({ op: 'in', left, values });
export const inList = (value: Expr, list: string): Expr => ({ op: 'inList', list, value });
export const lookup = (list: string, key: Expr, as: 'string' | 'number' = 'string'): Expr => ({
  op: 'lookup',
  list,
  key,
  as,
});
export const feature = (feature: Feature): Expr => ({ op: 'feature', feature });
export const count = (step: string): Expr => ({ op: 'aggregate', fn: 'count', step });
export const sum = (step: string, of: string): Expr => ({ op: 'aggregate', fn: 'sum', step, field: of });
export const first = (step: string, of: string): Expr => ({ op: 'aggregate', fn: 'first', step, field: of });
export const last = (step: string, of: string): Expr => ({ op: 'aggregate', fn: 'last', step, field: of });
