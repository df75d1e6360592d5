import type { PatternState } from '../buffer/run.js';
import { slotGroup } from './group-step.js';
import { type KeyState, NO_GROUPS, type SlotGroup } from './key-state.js';
import type { RuleSet } from './rule-set.js';
import { fitsSlot, type SlotState, slotMask } from './slot-state.js';

const GONE = -1;

/** The slot of the rule set after, by that of the one before; `undefined`: what it has under way is forgotten. */
export type SlotWay = (slot: number) => number | undefined;

interface Entry {
  readonly slot: number;
  readonly state: SlotState;
}

/**
 * Brings states of keys from one rule set to another, as writing and reading them would, but for their events, which stay as they are:
 * the conditions of the rule set after must find in them all that they read. Slots that go on share what is under way.
 *
 * Invariant: a slot that goes on in another has the same shape there (`shapeOf`).
 */
export class StateCarrier {
  private readonly ways: Int32Array;
  /** Of each slot before: it is at the same place, with the same pattern. */
  private readonly stays: Uint8Array;

  constructor(
    from: RuleSet,
    private readonly to: RuleSet,
    way: SlotWay,
  ) {
    this.ways = Int32Array.from(from.slots, (_, slot) => way(slot) ?? GONE);
    const sameCompiler = from.compiler === to.compiler;
    const stays = (slot: number): boolean =>
      sameCompiler && this.ways[slot] === slot && from.patterns[slot] === to.patterns[slot];
    this.stays = Uint8Array.from(from.slots, (_, slot) => Number(stays(slot)));
  }

  /** The state without features; the very state where nothing of it is another. `undefined`: nothing is under way any more. */
  carry(given: KeyState): KeyState | undefined {
    const state = given.features === undefined ? given : { ...given, features: undefined };
    if (state.masks.length === 0) return undefined;
    return this.isSame(state) ? state : this.moved(state);
  }

  private isSame({ slots, groups }: KeyState): boolean {
    const { stays } = this;
    const { beginning } = this.to.groups.kinds;
    for (let i = 0; i < slots.length; i++) if (stays[slots[i]!] === 0) return false;
    for (const group of groups) {
      // Too many kinds of slots to be told apart: it cannot be a group there.
      if (beginning[group.slots[0]!]! < 0) return false;
      for (let i = 0; i < group.slots.length; i++) if (stays[group.slots[i]!] === 0) return false;
    }
    return true;
  }

  private moved({ slots, states, groups: given }: KeyState): KeyState | undefined {
    const { to, ways } = this;
    const entries: Entry[] = [];
    slots.forEach((before, i) => {
      const slot = ways[before]!;
      const state = states[i]!;
      // One that shares more, or less, than before cannot go on with it.
      if (slot !== GONE && fitsSlot(to.slots[slot]!, state)) entries.push({ slot, state });
    });
    const groups: SlotGroup[] = [];
    for (const group of given) this.moveGroup(group, entries, groups);
    if (entries.length === 0 && groups.length === 0) return undefined;
    entries.sort((a, b) => a.slot - b.slot);
    const masks = entries.map(({ slot, state }) => slotMask(to.slots[slot]!, state));
    for (const group of groups) masks.push(group.mask);
    return {
      slots: entries.map(({ slot }) => slot),
      states: entries.map(({ state }) => state),
      masks,
      groups: groups.length === 0 ? NO_GROUPS : groups,
      features: undefined,
    };
  }

  /** Slots that begin alike stay together. */
  private moveGroup({ state, slots }: SlotGroup, entries: Entry[], groups: SlotGroup[]): void {
    const { kinds } = this.to.groups;
    const alike = new Map<number, number[]>();
    for (const before of slots) {
      const slot = this.ways[before]!;
      if (slot === GONE || this.to.slots[slot]!.shares) continue;
      const kind = kinds.beginning[slot]!;
      const known = kind < 0 ? undefined : alike.get(kind);
      if (kind < 0) entries.push({ slot, state });
      else if (known === undefined) alike.set(kind, [slot]);
      else known.push(slot);
    }
    for (const [first, ...others] of alike.values()) {
      if (others.length === 0) entries.push({ slot: first!, state });
      else groups.push(groupOf(kinds, state, [first!, ...others]));
    }
  }
}

const groupOf = (kinds: Parameters<typeof slotGroup>[0], state: PatternState, slots: number[]): SlotGroup =>
  slotGroup(
    kinds,
    state,
    slots.sort((a, b) => a - b),
  );

/** Both states of one key, which have no slot in common, as one; without features. */
export function joinKeyStates(a: KeyState | undefined, b: KeyState | undefined): KeyState | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const entries = [a, b].flatMap(({ slots, states, masks }) =>
    slots.map((slot, i) => ({ slot, state: states[i]!, mask: masks[i]! })),
  );
  entries.sort((one, other) => one.slot - other.slot);
  const groups = [...a.groups, ...b.groups];
  return {
    slots: entries.map(({ slot }) => slot),
    states: entries.map(({ state }) => state),
    masks: [...entries.map(({ mask }) => mask), ...groups.map(({ mask }) => mask)],
    groups: groups.length === 0 ? NO_GROUPS : groups,
    features: undefined,
  };
}
