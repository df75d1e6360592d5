/** Values as people write them in a config file. Each parser answers `undefined` for what it cannot read. */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/** `250ms`, `10s`, `1h30m`, `7d`, or 0, in whole milliseconds. */
export function parseDuration(value: unknown): number | undefined {
  if (value === 0 || value === '0') return 0;
  if (typeof value !== 'string' || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) return undefined;
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (unitMs[unit as string] as number);
  }
  const ms = Math.round(total);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** `64KiB`, `10MB`, `512b`, in bytes. */
export function parseBytes(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s?(b|kb|mb|gb|kib|mib|gib)$/i.exec(value);
  if (!match) return undefined;
  const bytes = Math.round(Number(match[1]) * (unitBytes[(match[2] as string).toLowerCase()] as number));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A name pattern between slashes, such as `/transactions-.+/`, as a regular expression that must fit the whole name. */
export function parseTopicPattern(value: unknown): RegExp | undefined {
  if (typeof value !== 'string' || value.length < 3 || !value.startsWith('/') || !value.endsWith('/')) return undefined;
  try {
    return new RegExp(`^(?:${value.slice(1, -1)})$`);
  } catch {
    return undefined;
  }
}

/** An ISO 8601 date, or date and time, in milliseconds since 1970; without a zone it is UTC. */
export function parseTimestamp(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(value);
  if (!match) return undefined;
  const ms = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`);
  return Number.isNaN(ms) ? undefined : ms;
}
