export const END = 'end';
export const isOptional = (step) => step.optional === true || step.quantifier?.from === 0;
export const stepAt = (place) => place.scope.steps[place.index];
export const leastOf = (step) => Math.max(1, step.quantifier?.from ?? 1);
export const mostOf = (step) => (step.quantifier ? (step.quantifier.to ?? Number.POSITIVE_INFINITY) : 1);
/** A further occurrence of a step without upper bound, once it has as many as it must have. */
export const isLoop = (place) =>
  mostOf(stepAt(place)) === Number.POSITIVE_INFINITY && place.done >= leastOf(stepAt(place));
/** The step may be left, for what follows it. */
export const mayPass = (place) => (place.done === 0 ? isOptional(stepAt(place)) : place.done >= leastOf(stepAt(place)));
/** A `notFollowedBy` that stands where a place can be is the last step, and is waited for until the window ends. */
export const isPending = (place) => stepAt(place).contiguity === 'notFollowedBy';
export class Places {
  pattern;
  quantifierGap;
  start;
  /** Window of the whole match in ms; 0: none. */
  windowMs;
  constructor(pattern, quantifierGap) {
    this.pattern = pattern;
    this.quantifierGap = quantifierGap;
    const last = pattern.steps.at(-1);
    const windows = [pattern.withinMs ?? last.withinMs, ...innerWindows(pattern.steps)].filter(
      (ms) => ms !== undefined,
    );
    this.windowMs = windows.length === 0 ? 0 : Math.min(...windows);
    this.start = this.enter({ steps: pattern.steps, group: null }, 0);
  }
  /** The first place at or after the step: a `notFollowedBy` has none, unless it is the end. */
  enter(scope, index) {
    const step = scope.steps[index];
    if (step === undefined) return scope.group === null ? END : this.after(scope.group.place);
    const place = { scope, index, done: 0, bars: [], lifted: [], untimed: false };
    if (step.contiguity !== 'notFollowedBy') return place;
    const rest = this.enter(scope, index + 1);
    return rest === END && this.waitsForAbsence(scope, index) ? place : rest;
  }
  /** Where a partial match stands after one more occurrence. */
  after(place) {
    const done = place.done + 1;
    if (done >= mostOf(stepAt(place))) return this.beyond(place);
    const untimed = stepAt(place).kind === 'group' && isLoop(place);
    return { ...place, done, bars: [], lifted: [], untimed };
  }
  /** What follows the step. */
  beyond(place) {
    const step = stepAt(place);
    const next = this.enter(place.scope, place.index + 1);
    if (next === END || !step.greedy || leastOf(step) === mostOf(step)) return next;
    return { ...next, bars: [...next.bars, { step, scope: place.scope }] };
  }
  /** The same, for an event that ends a greedy loop. */
  beyondUngreedy(place) {
    const next = this.enter(place.scope, place.index + 1);
    return next === END ? END : { ...next, untimed: true };
  }
  /** The first place inside the group. */
  head(place) {
    const step = stepAt(place);
    return this.enter({ steps: step.steps, group: { step, place } }, 0);
  }
  /** Longest wait since the event before, for a partial match that stands here; 0: none. */
  gapMs(place) {
    if (place.untimed) return 0;
    const step = stepAt(place);
    if (step.kind === 'group') return this.gapMs(this.head(place));
    if (step.quantifier === undefined) return this.gapOf(place.scope, place.index) ?? 0;
    if (this.quantifierGap === 'every') return 0;
    return isLoop(place) || place.done === mostOf(step) - 1 ? 0 : (step.quantifier.gapMs ?? 0);
  }
  gapOf(scope, index) {
    const isLast = scope.group === null && index === scope.steps.length - 1;
    return (isLast ? this.pattern.gapMs : undefined) ?? scope.steps[index].gapMs;
  }
  /** An absence at the end is waited for where a window is given for the pattern, or on a step from this one on. */
  waitsForAbsence(scope, index) {
    if (this.gapOf(scope, index) !== undefined) return true;
    const last = this.pattern.withinMs ?? this.pattern.steps.at(-1).withinMs;
    return [last, ...windowsFrom(scope, index)].some((ms) => ms !== undefined && ms > 0);
  }
}
/** Windows given on the step and those after it, in its scope and those around; the last step of a scope does not count. */
function windowsFrom({ steps, group }, index) {
  const own = steps.slice(index, -1).map((step) => step.withinMs);
  return group === null ? own : [...own, ...windowsFrom(group.place.scope, group.place.index)];
}
/** Windows given on steps; one on the last step of a group does not count. */
function innerWindows(steps) {
  return steps.flatMap((step, i) => [
    i < steps.length - 1 ? step.withinMs : undefined,
    ...(step.kind === 'group' ? innerWindows(step.steps) : []),
  ]);
}
/** The `notFollowedBy` steps right before a step; optional steps between them do not matter. */
export function negationsBefore(place) {
  const found = [];
  for (let i = place.index - 1; i >= 0; i--) {
    const step = place.scope.steps[i];
    if (step.contiguity === 'notFollowedBy') found.push(step);
    else if (!isOptional(step)) break;
  }
  return found;
}
/** The `notFollowedBy` right after a step, which may be the one after its group. */
export function negationAfter(place) {
  const next = place.scope.steps[place.index + 1];
  if (next !== undefined) return next.contiguity === 'notFollowedBy' ? [next] : [];
  return place.scope.group === null ? [] : negationAfter(place.scope.group.place);
}
