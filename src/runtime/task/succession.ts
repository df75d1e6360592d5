import { type KeyStateLayout, shapeOf, windowIdsOf, windowsFrom } from '../../engine/index.js';
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
  const slots = before.rules.map((old, slot) => {
    const same = after.rules.findIndex(({ id, revision }) => id === old.id && revision === old.revision);
    if (same >= 0) return same;
    const next = after.rules.findIndex(({ id, drains }) => id === old.id && drains !== true);
    if (next < 0 || (after.rules[next]!.onUpdate ?? 'keep') !== 'keep') return undefined;
    return shapeOf(before.ruleSet, slot) === shapeOf(after.ruleSet, next) ? next : undefined;
  });
  return {
    slots,
    slot: (written) => slots[written],
    windows: windowsFrom(after.ruleSet, windowIdsOf(before.ruleSet)),
  };
}
