import { type CompiledState, PROCEED, TAKE } from './compiled-state.js';

/**
 * The steps of which an event would complete a run in this state, which is then one event short of a match; `null`: it is not, or it has
 * had a match already. `steps`: their names, by number.
 */
export function completingSteps(state: CompiledState, steps: readonly string[]): readonly string[] | null {
  if (state.isStart || state.isFinal || state.isStop || state.isPending || state.mayComplete) return null;
  const completing = new Set<string>();
  const seen = new Set([state]);
  for (const from of seen) {
    for (const { action, target } of from.transitions) {
      if (action === TAKE && (target.isFinal || target.mayComplete)) completing.add(steps[from.step]!);
      if (action === PROCEED && !target.isStop) seen.add(target);
    }
  }
  return completing.size === 0 ? null : [...completing];
}
