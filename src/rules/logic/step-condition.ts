import type { EventStep, Expr } from '../../engine/index.js';

/** All that a step asks of an event, its subtype included, as an expression; a function counts as true. */
export function conditionOf(step: EventStep, kinds: (subtype: string) => readonly string[]): Expr {
  const { where, subtype } = step;
  const parts: Expr[] = where === undefined || where.op === 'function' ? [] : [where];
  if (subtype !== undefined) parts.unshift({ op: 'in', left: { op: 'meta', name: 'kind' }, values: kinds(subtype) });
  return parts.length === 1 ? parts[0]! : { op: 'and', args: parts };
}

/** A kind with all that derive from it. */
export function kindsBelow(parents: ReadonlyMap<string, string>): (subtype: string) => readonly string[] {
  return (subtype) => {
    const kinds = [subtype];
    for (const kind of kinds)
      for (const [derived, parent] of parents) if (parent === kind && !kinds.includes(derived)) kinds.push(derived);
    return kinds;
  };
}
