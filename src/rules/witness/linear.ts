import type { EventStep, Expr, Step } from '../../engine/index.js';
import { conditionOf } from '../logic/step-condition.js';

/** A place in the shortest way through a pattern: an event of the step, or of `notNext` one that does not fit it. */
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
  return steps.flatMap((step, i): readonly Place[] => {
    if (step.kind === 'event' && step.contiguity === 'notNext') {
      // Some other event must be next, unless the step after it is.
      const condition: Expr = { op: 'not', arg: conditionOf(step, kinds) };
      return steps[i + 1]?.contiguity === 'next' ? [] : [{ step, condition }];
    }
    const from = step.quantifier?.from ?? 1;
    if (step.optional === true || from === 0 || step.contiguity === 'notFollowedBy') return [];
    const once = step.kind === 'group' ? placesOf(step.steps, kinds) : [{ step, condition: conditionOf(step, kinds) }];
    return Array.from({ length: Math.min(from, PLACES_MAX + 1) }, () => once).flat();
  });
}
