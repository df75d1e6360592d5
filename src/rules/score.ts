import type { Match } from '../engine/index.js';
import type { Rule, Severity } from './rule.js';

/** What a rule scores that says only how severe it is. */
export const SCORE_BY_SEVERITY: Readonly<Record<Severity, number>> = { low: 20, medium: 50, high: 80, critical: 95 };

/** Score of a match, 0 to 100. Where the rule's expression has no value, as for a rule that says only how severe it is. */
export function scoreOf({ alert }: Rule, match: Match): number {
  if (typeof alert.score === 'number') return alert.score;
  const value = match.values?.[alert.score.value];
  if (typeof value !== 'number') return SCORE_BY_SEVERITY[alert.severity];
  return Math.min(100, Math.max(0, value));
}
