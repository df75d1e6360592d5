import type { Guard } from './guard.js';

/**
 * The automaton of one pattern, in the vocabulary of Flink CEP's NFA.
 *
 * A run (a partial match) is in one state. For an event, a *take* adds the event to the run and moves on, an *ignore* moves
 * on without it, and a *proceed* is an epsilon transition: the event is tried on its target as well. The order of a state's
 * transitions is significant: it decides the order of results.
 */
export type Action = 'take' | 'ignore' | 'proceed';

/** `pending`: an absence at the end, which completes when the window ends. `stop`: reaching it discards the run. */
export type StateType = 'normal' | 'final' | 'stop' | 'pending';

export interface Transition {
  readonly action: Action;
  readonly target: State;
  guard: Guard;
}

export interface State {
  readonly index: number;
  /** Unique within the automaton: the step's name, then `name:0`, `name:1` … */
  readonly name: string;
  /** Name of the step the state was made for. */
  readonly step: string;
  readonly type: StateType;
  readonly transitions: Transition[];
  /** Longest wait since the event before, in ms; 0: none. */
  gapMs: number;
}

export interface Automaton {
  readonly states: readonly State[];
  readonly start: State;
  /** Window of the whole match, in ms; 0: none. */
  readonly windowMs: number;
  /** Names of the event steps that can hold events, in the pattern's order. */
  readonly steps: readonly string[];
}
