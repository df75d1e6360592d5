import type { RuleText } from '../../rules/index.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import type { StreamDefinition } from '../stream.js';
import type { Compilers } from '../task/compilers.js';
import { TaskStreams } from '../task/task-streams.js';
import type { LaneOptions } from './options.js';
import type { LaneRules } from './routing.js';

export interface Preparing extends Pick<LaneOptions, 'compileRules' | 'turn'> {
  readonly streams: readonly StreamDefinition[];
  readonly compilers: Compilers;
}

/**
 * Makes rules of their texts, and compiles what is new in them, with turns for other work in between: when they come into force, all
 * that takes time is done.
 */
export async function prepareRules(sources: readonly RuleText[], by: Preparing): Promise<LaneRules> {
  const { compileRules, turn, streams, compilers } = by;
  if (compileRules === undefined) throw new Error('this lane cannot compile rules');
  const rules = await compileRules(sources);
  const all = new TaskStreams(streams[0]!, streams);
  for (const { rules: own, options, streams: names = [all.own.name] } of versionsOf(rules))
    await compilers.prepare(own, { kindParents: all.kindParents(names), ...options }, turn);
  return rules;
}

/** All rule sets of a lane. */
export const versionsOf = ({ source, others = new Map(), routes }: LaneRules): readonly RuleSetVersion[] => [
  source,
  ...others.values(),
  ...routes.map(({ ruleSet }) => ruleSet),
];
