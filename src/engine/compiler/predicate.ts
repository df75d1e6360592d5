import type { FeatureCell, FeatureTable } from '../aggregate/feature-table.js';
import type { MatchNode } from '../buffer/match-node.js';
import type { EngineEvent } from '../event.js';
import { looksBack, readsFeature, readsKey } from '../expression/analysis.js';
import type { Condition, Expr } from '../expression/expression.js';
import { isScalarFeature } from '../expression/feature.js';
import { type GenerateContext, generateTest, generateValue } from '../expression/generate.js';
import { functionOf } from '../expression/generated.js';
import { type Lists, listsOr } from '../expression/lists.js';
import { conditionRuntime } from '../expression/runtime.js';
import type { Guard } from './guard.js';

/** Truth of a condition for an event and a run. `fields` is `event.fields`, `head` the newest event of the run. */
export type Test = (event: EngineEvent, fields: Readonly<Record<string, unknown>>, head: MatchNode | null) => boolean;

/** Where the host writes the key that an event is counted for, before the event is looked at. Scratch, no part of any state. */
export interface KeyCell {
  value: string;
  /** Some condition reads it. */
  isRead: boolean;
}

/** Value of an expression, as `Test` is its truth; what is no scalar, or NaN, is missing. */
export type ExprValue = (
  event: EngineEvent,
  fields: Readonly<Record<string, unknown>>,
  head: MatchNode | null,
) => unknown;

/** What a predicate's truth depends on besides the event: nothing, the key or its features, or events of the run. */
export type Dependence = 'event' | 'key' | 'run';

/** A predicate or its negation. */
export interface Literal {
  readonly predicate: Predicate;
  readonly negated: boolean;
}

/** Literals of which all or any must hold. */
export interface Junction {
  readonly op: 'all' | 'any';
  readonly parts: readonly Literal[];
}

/**
 * A condition that stands alone: `and`, `or` and `not` are taken apart, so that conditions of many patterns share their parts. There is
 * one object for each distinct predicate of a compiler, and it remembers its truth for the event under test.
 */
export interface Predicate {
  /** Equal for predicates that mean the same. */
  readonly key: string;
  readonly dependsOn: Dependence;
  /** The expression; `null` for a function, and for a junction. */
  readonly expr: Expr | null;
  /** Of a junction: what is joined; `null`: it is none. */
  readonly junction: Junction | null;
  /** Evaluated at most once for an event, unless it depends on the run. */
  readonly test: Test;
}

/** Reads the rule set's notion of "this event": moved on before each event, so that no memory of another one counts. */
export class EventMark {
  /** In an array, because a number variable beyond 2^31 would be allocated at each change. */
  readonly now = new Float64Array(1);

  next(): void {
    this.now[0]!++;
  }
}

/** Hears of each predicate that is evaluated, by its key. */
export type OnTested = (key: string, truth: boolean) => void;

/** Makes predicates, one of each kind; compiles code once for each form of expression, constants apart. */
export class PredicateTable {
  readonly mark = new EventMark();
  readonly key: KeyCell = { value: '', isRead: false };
  /** Predicates compiled so far. */
  compiled = 0;
  private readonly byKey = new Map<string, Predicate>();
  private readonly makers = new Map<string, (...constants: unknown[]) => Test>();
  private readonly names = new Map<unknown, number>();

  constructor(
    private readonly features: FeatureTable,
    private readonly lists?: Lists,
    private readonly onTested?: OnTested,
  ) {}

  /** Code forms compiled so far. */
  get forms(): number {
    return this.makers.size;
  }

  /** The guard as one literal; `null`: always true. */
  ofGuard(guard: Guard, scope: PredicateScope): Literal | null {
    switch (guard.op) {
      case 'true':
        return null;
      case 'leaf':
        return this.ofCondition(guard.condition, scope);
      case 'kind':
        return this.ofCondition(kindTest(guard.subtype, scope.kindParents), scope);
      case 'not': {
        const arg = this.ofGuard(guard.arg, scope);
        return arg === null ? this.ofCondition(NEVER, scope) : negate(arg);
      }
      case 'and': {
        const sides = [this.ofGuard(guard.left, scope), this.ofGuard(guard.right, scope)];
        return this.join(
          'all',
          sides.filter((side) => side !== null),
        );
      }
    }
  }

