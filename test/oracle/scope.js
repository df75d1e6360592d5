import { isOptional } from './place.js';
/**
 * What is left out, because its meaning is that of Flink's construction and cannot be told from the structure of the pattern.
 * The conformance corpus has cases of each.
 *
 * 1. `greedy` on the step that ends a repeated or optional group: the construction narrows what follows the group for every
 *    way that leads there, also for those that do not come from the greedy step, or narrows too little.
 * 2. A longest wait in a quantifier of, or within, a repeated group: only the copy of the step that happens to be made first has none for its
 *    last occurrence.
 * 3. An optional greedy loop right after `notFollowedBy`: what follows is narrowed in one copy and not in the other.
 * 4. An optional step right after `notFollowedBy` at the end of a group without upper bound: what follows is copied before it is complete,
 *    so a repetition that has an event for this step comes to nothing.
 */
export function outOfScope(pattern) {
  return stepsOutOfScope(pattern.steps, []);
}
/** `groups`: those around the steps, innermost first. */
function stepsOutOfScope(steps, groups) {
  for (const [i, step] of steps.entries()) {
    const reason = stepOutOfScope(steps, i, groups);
    if (reason !== null) return reason;
    if (step.kind !== 'group') continue;
    const inner = stepsOutOfScope(step.steps, [step, ...groups]);
    if (inner !== null) return inner;
  }
  return null;
}
function stepOutOfScope(steps, i, groups) {
  const step = steps[i];
  if (step.greedy && endsSpecialGroup(steps, i, groups)) return 'greedy at the end of a group';
  const inRepeated = step.kind === 'group' || groups.some((group) => group.quantifier !== undefined);
  if (step.quantifier?.gapMs !== undefined && inRepeated) return 'longest wait in a repeated group';
  if (!isOptional(step) || !isAfterNegation(steps, i)) return null;
  if (step.greedy && step.quantifier?.to === null) return 'optional greedy loop after notFollowedBy';
  return mayEndLoop(steps, i, groups) ? 'optional step after notFollowedBy at the end of a loop' : null;
}
function mayEndLoop(steps, i, groups) {
  const [group, ...outer] = groups;
  const mayEnd = steps.slice(i + 1).every((step) => step.contiguity === 'notFollowedBy' || isOptional(step));
  if (group === undefined || !mayEnd) return false;
  if (group.quantifier?.to === null) return true;
  const around = outer[0]?.steps;
  return around !== undefined && mayEndLoop(around, around.indexOf(group), outer);
}
function endsSpecialGroup(steps, i, groups) {
  const [group, ...outer] = groups;
  if (group === undefined || steps.slice(i + 1).some((step) => step.contiguity !== 'notFollowedBy')) return false;
  if (group.quantifier !== undefined || isOptional(group)) return true;
  const around = outer[0]?.steps;
  return around !== undefined && endsSpecialGroup(around, around.indexOf(group), outer);
}
function isAfterNegation(steps, i) {
  const before = steps[i - 1];
  if (before === undefined) return false;
  return before.contiguity === 'notFollowedBy' || (isOptional(before) && isAfterNegation(steps, i - 1));
}
