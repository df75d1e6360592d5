import type { Expr } from '../expression/expression.js';
import type { FeatureFn } from '../expression/feature.js';

/**
 * How a key's time is cut into windows; all durations are ms of event time. As in Apache Flink, windows of a fixed length are aligned
 * to the epoch, moved on by `offsetMs`, and their end is not in them. A session ends `gapMs` after its newest event, and at the
 * latest `maxMs` after its first one; an event at that very time begins another.
 */
export type WindowForm =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs?: number }
  | { readonly kind: 'hopping'; readonly sizeMs: number; readonly everyMs: number; readonly offsetMs?: number }
  | { readonly kind: 'session'; readonly gapMs: number; readonly maxMs?: number };

/** See `FeatureFn`: the same over the events of a window. */
export type WindowFn = Exclude<FeatureFn, 'since'>;

/** A statistic over the events of a window. */
export interface WindowAggregate {
  readonly name: string;
  readonly fn: WindowFn;
  /** Absent for `count` alone. Events without it are left out. */
  readonly field?: string;
  /** For `quantile` alone: 0 to 1. */
  readonly q?: number;
  /** Which events of the window count; absent: all. Must look at the event alone. */
  readonly where?: Expr;
}

/**
 * Makes a pattern of one step one that emits by itself: the step says which events count, and each window that has any gives one match
 * when it ends. Expressions speak of what came out by the names of `aggregates` and `WINDOW_FIELDS`, as fields of one event.
 */
export interface PatternWindow {
  readonly form: WindowForm;
  readonly aggregates: readonly WindowAggregate[];
  /** Which windows give a match; absent: all. */
  readonly having?: Expr;
  /** How many of its newest events a match has; default 1. */
  readonly events?: number;
}

/** What every window tells beside its aggregates: when it begins and ends, and the times of its first and last event, in ms. */
export const WINDOW_FIELDS = ['windowStart', 'windowEnd', 'firstTime', 'lastTime'] as const;

/** The step that a window pattern has, unless its author gives it another name. */
export const WINDOW_STEP = 'window';

/** Most events that a match shows. */
export const WINDOW_EVENTS_MAX = 100;
/** Most parts that a window is put together of: it is as many times longer than the greatest common divisor of its length and pace. */
export const WINDOW_PARTS_MAX = 2000;

export function greatestCommonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}