  private ofCondition(condition: Condition, scope: PredicateScope): Literal {
    if (condition.op === 'not') return negate(this.ofCondition(condition.arg, scope));
    if ((condition.op === 'and' || condition.op === 'or') && condition.args.length > 0) {
      return this.join(
        condition.op === 'and' ? 'all' : 'any',
        condition.args.map((arg) => this.ofCondition(arg, scope)),
      )!;
    }
    return { predicate: this.atom(condition, scope), negated: false };
  }

  private atom(condition: Condition, scope: PredicateScope): Predicate {
    const context = new ShapeContext(scope.steps, this.features, this.key, this.lists);
    const text = generateTest(condition, context);
    const constants = [...context.constants, ...context.cells];
    const key = `${text} ${constants.map((value) => this.nameOf(value, scope)).join(' ')}`;
    return this.intern(key, () => {
      const maker = this.maker(text, context);
      const test = maker(conditionRuntime(scope.steps), ...context.constants, ...context.cells);
      const expr = condition.op === 'function' ? null : condition;
      return { expr, junction: null, dependsOn: dependenceOf(condition), test };
    });
  }

  /** An expression as a function of an event and a run of a pattern with these steps. */
  valueOf(expr: Expr, steps: readonly string[]): ExprValue {
    const context = new ShapeContext(steps, this.features, this.key, this.lists);
    const maker = this.maker(generateValue(expr, context), context);
    return maker(conditionRuntime(steps), ...context.constants, ...context.cells) as ExprValue;
  }

  /** One literal for several; `null` for none, which hold always. */
  private join(op: Junction['op'], literals: readonly Literal[]): Literal | null {
    const parts: Literal[] = [];
    for (const literal of literals) {
      const nested = !literal.negated && literal.predicate.junction?.op === op;
      for (const part of nested ? literal.predicate.junction!.parts : [literal]) {
        if (!parts.some((p) => sameLiteral(p, part))) parts.push(part);
      }
    }
    if (parts.length <= 1) return parts[0] ?? null;
    // What looks at the event alone goes first: it is remembered, and often decides.
    const ordered = [...parts].sort((a, b) => rank(a) - rank(b));
    const key = `${op}(${ordered.map((p) => `${p.negated ? '!' : ''}${p.predicate.key}`).join(', ')})`;
    const predicate = this.intern(key, () => ({
      expr: null,
      junction: { op, parts: ordered },
      dependsOn: ordered.at(-1)!.predicate.dependsOn,
      test: junctionTest(op === 'any', ordered.map(literalTest)),
    }));
    return { predicate, negated: false };
  }

  private intern(key: string, make: () => Omit<Predicate, 'key'>): Predicate {
    let predicate = this.byKey.get(key);
    if (predicate === undefined) {
      const made = make();
      const remembered = made.dependsOn === 'run' ? made.test : remembering(made.test, this.mark.now);
      const test = this.onTested === undefined ? remembered : told(remembered, key, this.onTested);
      predicate = { ...made, key, test };
      this.byKey.set(key, predicate);
      this.compiled++;
    }
    return predicate;
  }

  private maker(text: string, context: ShapeContext): (...constants: unknown[]) => Test {
    let maker = this.makers.get(text);
    if (maker === undefined) {
      const parameters = ['rt', ...context.constants.map((_, i) => `k${i}`), ...context.cells.map((_, i) => `c${i}`)];
      maker = functionOf(parameters, text) as (...constants: unknown[]) => Test;
      this.makers.set(text, maker);
    }
    return maker;
  }

