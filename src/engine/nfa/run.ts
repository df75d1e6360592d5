import type { MatchNode } from '../buffer/match-node.js';

/**
 * A run: one partial match. Runs never change, so that a key's state shares all it can with the state before.
 */
export interface Run {
  /** Index of the state in the compiled pattern. */
  readonly state: number;
  /** Newest event taken; `null` for the start run alone. */
  readonly head: MatchNode | null;
  /** Time of the first event, in ms; of the start run: 0. */
  readonly startTime: number;
  /** `seq` of the first event; of the start run: infinity, so that it sorts last. */
  readonly startSeq: number;
  /** Time of the newest event, in ms. */
  readonly previousTime: number;
}

/**
 * All that one pattern knows of one key. Both lists are binary heaps in array form, ordered by the first event of the run;
 * the arrangement inside is significant where a skip strategy keeps the first of several equals.
 */
export interface PatternState {
  readonly partial: readonly Run[];
  /** Completed, but held back by a skip strategy while an earlier run is alive. */
  readonly completed: readonly Run[];
}
