import type { GroupStep, Pattern, Step } from '../../src/engine/index.js';

/**
 * Places in the structure of a pattern: what of it is still to come. Nothing is built beforehand and nothing is numbered; a
 * place is found from the one before by going forwards through the steps as they are written.
 */

/** The steps of the pattern, or of one repetition of a group. */
export interface Scope {
  readonly steps: readonly Step[];
  /** The group and its place; `null`: the pattern itself. */
  readonly group: { readonly step: GroupStep; readonly place: Place } | null;
}

/** Right before one more occurrence of a step. */
export interface Place {
  readonly scope: Scope;
  readonly index: number;
  /** Occurrences so far. */
  readonly done: number;
  /** The greedy steps right before: they get first whatever fits them. */
  readonly bars: readonly { readonly step: Step; readonly scope: Scope }[];
  /** `notFollowedBy` steps before this one that no longer matter, because an optional step after them has its event. */
  readonly lifted: readonly Step[];
  /** No longest wait holds here. */
  readonly untimed: boolean;
}

export const END = 'end';
export type Next = Place | typeof END;

export const isOptional = (step: Step): boolean => step.optional === true || step.quantifier?.from === 0;
export const stepAt = (place: Place): Step => place.scope.steps[place.index]!;
export const leastOf = (step: Step): number => Math.max(1, step.quantifier?.from ?? 1);
export const mostOf = (step: Step): number => (step.quantifier ? (step.quantifier.to ?? Number.POSITIVE_INFINITY) : 1);

/** A further occurrence of a step without upper bound, once it has as many as it must have. */
export const isLoop = (place: Place): boolean =>
  mostOf(stepAt(place)) === Number.POSITIVE_INFINITY && place.done >= leastOf(stepAt(place));

/** The step may be left, for what follows it. */
export const mayPass = (place: Place): boolean =>
  place.done === 0 ? isOptional(stepAt(place)) : place.done >= leastOf(stepAt(place));

/** A `notFollowedBy` that stands where a place can be is the last step, and is waited for until the window ends. */
export const isPending = (place: Place): boolean => stepAt(place).contiguity === 'notFollowedBy';

export class Places {
  readonly start: Next;
  /** Window of the whole match in ms; 0: none. */
  readonly windowMs: number;

  constructor(
    private readonly pattern: Pattern,
    private readonly quantifierGap: 'flink' | 'every',
  ) {
    const last = pattern.steps.at(-1)!;
    const windows = [pattern.withinMs ?? last.withinMs, ...innerWindows(pattern.steps)].filter(
      (ms) => ms !== undefined,
    );
    this.windowMs = windows.length === 0 ? 0 : Math.min(...windows);
    this.start = this.enter({ steps: pattern.steps, group: null }, 0);
  }

  /** The first place at or after the step: a `notFollowedBy` has none, unless it is the end. */
  enter(scope: Scope, index: number): Next {
    const step = scope.steps[index];
    if (step === undefined) return scope.group === null ? END : this.after(scope.group.place);
    const place = { scope, index, done: 0, bars: [], lifted: [], untimed: false };
    if (step.contiguity !== 'notFollowedBy') return place;
    const rest = this.enter(scope, index + 1);
    return rest === END && this.waitsForAbsence(scope, index) ? place : rest;
  }

  /** Where a partial match stands after one more occurrence. */
  after(place: Place): Next {
    const done = place.done + 1;
    if (done >= mostOf(stepAt(place))) return this.beyond(place);
    const untimed = stepAt(place).kind === 'group' && isLoop(place);
    return { ...place, done, bars: [], lifted: [], untimed };
  }

  /** What follows the step. */
  beyond(place: Place): Next {
    const step = stepAt(place);
    const next = this.enter(place.scope, place.index + 1);
    if (next === END || !step.greedy || leastOf(step) === mostOf(step)) return next;
    return { ...next, bars: [...next.bars, { step, scope: place.scope }] };
  }

  /** The same, for an event that ends a greedy loop. */
  beyondUngreedy(place: Place): Next {
    const next = this.enter(place.scope, place.index + 1);
    return next === END ? END : { ...next, untimed: true };
  }

  /** The first place inside the group. */
  head(place: Place): Place {
    const step = stepAt(place) as GroupStep;
    return this.enter({ steps: step.steps, group: { step, place } }, 0) as Place;
  }

  /** Longest wait since the event before, for a partial match that stands here; 0: none. */
  gapMs(place: Place): number {
    if (place.untimed) return 0;
    const step = stepAt(place);
    if (step.kind === 'group') return this.gapMs(this.head(place));
    if (step.quantifier === undefined) return this.gapOf(place.scope, place.index) ?? 0;
    if (this.quantifierGap === 'every') return 0;
    return isLoop(place) || place.done === mostOf(step) - 1 ? 0 : (step.quantifier.gapMs ?? 0);
  }

  private gapOf(scope: Scope, index: number): number | undefined {
    const isLast = scope.group === null && index === scope.steps.length - 1;
    return (isLast ? this.pattern.gapMs : undefined) ?? scope.steps[index]!.gapMs;
  }

  /** An absence at the end is waited for where a window is given for the pattern, or on a step from this one on. */
  private waitsForAbsence(scope: Scope, index: number): boolean {
    if (this.gapOf(scope, index) !== undefined) return true;
    const last = this.pattern.withinMs ?? this.pattern.steps.at(-1)!.withinMs;
    return [last, ...windowsFrom(scope, index)].some((ms) => ms !== undefined && ms > 0);
  }
}

/** Windows given on the step and those after it, in its scope and those around; the last step of a scope does not count. */
function windowsFrom({ steps, group }: Scope, index: number): (number | undefined)[] {
  const own = steps.slice(index, -1).map((step) => step.withinMs);
  return group === null ? own : [...own, ...windowsFrom(group.place.scope, group.place.index)];
}

/** Windows given on steps; one on the last step of a group does not count. */
function innerWindows(steps: readonly Step[]): (number | undefined)[] {
  return steps.flatMap((step, i) => [
    i < steps.length - 1 ? step.withinMs : undefined,
    ...(step.kind === 'group' ? innerWindows(step.steps) : []),
  ]);
}

/** The `notFollowedBy` steps right before a step; optional steps between them do not matter. */
export function negationsBefore(place: Place): Step[] {
  const found: Step[] = [];
  for (let i = place.index - 1; i >= 0; i--) {
    const step = place.scope.steps[i]!;
    if (step.contiguity === 'notFollowedBy') found.push(step);
    else if (!isOptional(step)) break;
  }
  return found;
}

/** The `notFollowedBy` right after a step, which may be the one after its group. */
export function negationAfter(place: Place): Step[] {
  const next = place.scope.steps[place.index + 1];
  if (next !== undefined) return next.contiguity === 'notFollowedBy' ? [next] : [];
  return place.scope.group === null ? [] : negationAfter(place.scope.group.place);
}
