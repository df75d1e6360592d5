import { looksBack } from '../expression/analysis.js';
import type { Condition } from '../expression/expression.js';

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

/** Whether the guard depends on events that the run has matched. */
export function guardLooksBack(guard: Guard): boolean {
  switch (guard.op) {
    case 'leaf':
      return looksBack(guard.condition);
    case 'not':
      return guardLooksBack(guard.arg);
    case 'and':
      return guardLooksBack(guard.left) || guardLooksBack(guard.right);
    default:
      return false;
  }
}
