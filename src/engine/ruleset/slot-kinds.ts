import type { CompiledState } from '../compiler/compiled-state.js';
import type { Slot } from './slot-state.js';

/** What the slots of a rule set have in common, as numbers in typed arrays: a thousand slots are looked at in a few cache lines. */
export interface SlotKinds {
  /** Where the states of each slot begin in the list of all, and which state stands there: equal states have one number. */
  readonly firstState: Int32Array;
  readonly stateAt: Int32Array;
  /** By the number of a state: the state, and the bit of its interest. */
  readonly states: readonly CompiledState[];
  readonly bits: Int32Array;
  /**
   * Of each slot what it does with an event that begins a run, and nothing more: slots of one kind make equal states of it. -1: that
   * cannot be told, or a state of the slot must not be shared with others, because time alone can change it.
   */
  readonly beginning: Int32Array;
  /** Of each slot, its window in ms; infinity: none. */
  readonly windowMs: Float64Array;
}

/** Kinds of slots, or of what a state does, beyond this are not told apart from those that cannot be. */
export const KINDS_MAX = 58;

export function slotKinds(slots: readonly Slot[]): SlotKinds {
  const numbers = new Map<CompiledState, number>();
  const firstState = new Int32Array(slots.length);
  const stateAt: number[] = [];
  const kinds = new Map<string, number>();
  const beginning = slots.map((slot, i) => {
    firstState[i] = stateAt.length;
    for (const state of slot.pattern.states) {
      if (!numbers.has(state)) numbers.set(state, numbers.size);
      stateAt.push(numbers.get(state)!);
    }
    const key = beginningOf(slot);
    if (key === null) return -1;
    if (!kinds.has(key)) kinds.set(key, kinds.size);
    const kind = kinds.get(key)!;
    return kind < KINDS_MAX ? kind : -1;
  });
  const states = [...numbers.keys()];
  return {
    firstState,
    stateAt: Int32Array.from(stateAt),
    states,
    bits: Int32Array.from(states, (state) => state.interest.bit),
    beginning: Int32Array.from(beginning),
    windowMs: Float64Array.from(slots, ({ pattern }) => pattern.windowMs || Number.POSITIVE_INFINITY),
  };
}

function beginningOf({ pattern, shares }: Slot): string | null {
  const { plainStart, start, hasGaps, hasPending } = pattern;
  if (shares || hasGaps || hasPending || plainStart === null) return null;
  return `${start.step} ${plainStart.index} ${start.startRun.state}`;
}
