import { createHash } from 'node:crypto';
import { canonicalJson } from '../engine/index.js';
import type { Rule } from './rule.js';

/**
 * First 16 hex digits of the SHA-256 of all in a rule that can change an alert. Layout, comments, `description`, `tags` and
 * what it accuses do not count, nor what becomes of runs under way when it changes, and neither do defaults that are
 * written out.
 */
export function revisionOf(rule: Omit<Rule, 'revision' | 'source' | 'fields' | 'lists'>): string {
  const { id, title, status, key, pattern, values, features, alert, canary, limits, lifted } = rule;
  // What a rule over one stream means does not depend on the others that there are.
  const streams = rule.streams.length > 1 ? rule.streams : undefined;
  return createHash('sha256')
    .update(
      canonicalJson({ id, title, status, key, streams, pattern, values, features, alert, canary, limits, lifted }),
    )
    .digest('hex')
    .slice(0, 16);
}
