import type { OtherKey, Rule } from '../../rules/index.js';
import type { TopicSelection } from '../../runtime/ports/log.js';

/** Where a rule runs. */
export interface RulePlace {
  readonly topics: TopicSelection;
  /** The key is in the partition that its own text gives; else in any. */
  readonly isByKey: boolean;
}

/** Where a rule runs; `other`: where its features of that key are counted. */
export type PlaceOf = (rule: Rule, other?: OtherKey) => RulePlace;
