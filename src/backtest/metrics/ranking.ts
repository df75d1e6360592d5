import { share } from './detection.js';
import type { Verdicts } from './verdicts.js';

/** All that score the same. */
export interface ScoreGroup {
  readonly score: number;
  readonly count: number;
  readonly frauds: number;
}

/** How precision and recall stand when all that score at least `threshold` are accused. */
export interface CurvePoint {
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
  readonly accused: number;
  readonly truePositives: number;
}

/** The population by score, the highest first. Whoever no alert accuses scores 0. */
export function scoreGroups({ accused, frauds, size }: Pick<Verdicts, 'accused' | 'frauds' | 'size'>): ScoreGroup[] {
  const groups = new Map<number, { count: number; frauds: number }>([[0, { count: 0, frauds: 0 }]]);
  let restFrauds = frauds.length;
  for (const { score, fraud } of accused) {
    const group = groups.get(score) ?? { count: 0, frauds: 0 };
    groups.set(score, group);
    group.count++;
    if (fraud === null) continue;
    group.frauds++;
    restFrauds--;
  }
  const rest = groups.get(0)!;
  rest.count += Math.max(restFrauds, size - accused.length);
  rest.frauds += restFrauds;
  return [...groups].map(([score, group]) => ({ score, ...group })).sort((a, b) => b.score - a.score);
}

/** One point for each score that occurs, the highest first. */
export function curve(groups: readonly ScoreGroup[]): CurvePoint[] {
  const frauds = groups.reduce((sum, group) => sum + group.frauds, 0);
  let accused = 0;
  let truePositives = 0;
  return groups.map((group) => {
    accused += group.count;
    truePositives += group.frauds;
    return {
      ...{ threshold: group.score, accused, truePositives },
      precision: share(truePositives, accused),
      recall: share(truePositives, frauds),
    };
  });
}

/** Sum over the thresholds of precision times the recall gained, as scikit-learn's `average_precision_score`. */
export function averagePrecision(points: readonly CurvePoint[]): number {
  let sum = 0;
  let recall = 0;
  for (const point of points) {
    sum += (point.recall - recall) * point.precision;
    recall = point.recall;
  }
  return sum;
}

/** Area under the ROC curve: how often a fraud scores higher than a genuine one, a tie counted half. `null`: one of them is missing. */
export function rocAuc(groups: readonly ScoreGroup[]): number | null {
  let pairs = 0;
  let genuineAbove = 0;
  let frauds = 0;
  for (const group of groups) {
    const genuine = group.count - group.frauds;
    // Every fraud of this group loses against the genuine ones above it.
    pairs += group.frauds * (genuineAbove + genuine / 2);
    genuineAbove += genuine;
    frauds += group.frauds;
  }
  return frauds === 0 || genuineAbove === 0 ? null : 1 - pairs / (frauds * genuineAbove);
}
