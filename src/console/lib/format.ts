/** Numbers, times and values as people read them. Local time; a title says the whole. */

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short' });
const whole = new Intl.DateTimeFormat(undefined, {
  ...{ year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  ...{ fractionalSecondDigits: 3, hourCycle: 'h23', timeZoneName: 'short' },
});
const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const timeOfDay = (ms: number): string => clock.format(ms);
export const dayOf = (ms: number): string => day.format(ms);
export const wholeTime = (ms: number): string => whole.format(ms);
export const dayAndTime = (ms: number): string => `${dayOf(ms)}, ${timeOfDay(ms)}`;
export const number = (value: number): string => plain.format(value);
export const compact = (value: number): string =>
  Math.abs(value) < 10_000 ? plain.format(value) : short.format(value);

/** `3 m 20 s`: the two largest units. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  const first = units.findIndex(([, size]) => ms >= size);
  const [unit, size] = units[first]!;
  const next = units[first + 1];
  if (next === undefined) return `${plain.format(Math.round(ms / 10) / 100)} ${unit}`;
  const rest = Math.floor((ms % size) / next[1]);
  return `${Math.floor(ms / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${next[0]}`}`;
}

/** How long ago; `now` for less than a second. */
export const ago = (ms: number, now: number): string =>
  now - ms < 1000 ? 'now' : `${duration(Math.floor((now - ms) / 1000) * 1000)} ago`;

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  return `${plain.format(Math.round((n / 1024 ** power) * 10) / 10)} ${units[power]}`;
}

export const percent = (share: number): string => `${plain.format(Math.round(share * 1000) / 10)} %`;

/** A field's value. Whole numbers are not grouped: they may be numbers of accounts. */
export function value(of: unknown): string {
  if (of === null || of === undefined) return '–';
  if (typeof of === 'number') return String(Math.round(of * 1e6) / 1e6);
  return typeof of === 'object' ? JSON.stringify(of) : String(of);
}

/** `1 alert`, `2 alerts`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`;
