import type { Automaton, AutomatonTransition } from '../api/types.js';

export interface Box {
  readonly state: number;
  /** Column and row of the grid. */
  readonly column: number;
  readonly row: number;
}

export interface Link extends AutomatonTransition {
  /** Several transitions between the same states lie side by side. */
  readonly beside: number;
  readonly kind: 'self' | 'forward' | 'back' | 'across';
}

export interface Layout {
  readonly boxes: readonly Box[];
  readonly links: readonly Link[];
  readonly columns: number;
  readonly rows: number;
}

/**
 * Places the states of an automaton on a grid: columns by the longest way from the start that does not come back, rows within a column in
 * the order in which states are reached; stop states below the others. The final state stands alone in the last column.
 */
export function layOut({ states, transitions, start }: Automaton): Layout {
  const next = states.map((_, from) =>
    transitions.filter((link) => link.from === from && link.to !== from).map(({ to }) => to),
  );
  const depth = depths(next, start);
  const finals = states.flatMap(({ type }, n) => (type === 'final' ? [n] : []));
  const deepest = Math.max(...depth.filter((_, n) => !finals.includes(n)), 0);
  for (const n of finals) depth[n] = deepest + 1;
  const rows = new Map<number, number>();
  const order = states.map((_, n) => n).sort((a, b) => Number(isStop(a)) - Number(isStop(b)) || a - b);
  function isStop(n: number): boolean {
    return states[n]!.type === 'stop';
  }
  const boxes = order.map((state): Box => {
    const column = depth[state]!;
    const row = isStop(state) ? Math.max(1, rows.get(column) ?? 0) : (rows.get(column) ?? 0);
    rows.set(column, row + 1);
    return { state, column, row };
  });
  const seen = new Map<string, number>();
  const links = transitions.map((link): Link => {
    const pair = `${link.from} ${link.to}`;
    const beside = seen.get(pair) ?? 0;
    seen.set(pair, beside + 1);
    return { ...link, beside, kind: kindOf(link, depth) };
  });
  return {
    ...{ boxes: boxes.sort((a, b) => a.state - b.state), links },
    columns: Math.max(...depth) + 1,
    rows: Math.max(...rows.values(), 1),
  };
}

function kindOf({ from, to }: AutomatonTransition, depth: readonly number[]): Link['kind'] {
  if (from === to) return 'self';
  const by = depth[to]! - depth[from]!;
  return by > 0 ? 'forward' : by < 0 ? 'back' : 'across';
}

/** Longest ways from the start, links that lead back into the way left out. */
function depths(next: readonly (readonly number[])[], start: number): number[] {
  const depth = next.map(() => 0);
  const onWay = new Set<number>();
  const visit = (state: number, at: number): void => {
    if (onWay.has(state) || (at <= depth[state]! && at > 0)) return;
    depth[state] = Math.max(at, depth[state]!);
    onWay.add(state);
    for (const to of next[state]!) visit(to, at + 1);
    onWay.delete(state);
  };
  visit(start, 0);
  return depth;
}
