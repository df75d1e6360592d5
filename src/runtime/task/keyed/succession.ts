import { type KeyStateLayout, type RuleSet, shapeOf, windowIdsOf, windowsFrom } from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { KeySource } from './key-source.js';

/** How the states of an engine are read by the one that comes after it. */
export interface Succession extends KeyStateLayout {
  /** The slot after, by the slot before; `undefined`: what it had under way is forgotten. */
  readonly slots: readonly (number | undefined)[];
}

/** An engine, as far as others follow on it or were filled for it. */
export interface EngineOfRules extends KeySource {
  readonly rules: readonly Rule[];
  readonly ruleSet: RuleSet;
  /** All of its keys have come from where they were before. */
  readonly isWhole: boolean;
}

/** An engine that another takes the place of. */
export interface Predecessor {
  readonly engine: EngineOfRules;
  readonly way: Succession;
  /** Events that it has taken in have all that the rules after read. */
  readonly readsSame: boolean;
}

/**
 * Where the runs of rules go on when others take their place. A revision that is still there goes on as it was. One that was
 * replaced goes on in the new revision if that says `keep`, or says nothing, and both have one shape. The rest is forgotten, and so is what a
 * rule had that was let out of quarantine since.
 */
export function succession(before: EngineOfRules, after: EngineOfRules): Succession {
  const same = firstBy(after.rules, ({ id, revision }) => `${id} ${revision}`);
  const begun = firstBy(after.rules, ({ id, drains }) => (drains === true ? null : id));
  const slots = before.rules.map((old, slot) => {
    const there = same.get(`${old.id} ${old.revision}`);
    if (there !== undefined) return there;
    const next = begun.get(old.id);
    if (next === undefined || (after.rules[next]!.onUpdate ?? 'keep') !== 'keep') return undefined;
    // What it was stopped for may still be there.
    if ((after.rules[next]!.lifted ?? 0) > (old.lifted ?? 0)) return undefined;
    return shapeOf(before.ruleSet, slot) === shapeOf(after.ruleSet, next) ? next : undefined;
  });
  return {
    slots,
    slot: (written) => slots[written],
    windows: windowsFrom(after.ruleSet, windowIdsOf(before.ruleSet)),
  };
}

/** How an engine that was filled from the log gives up what it has of these rules; of the others it has windows alone. */
export function fillingOf(filled: EngineOfRules, after: EngineOfRules, ids: ReadonlySet<string>): Succession {
  const places = firstBy(after.rules, ({ id, drains }) => (drains === true || !ids.has(id) ? null : id));
  const slots = filled.rules.map(({ id }) => places.get(id));
  return {
    slots,
    slot: (written) => slots[written],
    windows: windowsFrom(after.ruleSet, windowIdsOf(filled.ruleSet)),
  };
}

/** Place of the first rule of each name; `null`: it has none. */
function firstBy(rules: readonly Rule[], nameOf: (rule: Rule) => string | null): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  rules.forEach((rule, place) => {
    const name = nameOf(rule);
    if (name !== null && !places.has(name)) places.set(name, place);
  });
  return places;
}
