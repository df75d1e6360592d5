import type { Pattern } from '../pattern/pattern.js';
import type { PatternProblem } from '../pattern/problem.js';
import { stepPath } from '../pattern/step-path.js';
import type { Action, State, StateType } from './automaton.js';
import type { Guard } from './guard.js';

export class UnsupportedPattern extends Error {
  constructor(readonly problem: PatternProblem) {
    super(problem.message);
  }
}

/** States and transitions that an automaton may have: compiling it takes time and memory in proportion to them. */
const SIZE_MAX = 50_000;

/** The states of an automaton while it is built: each has a name of its own, and there is a bound on them. */
export class StateSet {
  readonly states: State[] = [];
  private readonly names = new Set<string>();
  /** By name: the number that its next state is tried with. */
  private readonly nextNumber = new Map<string, number>();
  private size = 0;

  constructor(private readonly pattern: Pattern) {}

  add(baseName: string, type: StateType): State {
    const state: State = {
      index: this.states.length,
      name: this.nameLike(baseName),
      step: originalName(baseName),
      type,
      transitions: [],
      gapMs: 0,
    };
    this.states.push(state);
    this.grow(state);
    return state;
  }

  link(from: State, action: Action, target: State, guard: Guard): void {
    from.transitions.push({ action, target, guard });
    this.grow(from);
  }

  private nameLike(baseName: string): string {
    let name = baseName;
    let number = this.nextNumber.get(baseName) ?? 0;
    for (; this.names.has(name); number++) name = `${baseName}:${number}`;
    this.nextNumber.set(baseName, number);
    this.names.add(name);
    return name;
  }

  private grow(at: State): void {
    if (++this.size <= SIZE_MAX) return;
    throw new UnsupportedPattern({
      code: 'automaton-too-large',
      message: `The pattern has more than ${SIZE_MAX} states and transitions: each repetition of a step and each optional step has some of its own, more with each negation before it.`,
      path: stepPath(this.pattern, at.step),
    });
  }
}

const originalName = (stateName: string): string => stateName.split(':')[0]!;
