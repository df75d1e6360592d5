import type { EngineEvent } from '../event.js';
import type { MatchNode } from './match-node.js';

/**
 * A run: one partial match. Runs never change, so that a key's state shares all it can with the state before. A run is three
 * words: times and places in the order are those of its events.
 */
export interface Run {
  /** Index of the state in the compiled pattern. */
  readonly state: number;
  /** Newest event taken; `null` for the start run alone. */
  readonly head: MatchNode | null;
  /** First event taken; `null` for the start run alone. */
  readonly first: EngineEvent | null;
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

const startRuns: Run[] = [];

/** The run that waits in the start state: the same object for all patterns whose start state has this index. */
export function startRun(state: number): Run {
  startRuns[state] ??= { state, head: null, first: null };
  return startRuns[state];
}
