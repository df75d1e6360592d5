import { compileRuleSet } from '../../engine/index.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import type { TopicSpec } from '../ports/log.js';

/**
 * Rules that are keyed by another field than the source topic is: every event with that field is written again to a topic that is
 * keyed by it, in the transaction of the offsets it came from, and the rules run there.
 */
export interface Route {
  readonly field: string;
  /** As many partitions as the source has, where it has to be made. */
  readonly topic: TopicSpec;
  /** Its decoder reads forwarded events; see `forwardedDecoder`. */
  readonly ruleSet: RuleSetVersion;
}

/** How long after an event one of these rules may still wait for time to pass, in ms. */
export function longestWindow(ruleSets: readonly RuleSetVersion[]): number {
  const patterns = ruleSets.flatMap(({ rules, options: { lists } }) =>
    rules.length === 0 ? [] : compileRuleSet(rules, lists === undefined ? {} : { lists }).patterns,
  );
  return Math.max(0, ...patterns.map(({ windowMs }) => windowMs));
}

/** Name of the topic that holds a topic's events by another field. */
export function routeTopic(source: string, field: string): string {
  return `${source}-by-${field.replace(/[^A-Za-z0-9._-]/g, '_')}`;
}
