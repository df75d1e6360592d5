import type { Rule } from '../../rules/rule.js';
import type { RuleSetVersion } from './rule-set-version.js';

/** Rules of `after` whose state is filled from the log: those that ask for it, and were not there before. */
export function rulesToFill(after: RuleSetVersion, before: RuleSetVersion): readonly Rule[] {
  const known = new Set(before.rules.map(({ id, revision }) => `${id} ${revision}`));
  return after.rules.filter(
    ({ id, revision, onUpdate, drains }) =>
      onUpdate === 'backfill' && drains !== true && !known.has(`${id} ${revision}`),
  );
}

/** Rules that replay the past for those; with features, also the others of their key, which may share windows with them. */
export function fillingRules(after: RuleSetVersion, before: RuleSetVersion): readonly Rule[] {
  const filled = rulesToFill(after, before);
  const ids = new Set(filled.map(({ id }) => id));
  const keys = new Set(filled.filter(hasFeatures).map(({ key }) => key));
  const isOne = (rule: Rule): boolean =>
    rule.drains !== true && (ids.has(rule.id) || (keys.has(rule.key) && hasFeatures(rule)));
  return after.rules.filter(isOne);
}

const hasFeatures = ({ features = [] }: Rule): boolean => features.length > 0;
