import type { Run } from '../buffer/run.js';
import type { Literal, Test } from './predicate.js';

export const TAKE = 0;
export const IGNORE = 1;
export const PROCEED = 2;

export interface CompiledTransition {
  readonly action: typeof TAKE | typeof IGNORE | typeof PROCEED;
  readonly target: CompiledState;
  /** `null`: holds for every event. */
  readonly literal: Literal | null;
  /** The literal as a function. */
  readonly test: Test | null;
}

export interface CompiledState {
  readonly index: number;
  readonly name: string;
  readonly isStart: boolean;
  readonly isFinal: boolean;
  readonly isStop: boolean;
  readonly isPending: boolean;
  /** Longest wait since the event before, in ms; 0: none. */
  readonly gapMs: number;
  /** Index in `steps` of the step whose events it takes; -1: takes none. */
  readonly step: number;
  readonly transitions: readonly CompiledTransition[];
  /** The final state can be reached from here by proceeds, guards apart. */
  readonly mayComplete: boolean;
  /** Events that can begin a run (of the start state), or change one that is here. */
  readonly interest: Interest;
  /** Of the pattern: its window in ms (0: none), its start run, and that it emits each match at once. */
  readonly windowMs: number;
  readonly startRun: Run;
  readonly noSkip: boolean;
}

/**
 * Which events can matter, told from the event alone: one of the `terms` holds, all literals of which look at nothing else.
 * It is an approximation from above. What a condition asks of the run or of features counts as true here.
 */
export interface Interest {
  /** Equal for interests that mean the same. */
  readonly key: string;
  readonly terms: readonly Term[];
  /** One bit of 31, shared with other interests: a quick look at many at once. Bit 0 is that of `always` alone. */
  readonly bit: number;
  /** The event (`EventMark.now`) for which it was last found true. */
  seen: number;
}

export type Term = readonly Literal[];
