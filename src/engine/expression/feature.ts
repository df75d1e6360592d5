import type { Expr } from './expression.js';

/**
 * `since`: ms from the newest event before the one under test. `first` and `last` are numbers, texts or booleans, `distinct`
 * counts different ones; the others are numbers over numbers. `stddev` is that of the population; `quantile` is between two
 * values in a straight line, and `median` is that of 0.5.
 */
export type FeatureFn =
  | 'count'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'distinct'
  | 'stddev'
  | 'median'
  | 'quantile'
  | 'first'
  | 'last'
  | 'since';

/**
 * A statistic over a sliding window of the key's own events, exact at every event: over those whose time is at most `overMs`
 * before the event under test, itself included. It is part of the key's state, not of a run.
 */
export interface Feature {
  readonly fn: FeatureFn;
  /** Absent for `count` and `since` alone. Events without it are left out. */
  readonly field?: string;
  /** For `quantile` alone: 0 to 1. */
  readonly q?: number;
  /** Length of the window, in ms; an event exactly so old still counts. */
  readonly overMs: number;
  /**
   * How long before the event under test the window ends, in ms, above 0: it is that of events at `time - lagMs - overMs` to
   * `time - lagMs`, and the event under test is not in it. Absent: the window ends with the event under test.
   */
  readonly lagMs?: number;
  /** Which events count; absent: all. Must look at the event alone. */
  readonly where?: Expr;
}

/** Whether the feature's value can be other than a number. */
export const isScalarFeature = ({ fn }: Feature): boolean => fn === 'first' || fn === 'last';
