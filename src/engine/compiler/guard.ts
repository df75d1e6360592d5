import type { Condition } from '../expression/expression.js';
import type { Step } from '../pattern/pattern.js';

/** The condition of a transition: conditions of the pattern, combined while the automaton is built. */
export type Guard =
  | { readonly op: 'true' }
  | { readonly op: 'leaf'; readonly condition: Condition }
  | { readonly op: 'kind'; readonly subtype: string }
  | { readonly op: 'not'; readonly arg: Guard }
  | { readonly op: 'and'; readonly left: Guard; readonly right: Guard };

export const TRUE: Guard = { op: 'true' };

export function and(left: Guard, right: Guard): Guard {
  if (left.op === 'true') return right;
  if (right.op === 'true') return left;
  return { op: 'and', left, right };
}

export function not(arg: Guard): Guard {
  return arg.op === 'not' ? arg.arg : { op: 'not', arg };
}

export const isNever = (guard: Guard): boolean => guard.op === 'not' && guard.arg.op === 'true';

/** No guard of a loop holds for an event that fits its `until`. */
export function unless(until: Guard | null, guard: Guard): Guard {
  return until === null ? guard : and(not(until), guard);
}

/** What an event must fulfil for the step to take it. */
export function conditionOf(step: Step): Guard {
  if (step.kind === 'group') return TRUE;
  const where: Guard = step.where ? { op: 'leaf', condition: step.where } : TRUE;
  return step.subtype === undefined ? where : and({ op: 'kind', subtype: step.subtype }, where);
}

/** The conditions that a guard is made of. */
export function leavesOf(guard: Guard): readonly Condition[] {
  switch (guard.op) {
    case 'leaf':
      return [guard.condition];
    case 'not':
      return leavesOf(guard.arg);
    case 'and':
      return [...leavesOf(guard.left), ...leavesOf(guard.right)];
    default:
      return [];
  }
}
