import type { TopicSelection } from '../../runtime/ports/log.js';

/** Where a rule runs. */
export interface RulePlace {
  readonly topics: TopicSelection;
  /** The rule's key is in the partition that its own text gives; else in any. */
  readonly isByKey: boolean;
}
