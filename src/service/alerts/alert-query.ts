import { z } from 'zod';
import { ALERT_STATES, type AlertFilter, type StoredAlert, wordsOf } from '../../runtime/ports/alert-store.js';
import { type Cursor, checkQuery, pageShape } from '../paging/page.js';
import { momentText } from '../problems/check-body.js';

export interface AlertPageQuery {
  readonly filter: AlertFilter;
  readonly limit: number;
  readonly cursor: Cursor | null;
}

const filters = {
  key: z.string().min(1).optional(),
  pattern: z.string().min(1).optional(),
  severity: z.enum(['low', 'medium', 'high', 'critical']).optional(),
  state: z.enum(ALERT_STATES).optional(),
  q: z.string().min(1).max(200).optional(),
  from: momentText.optional(),
  to: momentText.optional(),
};

const liveQuery = z.strictObject(filters);
const pageQuery = z.strictObject({ ...filters, ...pageShape });

/** Throws a problem with all that is wrong. */
export function parsePageQuery(query: unknown): AlertPageQuery {
  const { limit, cursor, ...filter } = checkQuery(pageQuery, query);
  return { filter, limit, cursor: cursor ?? null };
}

/** Throws a problem with all that is wrong. */
export function parseLiveQuery(query: unknown): AlertFilter {
  return checkQuery(liveQuery, query);
}

/** What the store does with a filter, of one alert. */
export function matches(
  { key, orKey, pattern, severity, state: wanted, from, to, q }: AlertFilter,
  stored: StoredAlert,
): boolean {
  const { alert, state } = stored;
  return (
    (key === undefined || key === alert.key || orKey === alert.key) &&
    (pattern === undefined || pattern === alert.patternId) &&
    (severity === undefined || severity === alert.severity) &&
    (wanted === undefined || wanted === state) &&
    (from === undefined || alert.detectedAt >= from) &&
    (to === undefined || alert.detectedAt < to) &&
    (q === undefined || wordsOf(alert).includes(q.toLowerCase()))
  );
}
