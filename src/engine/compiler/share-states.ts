import type { CompiledState } from './compiled-state.js';
import { componentsOf } from './components.js';

/** States of a pattern compiled before, each of which can be reached from all others; by what they say and lead to. */
export type KnownStates = Map<string, { readonly id: number; readonly states: readonly CompiledState[] }>;

/**
 * Replaces the states of a pattern by equal ones of patterns compiled before. Two states are equal when all that can be reached
 * from them is. So a thousand patterns of one form have few states between them, which stay in the processor's cache.
 */
export function shareStates(states: readonly CompiledState[], known: KnownStates): readonly CompiledState[] {
  const shared: CompiledState[] = [...states];
  /** By state: the group that it is in. */
  const groupIds: number[] = [];
  for (const component of componentsOf(states)) {
    const group = component.toSorted((a, b) => a.index - b.index);
    const own = new Set(group);
    const beyond = group.flatMap((state) => state.transitions.map((t) => t.target)).filter((t) => !own.has(t));
    const ids = [...new Set(beyond.map(({ index }) => groupIds[index]!))].sort((a, b) => a - b);
    const key = [...group.map(describe), ids.join()].join('\n');
    const before = known.get(key) ?? { id: known.size, states: group };
    known.set(key, before);
    for (const state of before.states) {
      shared[state.index] = state;
      groupIds[state.index] = before.id;
    }
  }
  for (const state of new Set(shared)) {
    if (state !== states[state.index]) continue;
    const transitions = state.transitions.map((t) => ({ ...t, target: shared[t.target.index]! }));
    (state as { transitions: CompiledState['transitions'] }).transitions = transitions;
  }
  return shared;
}

function describe(state: CompiledState): string {
  const { transitions, interest, startRun, ...plain } = state;
  const edges = transitions.map(({ action, target, literal }) => [
    action,
    target.index,
    literal?.negated ?? false,
    literal?.predicate.key ?? '',
  ]);
  return JSON.stringify([Object.values(plain), startRun.state, edges]);
}
