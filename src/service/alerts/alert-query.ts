import { z } from 'zod';
import type { Alert } from '../../runtime/ports/alert.js';
import { invalidInput } from '../problems/problem.js';

/** Which alerts are asked for. Times are event time (`detectedAt`), milliseconds since 1970; `from` is included, `to` is not. */
export interface AlertQuery {
  readonly key?: string;
  readonly pattern?: string;
  readonly severity?: Alert['severity'];
  readonly from?: number;
  readonly to?: number;
}

/** Place of an alert in the list: those before it come on the next page. */
export interface AlertCursor {
  readonly detectedAt: number;
  readonly id: string;
}

export interface AlertPageQuery extends AlertQuery {
  readonly limit: number;
  readonly cursor: AlertCursor | null;
}

const LIMIT_MAX = 1000;

const time = z.string().transform((text, context) => {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  context.addIssue({ code: 'custom', message: 'expected a time: ISO 8601, or milliseconds since 1970' });
  return z.NEVER;
});

const filters = {
  key: z.string().min(1).optional(),
  pattern: z.string().min(1).optional(),
  severity: z.enum(['low', 'medium', 'high', 'critical']).optional(),
  from: time.optional(),
  to: time.optional(),
};

const liveQuery = z.strictObject(filters);
const pageQuery = z.strictObject({
  ...filters,
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(100),
  cursor: z
    .string()
    .transform((text, context) => {
      const cursor = readCursor(text);
      if (cursor !== null) return cursor;
      context.addIssue({ code: 'custom', message: 'expected the `next` of an earlier answer' });
      return z.NEVER;
    })
    .optional(),
});

/** Throws a problem with all that is wrong. */
export function parsePageQuery(query: unknown): AlertPageQuery {
  const parsed = check(pageQuery, query);
  return { ...parsed, cursor: parsed.cursor ?? null };
}

export function parseLiveQuery(query: unknown): AlertQuery {
  return check(liveQuery, query);
}

function check<T extends z.ZodType>(schema: T, query: unknown): z.output<T> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw invalidInput(
    'The query does not hold.',
    parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  );
}

export function matches(query: AlertQuery, alert: Alert): boolean {
  return (
    (query.key === undefined || query.key === alert.key) &&
    (query.pattern === undefined || query.pattern === alert.patternId) &&
    (query.severity === undefined || query.severity === alert.severity) &&
    (query.from === undefined || alert.detectedAt >= query.from) &&
    (query.to === undefined || alert.detectedAt < query.to)
  );
}

export function writeCursor({ detectedAt, id }: AlertCursor): string {
  return `${detectedAt}-${id}`;
}

function readCursor(text: string): AlertCursor | null {
  const match = /^(\d{1,16})-([\w-]+)$/.exec(text);
  return match ? { detectedAt: Number(match[1]), id: match[2] as string } : null;
}
