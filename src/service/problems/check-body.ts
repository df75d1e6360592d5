import { z } from 'zod';
import { invalidInput } from './problem.js';

/** Throws a problem with all that is wrong. */
export function checkBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw invalidInput(
    'The body does not hold.',
    parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  );
}

/** A point in time: ISO 8601, or milliseconds since 1970. */
export const momentOf = z.union([z.string(), z.number()]).transform((given, context): number => {
  const ms = typeof given === 'number' ? given : Date.parse(given);
  if (Number.isSafeInteger(ms)) return ms;
  context.addIssue({ code: 'custom', message: 'expected a time: ISO 8601, or milliseconds since 1970' });
  return z.NEVER;
});

/** The same in the query of a URL, where all is text. */
export const momentText = z.string().transform((given, context): number => {
  const ms = /^\d+$/.test(given) ? Number(given) : Date.parse(given);
  if (Number.isSafeInteger(ms)) return ms;
  context.addIssue({ code: 'custom', message: 'expected a time: ISO 8601, or milliseconds since 1970' });
  return z.NEVER;
});