  /** Text that is equal for equal constants. What has no text of its own (a function) gets a number. */
  private nameOf(value: unknown, scope: PredicateScope): string {
    if (value instanceof Set) return JSON.stringify([...value]);
    if (typeof value !== 'object' && typeof value !== 'function') return JSON.stringify(value) ?? 'undefined';
    let name = this.names.get(value);
    if (name === undefined) {
      name = this.names.size;
      this.names.set(value, name);
    }
    // A function asks for events by the names of steps, so the same function of another pattern is another predicate.
    return typeof value === 'function' ? `#${name} of ${JSON.stringify(scope.steps)}` : `#${name}`;
  }
}

/** The pattern that a condition stands in. */
export interface PredicateScope {
  readonly steps: readonly string[];
  /** Derived kind to the kind it derives from. */
  readonly kindParents: ReadonlyMap<string, string>;
}

const NEVER: Expr = { op: 'const', value: false };

export const negate = (literal: Literal): Literal => ({ predicate: literal.predicate, negated: !literal.negated });

export const sameLiteral = (a: Literal, b: Literal): boolean => a.predicate === b.predicate && a.negated === b.negated;

/** The literal as a function. */
export function literalTest(literal: Literal): Test {
  const { test } = literal.predicate;
  return literal.negated ? (event, fields, head) => !test(event, fields, head) : test;
}

const ORDER: Readonly<Record<Dependence, number>> = { event: 0, key: 1, run: 2 };
const rank = (literal: Literal): number => ORDER[literal.predicate.dependsOn];

function dependenceOf(condition: Condition): Dependence {
  if (looksBack(condition)) return 'run';
  return readsFeature(condition) || readsKey(condition) ? 'key' : 'event';
}

function junctionTest(any: boolean, tests: readonly Test[]): Test {
  return (event, fields, head) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(event, fields, head) === any) return any;
    return !any;
  };
}

function told(test: Test, key: string, onTested: OnTested): Test {
  return (event, fields, head) => {
    const truth = test(event, fields, head);
    onTested(key, truth);
    return truth;
  };
}

function remembering(test: Test, now: Float64Array): Test {
  // A fraction, so that the field holds doubles from the start: they are then written in place.
  const memory = { seen: -0.5, value: false };
  return (event, fields, head) => {
    if (memory.seen !== now[0]) {
      memory.value = test(event, fields, head);
      memory.seen = now[0]!;
    }
    return memory.value;
  };
}

function kindTest(subtype: string, kindParents: ReadonlyMap<string, string>): Expr {
  const kinds = [subtype];
  for (const kind of kinds) {
    for (const [derived, parent] of kindParents) if (parent === kind && !kinds.includes(derived)) kinds.push(derived);
  }
  const kind: Expr = { op: 'meta', name: 'kind' };
  return kinds.length === 1
    ? { op: 'compare', cmp: '==', left: kind, right: { op: 'const', value: subtype } }
    : { op: 'in', left: kind, values: kinds };
}

/** Writes constants as parameters, so that conditions which differ in them alone share their code. */
class ShapeContext implements GenerateContext {
  readonly constants: unknown[] = [];
  readonly cells: (FeatureCell | KeyCell)[] = [];

  constructor(
    private readonly steps: readonly string[],
    private readonly features: FeatureTable,
    private readonly keyCell: KeyCell,
    private readonly given: Lists | undefined,
  ) {}

  lists(list: string): Lists {
    return listsOr(this.given, list);
  }

  stepIndex(step: string): number {
    return this.steps.indexOf(step);
  }

  constant(value: unknown): string {
    return `k${this.constants.push(value) - 1}`;
  }

  feature(feature: Parameters<GenerateContext['feature']>[0]): string {
    const cell = `c${this.cells.push(this.features.cell(feature)) - 1}`;
    return isScalarFeature(feature) ? `rt.cellValue(${cell})` : `${cell}.value`;
  }

  key(): string {
    this.keyCell.isRead = true;
    return `c${this.cells.push(this.keyCell) - 1}.value`;
  }
}
