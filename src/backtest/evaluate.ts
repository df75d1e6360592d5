import { byScenario, type DetectionFigures, detection, type ScenarioFigures } from './metrics/detection.js';
import { averagePrecision, type CurvePoint, curve, rocAuc, scoreGroups } from './metrics/ranking.js';
import { type TopKFigures, topK } from './metrics/top-k.js';
import type { Verdicts } from './metrics/verdicts.js';

/** All figures of one rule set. */
export interface Evaluation {
  readonly detection: DetectionFigures;
  readonly byScenario: Readonly<Record<string, ScenarioFigures>>;
  readonly averagePrecision: number;
  /** `null`: everything is fraud, or nothing is. */
  readonly rocAuc: number | null;
  /** One point for each score that occurs. */
  readonly curve: readonly CurvePoint[];
  /** `null`: accounts and alerts are not ranked by day. */
  readonly topK: TopKFigures | null;
}

export function evaluate(verdicts: Verdicts): Evaluation {
  const groups = scoreGroups(verdicts);
  const points = curve(groups);
  return {
    detection: detection(verdicts),
    byScenario: byScenario(verdicts),
    averagePrecision: averagePrecision(points),
    rocAuc: rocAuc(groups),
    curve: points,
    topK: verdicts.protocol.of === 'transaction' ? topK(verdicts) : null,
  };
}
