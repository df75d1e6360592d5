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

/** Whether the feature's value can be other than a number. */
export const isScalarFeature = ({ fn }: { readonly fn: FeatureFn }): boolean => fn === 'first' || fn === 'last';
