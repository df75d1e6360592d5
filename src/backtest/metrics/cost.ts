import type { Verdicts } from './verdicts.js';

export interface CostPoint {
  /** All that score at least this are looked into; infinity: nobody is. */
  readonly threshold: number;
  readonly falseAlerts: number;
  readonly missedFrauds: number;
  readonly cost: number;
}

/** What looking in vain and missing frauds costs, by the score from which on accused are looked into. */
export interface CostFigures {
  /** The highest threshold first; the last point is all that are accused. */
  readonly curve: readonly CostPoint[];
  readonly best: CostPoint;
  /** With no rules at all, and with every alert looked into. */
  readonly withoutRules: number;
  readonly asItIs: number;
}

/** `null`: the protocol names no price. */
export function cost({ protocol, accused, frauds }: Verdicts): CostFigures | null {
  const { price } = protocol;
  if (price === null) return null;
  const missed = (amount: number): number => price.missedFraud ?? amount;
  let total = frauds.reduce((sum, fraud) => sum + missed(fraud.amount), 0);
  const withoutRules = total;
  let falseAlerts = 0;
  let missedFrauds = frauds.length;
  const curve: CostPoint[] = [{ threshold: Number.POSITIVE_INFINITY, falseAlerts, missedFrauds, cost: total }];
  const ranked = accused.toSorted((a, b) => b.score - a.score);
  ranked.forEach(({ fraud, score }, index) => {
    if (fraud === null) {
      falseAlerts++;
      total += price.falseAlert;
    } else {
      missedFrauds--;
      total -= missed(fraud.amount);
    }
    if (ranked[index + 1]?.score !== score) curve.push({ threshold: score, falseAlerts, missedFrauds, cost: total });
  });
  const best = curve.reduce((least, point) => (point.cost < least.cost ? point : least));
  return { curve, best, withoutRules, asItIs: total };
}
