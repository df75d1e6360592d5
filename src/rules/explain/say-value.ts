import { type Expr, type Scalar, WINDOW_FIELDS } from '../../engine/index.js';
import { formatDuration } from '../source/duration.js';

/** What a number stands for, as far as the expression that it comes from tells. */
export type Measure = 'number' | 'span' | 'time';

/** Numbers with thousands separators and up to six decimals, texts in quotes, times in UTC; missing: a dash. */
export function sayValue(value: Scalar | null, measure: Measure = 'number'): string {
  if (value === null) return '–';
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'boolean') return String(value);
  if (measure === 'time') return sayTime(value);
  if (measure === 'span' && Number.isFinite(value)) return saySpan(value);
  return sayNumber(value);
}

const LEAST = 1e-6;

export function sayNumber(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || (size > 0 && size < LEAST) || size >= 1e15) return String(value);
  return value.toLocaleString('en-US', { maximumFractionDigits: size < 1 ? 6 : 4 });
}

const TIMES_MAX = 8.64e15;

/** `2026-01-05 10:00:00`, with milliseconds where it has any; UTC. */
export function sayTime(ms: number): string {
  if (!(Math.abs(ms) <= TIMES_MAX)) return String(ms);
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$|Z$/, '');
}

const saySpan = (ms: number): string => (ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms));

export function measureOf(expr: Expr): Measure {
  switch (expr.op) {
    case 'field':
      return isWindowTime(expr.name) ? 'time' : 'number';
    case 'meta':
      return expr.name === 'time' ? 'time' : 'number';
    case 'aggregate':
    case 'nth':
      return expr.field === '$time' ? 'time' : 'number';
    case 'feature':
      return expr.feature.fn === 'since' ? 'span' : 'number';
    case 'arith': {
      const [left, right] = [measureOf(expr.left), measureOf(expr.right)];
      if (expr.fn === '-' && left === 'time') return right === 'time' ? 'span' : 'time';
      return expr.fn === '+' && (left === 'time' || right === 'time') ? 'time' : 'number';
    }
    default:
      return 'number';
  }
}

const isWindowTime = (name: string): boolean => (WINDOW_FIELDS as readonly string[]).includes(name);
