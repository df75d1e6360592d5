import { somePatterns } from './random-batches.js';
import { GRAPH, GRAPH_THROUGH_BYTES } from './run-graph.js';
import { ALONE, amongOthers, type Engine, LOOKED_AT_FIRST, THROUGH_BYTES, TOGETHER } from './run-patterns.js';

/** All ways of running a pattern, which must all find what the oracle finds. */
export const ENGINES: readonly Engine[] = [
  ALONE,
  TOGETHER,
  LOOKED_AT_FIRST,
  THROUGH_BYTES,
  amongOthers(somePatterns(40)),
  GRAPH,
  GRAPH_THROUGH_BYTES,
];
