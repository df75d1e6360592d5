import type { FeatureState } from '../aggregate/feature-set.js';
import type { PatternState } from '../buffer/run.js';
import type { SlotState } from './slot-state.js';

/**
 * What all patterns of a rule set know of one key: the slots that have anything under way, ascending, and their states; and groups of
 * further slots, which hold one state together. It never changes; `undefined` stands for a key of which nothing is known.
 */
export interface KeyState {
  readonly slots: readonly number[];
  readonly states: readonly SlotState[];
  /** Of each state, and then of each group, the bits of the interests (`Interest.bit`) that its runs wait for, and `HELD`. */
  readonly masks: readonly number[];
  readonly groups: readonly SlotGroup[];
  readonly features: FeatureState | undefined;
}

/** Slots, two or more, that hold the very same state. What time alone can change is not kept so. */
export interface SlotGroup {
  readonly state: PatternState;
  /** Ascending. */
  readonly slots: readonly number[];
  /** Bits of the interests that any slot of the group waits for. */
  readonly mask: number;
  /** The longest window of its slots in ms; infinity: one has none. */
  readonly horizonMs: number;
}

export const NO_GROUPS: readonly SlotGroup[] = [];

/** The slots that have anything under way, ascending, each with its state: as if there were no groups. */
export function slotsOf(state: KeyState): { readonly slots: readonly number[]; readonly states: readonly SlotState[] } {
  const { slots, states, groups } = state;
  if (groups.length === 0) return state;
  const held = new Map<number, SlotState>(slots.map((slot, i) => [slot, states[i]!]));
  for (const group of groups) for (const slot of group.slots) held.set(slot, group.state);
  const all = [...held.keys()].sort((a, b) => a - b);
  return { slots: all, states: all.map((slot) => held.get(slot)!) };
}

/** A state of the same slots with other features. */
export function withFeatures(given: KeyState | undefined, features: FeatureState | undefined): KeyState | undefined {
  if (given === undefined) return features === undefined ? undefined : { ...NO_KEY_STATE, features };
  if (given.masks.length === 0 && features === undefined) return undefined;
  return { slots: given.slots, states: given.states, masks: given.masks, groups: given.groups, features };
}

/**
 * Collects the slots of one key that change, in ascending order. One object serves all keys, one after the other: most events
 * change nothing, and shall not allocate anything.
 */
export class KeyChange {
  private given: KeyState | undefined;
  private changed = false;
  /** Entries of the given state below this place are in the lists. */
  private at = 0;
  private readonly slots: number[] = [];
  private readonly states: SlotState[] = [];
  private readonly masks: number[] = [];

  begin(given: KeyState | undefined): void {
    this.given = given;
    this.changed = false;
    this.at = 0;
    // Not empty only if a condition has thrown.
    this.clear();
  }

  /** `at`: the place of the slot in the given state, or the one that it would have. */
  set(at: number, slot: number, after: SlotState | undefined, mask: number): void {
    this.changed = true;
    this.keepUpTo(at);
    if (this.given !== undefined && this.given.slots[at] === slot) this.at++;
    if (after === undefined) return;
    this.slots.push(slot);
    this.states.push(after);
    this.masks.push(mask);
  }

  /** The state with the changes, and with these groups. Nothing changed: the very state that was given. */
  result(features: FeatureState | undefined, groups: readonly SlotGroup[] = NO_GROUPS): KeyState | undefined {
    const { given } = this;
    this.given = undefined;
    if (!this.changed && groups === (given?.groups ?? NO_GROUPS))
      return given?.features === features ? given : withFeatures(given, features);
    this.given = given;
    if (given !== undefined) this.keepUpTo(given.slots.length);
    const result = this.made(features, groups);
    this.clear();
    this.given = undefined;
    return result;
  }

  private made(features: FeatureState | undefined, groups: readonly SlotGroup[]): KeyState | undefined {
    const { slots, states, masks } = this;
    if (slots.length === 0 && groups.length === 0 && features === undefined) return undefined;
    for (const group of groups) masks.push(group.mask);
    return { slots: slots.slice(), states: states.slice(), masks: masks.slice(), groups, features };
  }

  private clear(): void {
    if (this.masks.length === 0) return;
    this.slots.length = 0;
    this.states.length = 0;
    this.masks.length = 0;
  }

  private keepUpTo(end: number): void {
    const { given } = this;
    if (given === undefined) return;
    for (; this.at < end; this.at++) {
      this.slots.push(given.slots[this.at]!);
      this.states.push(given.states[this.at]!);
      this.masks.push(given.masks[this.at]!);
    }
  }
}

const NO_KEY_STATE = { slots: [], states: [], masks: [], groups: NO_GROUPS } as const;
