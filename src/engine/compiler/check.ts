import type { Pattern } from '../pattern/pattern.js';
import type { PatternProblem } from '../pattern/problem.js';
import { stepPath } from '../pattern/step-path.js';
import type { Automaton, State } from './automaton.js';

/**
 * Finds automata that have no meaning: an epsilon cycle (a loop whose body can be passed without an event would never come
 * to an end), and a negation that is reached before any event (there is no match that it could end).
 */
export function checkAutomaton(automaton: Automaton, pattern: Pattern): readonly PatternProblem[] {
  const problems: PatternProblem[] = [];
  const loop = findProceedCycle(automaton);
  if (loop !== null) {
    problems.push({
      code: 'empty-loop',
      message: `The group around ${loop} repeats and can be passed without an event: make one of its steps mandatory.`,
      // Of the group around the step.
      path: stepPath(pattern, loop).slice(0, -2),
    });
    return problems;
  }
  const stop = reachableByProceed(automaton.start).find((state) => state.type === 'stop' || state.type === 'pending');
  if (stop !== undefined) {
    problems.push({
      code: 'negation-before-first-event',
      message: `The negation ${stop.step} can be reached before any event has matched: put a mandatory step before it.`,
      path: stepPath(pattern, stop.step),
    });
  }
  return problems;
}

const proceedTargets = (state: State): State[] =>
  state.transitions.filter((t) => t.action === 'proceed').map((t) => t.target);

function findProceedCycle(automaton: Automaton): string | null {
  const done = new Set<State>();
  const path = new Set<State>();
  const visit = (state: State): string | null => {
    if (path.has(state)) return state.step === '$group' ? (proceedTargets(state)[0]?.step ?? 'it') : state.step;
    if (done.has(state)) return null;
    path.add(state);
    for (const target of proceedTargets(state)) {
      const found = visit(target);
      if (found !== null) return found;
    }
    path.delete(state);
    done.add(state);
    return null;
  };
  for (const state of automaton.states) {
    const found = visit(state);
    if (found !== null) return found;
  }
  return null;
}

function reachableByProceed(start: State): State[] {
  const seen = new Set<State>([start]);
  for (const state of seen) for (const target of proceedTargets(state)) seen.add(target);
  return [...seen];
}
