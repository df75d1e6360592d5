import { type KeyStateLayout, shapeOf, windowIdsOf, windowsFrom } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { KeyedEngine } from './keyed-engine.js';

/** How the states of an engine are read by the one that comes after it. */
export interface Succession extends KeyStateLayout {
  /** The slot after, by the slot before; `undefined`: what it had under way is forgotten. */
  readonly slots: readonly (number | undefined)[];
}

/**
 * Where the runs of rules go on when others take their place. A revision that is still there goes on as it was. One that was
 * replaced goes on in the new revision if that says `keep`, or says nothing, and both have one shape. The rest is forgotten.
 */
export function succession(before: KeyedEngine, after: KeyedEngine): Succession {
  const same = firstBy(after.rules, ({ id, revision }) => `${id} ${revision}`);
  const begun = firstBy(after.rules, ({ id, drains }) => (drains === true ? null : id));
  const slots = before.rules.map((old, slot) => {
    const there = same.get(`${old.id} ${old.revision}`);
    if (there !== undefined) return there;
    const next = begun.get(old.id);
    if (next === undefined || (after.rules[next]!.onUpdate ?? 'keep') !== 'keep') return undefined;
    return shapeOf(before.ruleSet, slot) === shapeOf(after.ruleSet, next) ? next : undefined;
  });
  return {
    slots,
    slot: (written) => slots[written],
    windows: windowsFrom(after.ruleSet, windowIdsOf(before.ruleSet)),
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
