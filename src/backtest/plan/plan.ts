import type { Rule } from '../../rules/rule.js';

/** A rule set as a part of a plan. */
export interface PlannedSet {
  readonly name: string;
  /** Indices of its rules in the plan, in the order of the set. */
  readonly rules: readonly number[];
}

/**
 * Several rule sets that run in one pass over the events. A rule that stands in several of them, with one meaning, runs once; so a
 * comparison or a sweep costs what is different.
 */
export interface Plan {
  readonly rules: readonly Rule[];
  /** The first is the one that is measured in full; digest and samples are of its alerts. */
  readonly sets: readonly [PlannedSet, ...PlannedSet[]];
}

export function planOf(main: readonly Rule[], others: readonly (readonly [string, readonly Rule[]])[] = []): Plan {
  const rules: Rule[] = [];
  const places = new Map<string, number>();
  const placeOf = (rule: Rule): number => {
    const identity = JSON.stringify([rule.id, rule.revision, rule.accuses ?? null]);
    const known = places.get(identity) ?? rules.push(rule) - 1;
    places.set(identity, known);
    return known;
  };
  const setOf = (name: string, own: readonly Rule[]): PlannedSet => ({ name, rules: own.map(placeOf) });
  const first = setOf('', main);
  return { sets: [first, ...others.map(([name, own]) => setOf(name, own))], rules };
}
