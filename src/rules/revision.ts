import { createHash } from 'node:crypto';
import type { Rule } from './rule.js';

/**
 * First 16 hex digits of the SHA-256 of all in a rule that can change an alert. Layout, comments, `description` and
 * `tags` do not count, and neither do defaults that are written out.
 */
export function revisionOf(rule: Omit<Rule, 'revision' | 'source' | 'fields'>): string {
  const { id, title, status, key, pattern, alert } = rule;
  return createHash('sha256')
    .update(canonicalJson({ id, title, status, key, pattern, alert }))
    .digest('hex')
    .slice(0, 16);
}

/** JSON with the keys of every object in order, and nothing for what is undefined. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
