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
 * change nothing, and shall not allocate anything. Nor does a state have lists of its own where it can have those of others: most
 * keys have one slot under way, and the same one after the event as before.
 */
export class KeyChange {
  private given: KeyState | undefined;
  private changed = false;
  /** Whether the slots are those of the given state. */
  private sameSlots = true;
  /** Entries of the given state below this place are in the lists. */
  private at = 0;
  /** The lists; of each the first `count` are meant. */
  private count = 0;
  private readonly slots: number[] = [];
  private readonly states: (SlotState | null)[] = [];
  private readonly masks: number[] = [];

  begin(given: KeyState | undefined): void {
    this.given = given;
    this.changed = false;
    this.sameSlots = given !== undefined;
    this.at = 0;
    // Not empty only if a condition has thrown.
    this.clear();
  }

  /** `at`: the place of the slot in the given state, or the one that it would have. */
  set(at: number, slot: number, after: SlotState | undefined, mask: number): void {
    this.changed = true;
    this.keepUpTo(at);
    const replaces = this.given !== undefined && this.given.slots[at] === slot;
    if (replaces) this.at++;
    if (!replaces || after === undefined) this.sameSlots = false;
    if (after !== undefined) this.add(slot, after, mask);
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
    const { count } = this;
    if (count === 0 && groups.length === 0 && features === undefined) return undefined;
    if (count === 1 && groups.length === 0) {
      const slots = this.sameSlots ? this.given!.slots : listOf(this.slots[0]!);
      return { slots, states: [this.states[0]!], masks: listOf(this.masks[0]!), groups, features };
    }
    const slots = this.sameSlots ? this.given!.slots : this.slots.slice(0, count);
    const masks = this.masks.slice(0, count);
    for (const group of groups) masks.push(group.mask);
    return { slots, states: this.states.slice(0, count) as SlotState[], masks, groups, features };
  }

  private clear(): void {
    for (let i = 0; i < this.count; i++) this.states[i] = null;
    this.count = 0;
  }

  private add(slot: number, state: SlotState, mask: number): void {
    const at = this.count++;
    this.slots[at] = slot;
    this.states[at] = state;
    this.masks[at] = mask;
  }

  private keepUpTo(end: number): void {
    const { given } = this;
    if (given === undefined) return;
    for (; this.at < end; this.at++) this.add(given.slots[this.at]!, given.states[this.at]!, given.masks[this.at]!);
  }
}

const LISTS = 64;
const lists: (readonly number[] | undefined)[] = new Array<undefined>(LISTS).fill(undefined);

/** A list of one number, the same as the last time if that was not too long ago. */
function listOf(number: number): readonly number[] {
  const at = (number ^ (number >>> 6) ^ (number >>> 16)) & (LISTS - 1);
  const known = lists[at];
  if (known !== undefined && known[0] === number) return known;
  const made = [number];
  lists[at] = made;
  return made;
}

const NO_KEY_STATE = { slots: [], states: [], masks: [], groups: NO_GROUPS } as const;
