import type { Severity } from '../../rules/rule.js';
import type { Alert } from '../../runtime/ports/alert.js';

/** Which alerts a handler wants; absent: any. */
export interface AlertFilter {
  /** Id of the pattern. */
  readonly pattern?: string;
  readonly severity?: Severity;
}

const keys: ReadonlySet<string> = new Set(['pattern', 'severity']);

/**
 * What an event pattern of Nest means here: `'alert'` is every alert, `{alert: {pattern, severity}}` some of them, anything
 * else (`null`) is none of ours. Throws for an alert pattern with a key that we do not know: it would never be called.
 */
export function alertFilterOf(pattern: unknown): AlertFilter | null {
  if (pattern === 'alert') return {};
  if (typeof pattern !== 'object' || pattern === null || !('alert' in pattern)) return null;
  const filter: unknown = pattern.alert;
  const unknown =
    typeof filter === 'object' && filter !== null ? Object.keys(filter).find((key) => !keys.has(key)) : String(filter);
  if (unknown !== undefined) throw new Error(`alert handler: expected pattern or severity, got ${unknown}`);
  return filter as AlertFilter;
}

export function accepts(filter: AlertFilter, alert: Alert): boolean {
  return (
    (filter.pattern === undefined || filter.pattern === alert.patternId) &&
    (filter.severity === undefined || filter.severity === alert.severity)
  );
}
