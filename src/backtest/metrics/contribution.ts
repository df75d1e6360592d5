import type { Findings } from '../findings/findings.js';
import type { Population } from '../findings/population.js';
import { type DetectionFigures, detection } from './detection.js';
import { type Verdicts, verdictsOf } from './verdicts.js';

/** What one rule does, alone and for the whole set. */
export interface Contribution {
  /** Index of the rule. */
  readonly rule: number;
  /** As if it were the only rule. */
  readonly alone: DetectionFigures;
  /** Alerts of it alone. */
  readonly alertsAlone: number;
  /** Accused that no other rule accuses, and how many of those are fraud. */
  readonly onlyAccused: number;
  readonly onlyTruePositives: number;
  /** What the whole set has more with it than without: shares, below 0 where it does harm. */
  readonly marginal: { readonly precision: number; readonly recall: number; readonly f1: number };
}

export function contributions(
  verdicts: Verdicts,
  findings: Findings,
  population: Population,
  rules: readonly number[],
): Contribution[] {
  const whole = detection(verdicts);
  return rules.map((rule) => {
    const own = verdictsOf(findings, population, new Set([rule]));
    const others = verdicts.accused.filter((a) => a.rules.length > 1 || a.rules[0] !== rule);
    const without = detection({ accused: others, frauds: verdicts.frauds });
    const only = verdicts.accused.filter((a) => a.rules.length === 1 && a.rules[0] === rule);
    return {
      rule,
      alone: detection(own),
      alertsAlone: own.alerts.length,
      onlyAccused: only.length,
      onlyTruePositives: only.filter((a) => a.fraud !== null).length,
      marginal: {
        precision: whole.precision - without.precision,
        recall: whole.recall - without.recall,
        f1: whole.f1 - without.f1,
      },
    };
  });
}

/** How many of the accused each two rules share; on the diagonal, all that the rule accuses. */
export function overlap({ accused }: Verdicts, rules: readonly number[]): number[][] {
  const place = new Map(rules.map((rule, index) => [rule, index]));
  const matrix = rules.map(() => rules.map(() => 0));
  for (const { rules: own } of accused) {
    const places = own.map((rule) => place.get(rule)!);
    for (const a of places) for (const b of places) matrix[a]![b]!++;
  }
  return matrix;
}
