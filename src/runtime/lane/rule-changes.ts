import type { RuleText } from '../../rules/index.js';
import type { ReferenceLists } from '../lists/reference-lists.js';
import type { LaneOptions } from './options.js';
import { type Preparing, prepareRules } from './prepare-rules.js';
import type { LaneRules } from './routing.js';

export interface RuleChangesOptions extends Preparing, Pick<LaneOptions, 'withLists'> {
  readonly set: (rules: LaneRules) => Promise<void>;
}

/** Rules, and what their lists hold, as they change while a lane runs: one change after the other. */
export class RuleChanges {
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly options: RuleChangesOptions) {}

  rules(sources: readonly RuleText[]): Promise<void> {
    return this.inTurn(async () => this.options.set(await prepareRules(sources, this.options)));
  }

  lists(lists: ReferenceLists['data']): Promise<void> {
    const { withLists } = this.options;
    if (withLists === undefined) throw new Error('the lists of this lane cannot be changed');
    return this.inTurn(() => this.options.set(withLists(lists)));
  }

  /** Does something after all that came before. */
  inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.last.then(act);
    this.last = done.catch(() => undefined);
    return done;
  }
}
