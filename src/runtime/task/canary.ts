import type { Rule } from '../../rules/rule.js';
import { partitionOfKey } from '../partitioner.js';

const text = new TextEncoder();
const PERCENT = 100;

/**
 * Whether matches of the key become alerts. The keys of a greater percentage hold all of a smaller one, and those of two rules have
 * nothing to do with each other.
 */
export function isInCanary({ id, canary }: Pick<Rule, 'id' | 'canary'>, key: string): boolean {
  return canary === undefined || partitionOfKey(text.encode(`${id} ${key}`), PERCENT) < canary;
}
