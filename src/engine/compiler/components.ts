import type { CompiledState } from './compiled-state.js';

/**
 * The states in groups, in each of which all can be reached from all others; each group comes after those that it leads to
 * (R. Tarjan, 1972). The way there is kept here rather than as calls, which long patterns would have too many of.
 */
export function componentsOf(states: readonly CompiledState[]): readonly (readonly CompiledState[])[] {
  const found: CompiledState[][] = [];
  /** By state: when it was entered (-1: not yet), and the earliest such number of an open state that it leads to. */
  const entered = new Int32Array(states.length).fill(-1);
  const earliest = new Int32Array(states.length);
  /** Entered, and not in a group yet. */
  const open: CompiledState[] = [];
  const isOpen = new Uint8Array(states.length);
  const path: { readonly state: CompiledState; next: number }[] = [];
  let count = 0;

  const enter = (state: CompiledState): void => {
    entered[state.index] = earliest[state.index] = count++;
    open.push(state);
    isOpen[state.index] = 1;
    path.push({ state, next: 0 });
  };
  const leadsTo = ({ index }: CompiledState, number: number): void => {
    earliest[index] = Math.min(earliest[index]!, number);
  };
  const leave = (state: CompiledState): void => {
    path.pop();
    const before = path.at(-1);
    if (before !== undefined) leadsTo(before.state, earliest[state.index]!);
    if (earliest[state.index] !== entered[state.index]) return;
    const group = open.splice(open.lastIndexOf(state));
    for (const { index } of group) isOpen[index] = 0;
    found.push(group);
  };

  for (const root of states) {
    if (entered[root.index] === -1) enter(root);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const target = at.state.transitions[at.next++]?.target;
      if (target === undefined) leave(at.state);
      else if (entered[target.index] === -1) enter(target);
      else if (isOpen[target.index] === 1) leadsTo(at.state, entered[target.index]!);
    }
  }
  return found;
}
