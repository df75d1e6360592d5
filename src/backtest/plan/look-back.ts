import { longestMs } from '../../rules/longest.js';
import type { Rule } from '../../rules/rule.js';

/**
 * How long before a moment the events lie that a set of rules depends on then, in ms: the longest match, and before its first event
 * the longest window of a feature. Infinite where a match may last for ever, and where a rule skips: which match is kept depends on the one
 * before it, and so on.
 */
export const lookBackMs = (rules: readonly Rule[]): number => Math.max(0, ...rules.map(lookBackOf));

function lookBackOf({ pattern, features = [] }: Rule): number {
  const windows = features.map(({ feature }) => feature.overMs + (feature.lagMs ?? 0));
  const { skip = { strategy: 'noSkip' } } = pattern;
  const longest = longestMs(pattern);
  const depends = skip.strategy !== 'noSkip' && longest > 0;
  return depends ? Number.POSITIVE_INFINITY : longest + Math.max(0, ...windows);
}
