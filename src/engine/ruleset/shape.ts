import type { RuleSet } from './rule-set.js';

/**
 * What the runs under way of a slot are made of: steps, states and the ways between them, and how runs are kept. Conditions,
 * constants and windows are not in it: runs of one slot can go on in another of the same shape.
 */
export function shapeOf(rules: RuleSet, slot: number): string {
  const { pattern, shares } = rules.slots[slot]!;
  const { steps, skip, skipStep, states } = pattern;
  const ways = states.map((state) => [
    state.name,
    state.step,
    [state.isStart, state.isFinal, state.isStop, state.isPending],
    state.transitions.map(({ action, target }) => [action, target.index]),
  ]);
  const parts = [shares, steps, skip, skipStep, ways];
  return JSON.stringify(pattern.window === null ? parts : [...parts, pattern.window.shape]);
}
