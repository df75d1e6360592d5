import type { Condition, EventStep, Expr, GroupStep, Pattern, Quantifier, Skip, Step } from '../../engine/index.js';

/** A case of the conformance corpus, as it stands in its JSON files. `test/conformance/README.md` describes the format. */
export interface ConformanceCase {
  readonly id: string;
  readonly tags: readonly string[];
  readonly pattern: readonly CaseStep[];
  readonly within?: CaseWindow;
  readonly skip?: { readonly strategy: string; readonly step?: string; readonly onMiss?: 'error' };
  readonly time?: CaseTime;
  readonly events: readonly CaseEvent[];
  readonly expected: CaseResult & { readonly invalid?: { readonly reason: string } };
}

export interface CaseWindow {
  readonly ms: number;
  readonly type: 'FIRST_AND_LAST' | 'PREVIOUS_AND_CURRENT';
}

export interface CaseTime {
  readonly mode?: 'inOrder' | 'boundedOutOfOrderness' | 'explicit';
  readonly ms?: number;
  readonly watermarks?: readonly { readonly after: string; readonly ts: number }[];
  readonly finalWatermark?: number | null;
  readonly sameTimestampOrder?: { readonly field: string };
}

export interface CaseEvent {
  readonly id: string;
  readonly ts: number;
  readonly kind: string;
  readonly key?: string;
  readonly [field: string]: unknown;
}

export interface CaseMatch {
  readonly at: string;
  readonly key?: string;
  readonly events: Readonly<Record<string, readonly string[]>>;
}

export interface CaseResult {
  readonly matches: readonly CaseMatch[];
  readonly timeouts: readonly (CaseMatch & { readonly ts: number })[];
  readonly late: readonly string[];
  readonly error?: { readonly at: string; readonly reason: string };
}

interface CaseStep {
  readonly name?: string;
  readonly group?: readonly CaseStep[];
  readonly contiguity: Step['contiguity'];
  readonly where?: { readonly expr: CaseExpr };
  readonly subtype?: string;
  readonly quantifier?: CaseQuantifier;
  readonly contiguityInside?: 'relaxed' | 'consecutive' | 'allowCombinations';
  readonly greedy?: boolean;
  readonly until?: { readonly expr: CaseExpr };
  readonly optional?: boolean;
  readonly within?: CaseWindow;
}

interface CaseQuantifier {
  readonly times?: number;
  readonly from?: number;
  readonly to?: number;
  readonly oneOrMore?: true;
  readonly timesOrMore?: number;
  readonly within?: number;
}

type CaseExpr = Readonly<Record<string, unknown>>;

/** Kinds of the corpus and what they derive from. */
export const KIND_PARENTS: ReadonlyMap<string, string> = new Map([
  ['card', 'tx'],
  ['wire', 'tx'],
  ['onlineCard', 'card'],
]);

export function patternOf(c: ConformanceCase): Pattern {
  return {
    steps: c.pattern.map(stepOf),
    ...(c.within ? windowOf(c.within) : {}),
    ...(c.skip ? { skip: skipOf(c.skip) } : {}),
  };
}

function stepOf(step: CaseStep): Step {
  const common = {
    contiguity: step.contiguity,
    ...(step.quantifier ? { quantifier: quantifierOf(step.quantifier) } : {}),
    ...(step.contiguityInside ? { inside: insideOf(step.contiguityInside) } : {}),
    ...(step.greedy ? { greedy: true } : {}),
    ...(step.until ? { until: condition(step.until.expr) } : {}),
    ...(step.optional ? { optional: true } : {}),
    ...(step.within ? windowOf(step.within) : {}),
  };
  const conditions = {
    ...(step.where ? { where: condition(step.where.expr) } : {}),
    ...(step.subtype === undefined ? {} : { subtype: step.subtype }),
  };
  // A group may not have conditions; it keeps those that a case gives it, so that it is refused.
  if (step.group) return { kind: 'group', ...common, ...conditions, steps: step.group.map(stepOf) } as GroupStep;
  return { kind: 'event', name: step.name!, ...common, ...conditions } satisfies EventStep;
}

function quantifierOf(q: CaseQuantifier): Quantifier {
  const gap = q.within === undefined ? {} : { gapMs: q.within };
  if (q.oneOrMore) return { from: 1, to: null, ...gap };
  if (q.timesOrMore !== undefined) return { from: q.timesOrMore, to: null, ...gap };
  if (q.times !== undefined) return { from: q.times, to: q.times, ...gap };
  // A range from 0 is one from 1 that may be absent, so 0..0 ends before it begins.
  return { from: q.from === 0 && q.to! < 1 ? 1 : q.from!, to: q.to!, ...gap };
}

const insideOf = (inside: string): 'relaxed' | 'consecutive' | 'combinations' =>
  inside === 'allowCombinations' ? 'combinations' : inside === 'consecutive' ? 'consecutive' : 'relaxed';

const windowOf = (w: CaseWindow): { withinMs: number } | { gapMs: number } =>
  w.type === 'FIRST_AND_LAST' ? { withinMs: w.ms } : { gapMs: w.ms };

function skipOf(skip: NonNullable<ConformanceCase['skip']>): Skip {
  const onMiss = skip.onMiss === 'error' ? { onMiss: 'error' as const } : {};
  switch (skip.strategy) {
    case 'SKIP_TO_NEXT':
      return { strategy: 'toNext' };
    case 'SKIP_PAST_LAST_EVENT':
      return { strategy: 'pastLastEvent' };
    case 'SKIP_TO_FIRST':
      return { strategy: 'toFirst', step: skip.step!, ...onMiss };
    case 'SKIP_TO_LAST':
      return { strategy: 'toLast', step: skip.step!, ...onMiss };
    default:
      return { strategy: 'noSkip' };
  }
}

const COMPARE: Readonly<Record<string, '==' | '!=' | '<' | '<=' | '>' | '>='>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

export function condition(tree: CaseExpr): Condition {
  return expression(tree);
}

function expression(raw: unknown): Expr {
  const tree = raw as CaseExpr;
  const child = (name: string): Expr => expression(tree[name]);
  if ('const' in tree) return { op: 'const', value: tree.const as number | string };
  if ('field' in tree && !('fn' in tree)) return { op: 'field', name: tree.field as string };
  if ('arith' in tree)
    return { op: 'arith', fn: tree.arith as '+' | '-' | '*', left: child('left'), right: child('right') };
  if ('fn' in tree) {
    const field = tree.field === undefined ? {} : { field: tree.field as string };
    return { op: 'aggregate', fn: tree.fn as 'count', step: tree.step as string, ...field };
  }
  const op = tree.op as string;
  if (op === 'true' || op === 'false') return { op: 'const', value: op === 'true' };
  if (op === 'in') return { op: 'in', left: child('left'), values: tree.values as (number | string)[] };
  if (op === 'and' || op === 'or') return { op, args: (tree.args as unknown[]).map(expression) };
  if (op === 'not') return { op: 'not', arg: child('arg') };
  return { op: 'compare', cmp: COMPARE[op]!, left: child('left'), right: child('right') };
}
