/** Whole, with commas. */
export const whole = (n: number): string => Math.round(n).toLocaleString('en-US');

/** Digits that count; a number that has more before the point keeps them. */
const DIGITS = 3;
const PRECISION = 6;

/** Three digits that count, or all before the point. */
export function short(n: number): string {
  const magnitude = n === 0 ? 0 : Math.floor(Math.log10(Math.abs(n)));
  const fraction = Math.min(DIGITS, Math.max(0, DIGITS - 1 - magnitude));
  return n.toLocaleString('en-US', { maximumFractionDigits: fraction });
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
export const times = (ratio: number): string => `${short(ratio)}×`;
export const milliseconds = (ms: number): string => `${short(ms)} ms`;
export const megabytes = (bytes: number): string => `${whole(bytes / 2 ** 20)} MiB`;

/** The same with fractions of six digits that count; whole numbers stay as they are. */
export function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(PRECISION));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rounded(member)]));
}
