import type { FeatureCell } from '../aggregate/feature-table.js';
import type { MatchNode } from '../buffer/match-node.js';
import type { CompiledPattern, PatternCompiler } from '../compiler/compile.js';
import type { ExprValue } from '../compiler/predicate.js';
import type { EngineEvent } from '../event.js';
import { partsOf } from '../expression/analysis.js';
import type { Expr, Feature, Scalar } from '../expression/expression.js';
import { isScalarFeature } from '../expression/feature.js';
import { functionOf } from '../expression/generated.js';
import { cellValue } from '../expression/scalar-code.js';
import type { Match, WindowResult } from '../nfa/output.js';
import { resultEvent } from '../nfa/windows.js';

export interface NamedFeature {
  readonly name: string;
  readonly feature: Feature;
}

/** What is to be told of each match of a pattern beside its events. */
export interface Told {
  /** Expressions over the events of the match, the features, and (bare fields) the event that completed it. */
  readonly values?: readonly Expr[];
  readonly features?: readonly NamedFeature[];
}

/** `Told` made ready for one pattern. */
export interface Telling {
  readonly steps: readonly string[];
  readonly values: readonly ExprValue[];
  /** Makes what is told of features, from their cells; `null`: nothing is. */
  readonly features: (() => Match['features']) | null;
  /** The features that must be kept for it. */
  readonly cells: readonly FeatureCell[];
}

/** `null`: there is nothing to tell. */
export function compileTelling(compiler: PatternCompiler, pattern: CompiledPattern, told: Told): Telling | null {
  const { values = [], features = [] } = told;
  if (values.length === 0 && features.length === 0) return null;
  const named = features.map(({ name, feature }) => ({ name, cell: compiler.features.cell(feature) }));
  const read = values.flatMap(featuresIn).map((feature) => compiler.features.cell(feature));
  return {
    steps: pattern.steps,
    values: values.map((expr) => compiler.predicates.valueOf(expr, pattern.steps)),
    features: named.length === 0 ? null : featuresFrom(named),
    cells: [...new Set([...named.map(({ cell }) => cell), ...read])],
  };
}

/** Code that makes the object at once: a match may come with every event. */
function featuresFrom(
  named: readonly { readonly name: string; readonly cell: FeatureCell }[],
): () => Match['features'] {
  const members = named.map(({ name, cell }, i) => {
    const value = isScalarFeature(cell.feature) ? `scalar(c${i})` : `number(c${i}.value)`;
    return `[${JSON.stringify(name)}]: ${value}`;
  });
  const parameters = ['scalar', 'number', ...named.map((_, i) => `c${i}`)];
  const make = functionOf(parameters, `({ ${members.join(', ')} })`);
  const scalar = (cell: FeatureCell): Scalar | null => cellValue(cell) ?? null;
  const number = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return make(scalar, number, ...named.map(({ cell }) => cell)) as () => Match['features'];
}

const featuresIn = (expr: Expr): readonly Feature[] =>
  expr.op === 'feature' ? [expr.feature] : partsOf(expr).flatMap(featuresIn);

/**
 * The match with what is told of it. The features' cells have their values as of `time`. `event`: the one that completed it;
 * `null`: the end of a window did, and all fields of the event are missing.
 */
export function tell(telling: Telling, match: Match, event: EngineEvent | null, time: number): Match {
  const { values, features } = telling;
  const { steps, window } = match;
  if (window !== undefined) return tellWindow(telling, match, window);
  if (values.length === 0) return { steps, features: features!() };
  const last = event ?? { time, seq: 0, kind: '', fields: {} };
  const head = headOf(match, telling.steps);
  const told = { steps, values: values.map((value) => scalarOrNone(value(last, last.fields, head))) };
  return features === null ? told : { ...told, features: features() };
}

/** Bare fields are what came out of the window; its aggregates are told beside the features. */
function tellWindow({ values, features }: Telling, match: Match, window: WindowResult): Match {
  const result = resultEvent(window);
  const told = values.map((value) => scalarOrNone(value(result, result.fields, null)));
  return {
    ...match,
    ...(values.length === 0 ? {} : { values: told }),
    features: { ...features?.(), ...window.fields },
  };
}

const scalarOrNone = (value: unknown): string | number | boolean | null => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
};

/** The events of a match as a run has them. The order of steps among each other is asked for by nothing. */
function headOf(match: Match, steps: readonly string[]): MatchNode | null {
  let head: MatchNode | null = null;
  for (const { name, events } of match.steps) {
    const step = steps.indexOf(name);
    for (const event of events) head = { event, step, previous: head };
  }
  return head;
}
