import { z } from 'zod';
import { parseBytes, parseDuration, parseTimestamp, parseTopicPattern } from './values.js';

/** How a setting is written; decides how text from the environment is read. */
export type SettingKind =
  | 'text'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'duration'
  | 'bytes'
  | 'path'
  | 'list'
  | 'choice'
  | 'map';

/** What is known of one setting beside its zod type. */
export interface SettingMeta {
  readonly kind: SettingKind;
  readonly description: string;
  /** What a right value looks like, for error messages and the documentation. */
  readonly expected: string;
  /** Environment variables beside the one that is made from the path (`STAKEOUT_HTTP_PORT`). */
  readonly env?: readonly string[];
  /** Never printed; may also be read from the file that `<variable>_FILE` names. */
  readonly secret?: boolean;
  /** The default in words, where the value itself would not say it. */
  readonly defaultText?: string;
}

/** Every setting of the schema, and only settings (not the sections), are in here. */
export const settingRegistry = z.registry<SettingMeta>();

type Extra = Partial<SettingMeta>;

function define<T extends z.ZodType>(schema: T, meta: SettingMeta): T {
  settingRegistry.add(schema, meta);
  return schema;
}

/**
 * A builder of single settings in two forms: with a default (written as in a file), or optional. What is registered is the
 * outermost schema, because zod makes a new one with every method.
 */
function both<T extends z.ZodType>(make: () => T, kind: SettingKind, expected: string) {
  const meta = (description: string, extra: Extra = {}): SettingMeta => ({ kind, expected, description, ...extra });
  return {
    optional: (description: string, extra?: Extra) => define(make().optional(), meta(description, extra)),
    default: (value: z.input<T>, description: string, extra?: Extra) =>
      define(make().prefault(value), meta(description, extra)),
  };
}

function parsed<T>(parse: (value: unknown) => T | undefined) {
  return z.union([z.string(), z.literal(0)]).transform((value, context): T => {
    const result = parse(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: 'not readable' });
    return z.NEVER;
  });
}

export const text = both(() => z.string().min(1), 'text', 'text');
export const topicName = both(
  () =>
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,249}$/)
      .refine((name) => name !== '.' && name !== '..'),
  'text',
  'a topic name: up to 249 letters, digits, ".", "_" or "-"',
);
export const flag = both(() => z.boolean(), 'boolean', 'true or false');
export const duration = both(() => parsed(parseDuration), 'duration', 'a duration such as 250ms, 10s, 5m, 1h30m or 7d');
export const bytes = both(() => parsed(parseBytes), 'bytes', 'a size such as 64KiB, 10MB or 1GiB');
export const path = both(() => z.string().min(1), 'path', 'a path');
export const url = both(() => z.url({ protocol: /^https?$/ }), 'text', 'a URL that begins with http:// or https://');
export const urls = both(
  () => z.array(z.url({ protocol: /^https?$/ })).min(1),
  'list',
  'a list of URLs that begin with http:// or https://',
);
export const texts = both(() => z.array(z.string().min(1)), 'list', 'a list of texts');
export const redisUrl = both(
  () => z.url({ protocol: /^rediss?$/ }),
  'text',
  'a URL that begins with redis:// or rediss://',
);
export const databaseUrl = both(
  () => z.url({ protocol: /^(postgres|postgresql|mysql|mariadb)$/ }),
  'text',
  'a URL such as postgres://user:password@host/database or mysql://…',
);
export const names = both(() => z.array(z.string().min(1)).min(1), 'list', 'a list of names');
export const brokers = both(
  () => z.array(z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:,/]+):\d{1,5}$/)).min(1),
  'list',
  'a list of host:port, at least one',
);

/** A list of topic names, or one regular expression between slashes. */
export const topics = both(
  () =>
    z.union([z.array(z.string().min(1)).min(1), z.string()]).transform((value, context) => {
      if (typeof value !== 'string') return { names: value as readonly string[] };
      const pattern = parseTopicPattern(value);
      if (pattern !== undefined) return { pattern };
      context.addIssue({ code: 'custom', message: 'not readable' });
      return z.NEVER;
    }),
  'text',
  "a list of topic names, or a regular expression between slashes such as '/transactions-.+/'",
);

/** Where a group begins where it has committed nothing. */
export const startPosition = both(
  () =>
    z.string().transform((value, context) => {
      if (value === 'committed' || value === 'earliest') return { at: 'earliest' as const };
      if (value === 'latest') return { at: 'latest' as const };
      const timestamp = parseTimestamp(value);
      if (timestamp !== undefined) return { at: 'timestamp' as const, timestamp };
      context.addIssue({ code: 'custom', message: 'not readable' });
      return z.NEVER;
    }),
  'text',
  'committed, earliest, latest, or a time such as 2026-01-31T00:00:00Z',
);

/** A point in time, as text; milliseconds since 1970 once read. */
export const moment = both(
  () =>
    z.string().transform((value, context): number => {
      const timestamp = parseTimestamp(value);
      if (timestamp !== undefined) return timestamp;
      context.addIssue({ code: 'custom', message: 'not readable' });
      return z.NEVER;
    }),
  'text',
  'a time such as 2026-01-31T00:00:00Z',
);

export function integer(min: number, max: number) {
  return both(() => z.int().min(min).max(max), 'integer', `a whole number from ${min} to ${max}`);
}

export function decimal(min: number, max: number) {
  return both(() => z.number().min(min).max(max), 'number', `a number from ${min} to ${max}`);
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return both(() => z.enum(values as unknown as [T[number], ...T[number][]]), 'choice', `one of ${values.join(', ')}`);
}

/** A whole number, or `auto`. Text that is neither is complained of by the union. */
export function autoOr(min: number, max: number) {
  return both(
    () =>
      z.union([z.literal('auto'), z.int()]).transform((value, context): number | 'auto' => {
        if (value === 'auto' || (value >= min && value <= max)) return value;
        context.addIssue({ code: 'custom', message: 'not in range' });
        return z.NEVER;
      }),
    'integer',
    `auto, or a whole number from ${min} to ${max}`,
  );
}

/** `{kind: parent}`. */
export const kindTree = {
  default: (description: string) =>
    define(z.record(z.string(), z.string().min(1)).prefault({}), {
      kind: 'map',
      expected: 'a map of kind to the kind it derives from',
      description,
    }),
};
