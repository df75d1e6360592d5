import type { CompiledState } from './compile.js';

/**
 * Replaces the states of a pattern by equal ones of patterns compiled before. Two states are equal when all that can be reached
 * from them is. So a thousand patterns of one form have few states between them, which stay in the processor's cache.
 */
export function shareStates(
  states: readonly CompiledState[],
  known: Map<string, CompiledState>,
): readonly CompiledState[] {
  const own = states.map(describe);
  const shared = states.map((state) => {
    const key = [...reachable(state)].map((index) => own[index]).join('\n');
    const before = known.get(key);
    if (before === undefined) known.set(key, state);
    return before ?? state;
  });
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

/** Indices of the states that can be reached, the state's own first. */
function reachable(from: CompiledState): ReadonlySet<number> {
  const seen = new Set([from]);
  for (const state of seen) for (const t of state.transitions) seen.add(t.target);
  return new Set([...seen].map((state) => state.index));
}
