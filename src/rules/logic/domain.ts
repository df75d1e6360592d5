import type { CompareOp, Scalar } from '../../engine/index.js';

/** Numbers between two bounds; a strict bound is not among them. */
export interface Interval {
  readonly low: number;
  readonly lowStrict: boolean;
  readonly high: number;
  readonly highStrict: boolean;
}

/** The values that a term may have, described from above: what is not in it is impossible. */
export interface Domain {
  /** It may be missing. */
  readonly absent: boolean;
  /** It may have a value at all. */
  readonly present: boolean;
  /** Texts and truth values are possible. */
  readonly nonNumbers: boolean;
  readonly interval: Interval;
  /** Only these values; `null`: no such bound. */
  readonly only: ReadonlySet<Scalar> | null;
  readonly not: ReadonlySet<Scalar>;
  readonly integer: boolean;
}

export const EVERY_NUMBER: Interval = { low: -Infinity, lowStrict: false, high: Infinity, highStrict: false };
const NOTHING: ReadonlySet<Scalar> = new Set();

export const ANYTHING: Domain = {
  absent: true,
  present: true,
  nonNumbers: true,
  interval: EVERY_NUMBER,
  only: null,
  not: NOTHING,
  integer: false,
};

export const PRESENT: Domain = { ...ANYTHING, absent: false };
export const ABSENT: Domain = { ...ANYTHING, present: false };

export function intersect(a: Domain, b: Domain): Domain {
  const { only: left } = a;
  return {
    absent: a.absent && b.absent,
    present: a.present && b.present,
    nonNumbers: a.nonNumbers && b.nonNumbers,
    interval: overlap(a.interval, b.interval),
    only: left === null || b.only === null ? (left ?? b.only) : shared(left, b.only),
    not: a.not.size === 0 ? b.not : new Set([...a.not, ...b.not]),
    integer: a.integer || b.integer,
  };
}

const shared = (a: ReadonlySet<Scalar>, b: ReadonlySet<Scalar>): ReadonlySet<Scalar> =>
  new Set([...a].filter((value) => b.has(value)));

function overlap(a: Interval, b: Interval): Interval {
  const low = Math.max(a.low, b.low);
  const high = Math.min(a.high, b.high);
  return {
    low,
    lowStrict: (a.low === low && a.lowStrict) || (b.low === low && b.lowStrict),
    high,
    highStrict: (a.high === high && a.highStrict) || (b.high === high && b.highStrict),
  };
}

export const isEmpty = (domain: Domain): boolean => !domain.absent && !holdsValue(domain);

function holdsValue(domain: Domain): boolean {
  if (!domain.present) return false;
  if (domain.only !== null) return [...domain.only].some((value) => contains(domain, value));
  return domain.nonNumbers || holdsNumber(domain);
}

export function contains(domain: Domain, value: Scalar): boolean {
  if (!domain.present || domain.not.has(value) || (domain.only !== null && !domain.only.has(value))) return false;
  if (typeof value !== 'number') return domain.nonNumbers;
  const { low, lowStrict, high, highStrict } = domain.interval;
  const above = lowStrict ? value > low : value >= low;
  const below = highStrict ? value < high : value <= high;
  return above && below && (!domain.integer || Number.isInteger(value));
}

function holdsNumber(domain: Domain): boolean {
  const { low, lowStrict, high, highStrict } = domain.interval;
  if (domain.integer && Number.isFinite(low) && high - low <= domain.not.size + 2) {
    for (let n = Math.ceil(low); n <= high; n++) if (contains(domain, n)) return true;
    return false;
  }
  if (low > high) return false;
  return low < high || (!lowStrict && !highStrict && !domain.not.has(low));
}

/** What a term must be for `term cmp value` to be true (or else not to be true, which a missing value is not either). */
export function comparedWith(cmp: CompareOp, value: Scalar, truth: boolean): Domain | null {
  if (cmp === '==') return among(new Set([value]), truth);
  if (cmp === '!=') return truth ? { ...PRESENT, not: new Set([value]) } : { ...ANYTHING, only: new Set([value]) };
  if (typeof value !== 'number' || Number.isNaN(value)) return null;
  if (truth) return { ...PRESENT, nonNumbers: false, interval: beside(cmp, value) };
  return { ...ANYTHING, interval: beside(NEGATED[cmp], value) };
}

export const among = (values: ReadonlySet<Scalar>, truth: boolean): Domain =>
  truth ? { ...PRESENT, only: values } : { ...ANYTHING, not: values };

type OrderOp = '<' | '<=' | '>' | '>=';
const NEGATED: Readonly<Record<OrderOp, OrderOp>> = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' };

function beside(cmp: OrderOp, value: number): Interval {
  const strict = cmp === '<' || cmp === '>';
  return cmp === '<' || cmp === '<='
    ? { ...EVERY_NUMBER, high: value, highStrict: strict }
    : { ...EVERY_NUMBER, low: value, lowStrict: strict };
}
