import type { Expr } from './expression.js';

export type FeatureFn = 'count' | 'sum' | 'avg' | 'min' | 'max';

/**
 * A statistic over a sliding window of the key's own events, exact at every event: over those whose time is at most `overMs`
 * before the event under test, itself included. It is part of the key's state, not of a run.
 */
export interface Feature {
  readonly fn: FeatureFn;
  /** Numeric field; absent for `count` alone. Events without it are left out. */
  readonly field?: string;
  /** Length of the window, in ms; an event exactly so old still counts. */
  readonly overMs: number;
  /** Which events count; absent: all. Must look at the event alone. */
  readonly where?: Expr;
}
