import type { Findings } from './findings/findings.js';
import { dayIntervals, type Shares } from './metrics/bootstrap.js';
import { type Contribution, contributions, overlap } from './metrics/contribution.js';
import { type CostFigures, cost } from './metrics/cost.js';
import { type DelayFigures, delay } from './metrics/delay.js';
import { byScenario, type DetectionFigures, detection, type ScenarioFigures } from './metrics/detection.js';
import type { Interval } from './metrics/interval.js';
import { averagePrecision, type CurvePoint, curve, rocAuc, scoreGroups } from './metrics/ranking.js';
import { type TopKFigures, topK } from './metrics/top-k.js';
import type { Verdicts } from './metrics/verdicts.js';

/** All figures of one rule set that need labels. */
export interface Evaluation {
  readonly detection: DetectionFigures;
  /** By resampling days. */
  readonly intervals: Shares<Interval>;
  readonly byScenario: Readonly<Record<string, ScenarioFigures>>;
  readonly averagePrecision: number;
  /** `null`: everything is fraud, or nothing is. */
  readonly rocAuc: number | null;
  /** One point for each score that occurs. */
  readonly curve: readonly CurvePoint[];
  /** `null`: accounts and alerts are not ranked by day. */
  readonly topK: TopKFigures | null;
  readonly delay: DelayFigures | null;
  readonly cost: CostFigures | null;
  /** One for each rule, in their order. */
  readonly contributions: readonly Contribution[];
  readonly overlap: readonly (readonly number[])[];
}

export function evaluate(verdicts: Verdicts, findings: Findings, rules: readonly number[]): Evaluation {
  const groups = scoreGroups(verdicts);
  const points = curve(groups);
  const isOfTransactions = verdicts.protocol.of === 'transaction';
  return {
    detection: detection(verdicts),
    intervals: dayIntervals(verdicts),
    byScenario: byScenario(verdicts),
    averagePrecision: averagePrecision(points),
    rocAuc: rocAuc(groups),
    curve: points,
    topK: isOfTransactions ? topK(verdicts) : null,
    delay: isOfTransactions ? delay(verdicts) : null,
    cost: cost(verdicts),
    contributions: contributions(verdicts, findings, verdicts.population, rules),
    overlap: overlap(verdicts, rules),
  };
}
