import { somePatterns } from './random/batches.js';
import { GRAPH, GRAPH_THROUGH_BYTES } from './run-graph.js';
import {
  amongOthers,
  type Engine,
  RULE_SET,
  RULE_SET_LOOKED_AT,
  RULE_SET_OF_RUNS,
  RULE_SET_THROUGH_BYTES,
  RULE_SET_WITH_TIMEOUTS,
  RUNNER,
  RUNNER_EVERY_GAP,
  RUNS_THROUGH_BYTES,
} from './run-patterns.js';

/** All ways of running a pattern, which must all find what the oracle finds. */
export const ENGINES: readonly Engine[] = [
  RUNNER,
  RUNNER_EVERY_GAP,
  RULE_SET,
  RULE_SET_OF_RUNS,
  RULE_SET_WITH_TIMEOUTS,
  RULE_SET_LOOKED_AT,
  RULE_SET_THROUGH_BYTES,
  RUNS_THROUGH_BYTES,
  amongOthers(somePatterns(40)),
  GRAPH,
  GRAPH_THROUGH_BYTES,
];
