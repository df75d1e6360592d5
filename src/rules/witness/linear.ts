import type { EventStep, Expr, Step } from '../../engine/index.js';

/** A place in the shortest way through a pattern: an event of the step. */
export interface Place {
  readonly step: EventStep;
  /** All that the step asks of an event. */
  readonly condition: Expr;
}

/** Longer ways are not looked for. */
const PLACES_MAX = 60;

/** The shortest way through a pattern: each step as seldom as it may be, none that may be absent; `null`: too long. */
export function shortestWay(
  steps: readonly Step[],
  kinds: (subtype: string) => readonly string[],
): readonly Place[] | null {
  const places = placesOf(steps, kinds);
  return places.length > PLACES_MAX ? null : places;
}

function placesOf(steps: readonly Step[], kinds: (subtype: string) => readonly string[]): readonly Place[] {
  return steps.flatMap((step): readonly Place[] => {
    const from = step.quantifier?.from ?? 1;
    if (step.optional === true || from === 0 || step.contiguity === 'notNext' || step.contiguity === 'notFollowedBy')
      return [];
    const once = step.kind === 'group' ? placesOf(step.steps, kinds) : [{ step, condition: conditionOf(step, kinds) }];
    return Array.from({ length: Math.min(from, PLACES_MAX + 1) }, () => once).flat();
  });
}

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
