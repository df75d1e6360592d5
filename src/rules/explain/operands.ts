import { type EventStep, type Expr, type Feature, FeatureTable, partsOf, type Step } from '../../engine/index.js';
import { sayExpr } from '../condition/say-expr.js';
import type { Rule } from '../rule.js';

/** Something that a condition reads, by how it is written there. */
export interface Operand {
  readonly name: string;
  readonly expr: Expr;
}

type NameOf = (feature: Feature) => string;

/** A field, an event of before, a feature: what has a name in a condition, and a value at an event. */
export const isName = ({ op }: Expr): boolean =>
  op === 'field' || op === 'meta' || op === 'feature' || op === 'aggregate' || op === 'nth';

/** What an expression reads: names, and what a reference list has. Each once, in the order in which they stand there. */
export function operandsIn(expr: Expr, nameOf?: NameOf): readonly Operand[] {
  const found = new Map<string, Operand>();
  const visit = (of: Expr): void => {
    if (!isName(of)) for (const part of partsOf(of)) visit(part);
    if (!isName(of) && of.op !== 'lookup') return;
    const name = sayExpr(of, nameOf);
    if (!found.has(name)) found.set(name, { name, expr: of });
  };
  visit(expr);
  return [...found.values()];
}

/** What the rule calls its features. */
export function featureNames({ features = [] }: Pick<Rule, 'features'>): NameOf {
  const table = new FeatureTable();
  const names = new Map(features.map(({ name, feature }) => [table.cell(feature), name]));
  return (feature) => names.get(table.cell(feature)) ?? feature.fn;
}

/** The steps of a pattern that have events of their own, those in groups too. */
export const eventSteps = (step: Step): readonly EventStep[] =>
  step.kind === 'group' ? step.steps.flatMap(eventSteps) : [step];

/** What the condition of each step reads of an event that it takes, by the name of the step. A step that reads nothing is left out. */
export function operandsOf(rule: Pick<Rule, 'pattern' | 'features'>): ReadonlyMap<string, readonly Operand[]> {
  const nameOf = featureNames(rule);
  const read = new Map<string, readonly Operand[]>();
  for (const { name, where } of rule.pattern.steps.flatMap(eventSteps)) {
    if (where === undefined || where.op === 'function') continue;
    const operands = operandsIn(where, nameOf);
    if (operands.length > 0) read.set(name, operands);
  }
  return read;
}
