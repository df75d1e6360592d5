import type { CompiledState } from '../compiler/compiled-state.js';
import type { EngineEvent } from '../event.js';
import { COMPLETES, matchOfOnlyRun, NOT_PLAIN, stepOnlyRun } from '../nfa/plain-step.js';
import { isRunState, type RuleSetOutput, type Slot, type SlotState, stepSlot } from './slot-state.js';

/** The slots of a rule set, and all their states in one list: fewer places to read than the patterns. */
export interface SteppedSlots {
  readonly slots: readonly Slot[];
  readonly states: readonly CompiledState[];
  /** Where the states of each slot begin. */
  readonly firstState: Int32Array;
  readonly stopped: StoppedSlots;
  /** How often each slot was stepped: what a pattern costs. The host may set them back. */
  readonly steps: Float64Array;
}

/** Slots that a host has stopped, for good: no event begins or continues anything in them, and what they had is dropped when it is looked at. */
export interface StoppedSlots {
  count: number;
  /** 1: stopped. */
  readonly slots: Uint8Array;
  /** Slots go one by one, so that it is known which of them throws. */
  apart: boolean;
}

export const isStopped = ({ stopped }: SteppedSlots, slot: number): boolean =>
  stopped.count > 0 && stopped.slots[slot] === 1;

/** Gives an event that cannot begin a run to a state, where time-outs are not wanted. `now`: the mark's. */
export function stepKnown(
  rules: SteppedSlots,
  slot: number,
  before: SlotState,
  event: EngineEvent,
  now: number,
  output: RuleSetOutput,
): SlotState | undefined {
  output.slot = slot;
  if (isStopped(rules, slot)) return undefined;
  rules.steps[slot]!++;
  if (isRunState(before)) {
    const state = rules.states[rules.firstState[slot]! + before.partial[0]!.state]!;
    const after = stepOnlyRun(state, before, event, now);
    if (after === COMPLETES) {
      output.onMatch(matchOfOnlyRun(rules.slots[slot]!.pattern, before, event));
      return undefined;
    }
    if (after !== NOT_PLAIN) return after;
  }
  return stepSlot(rules.slots[slot]!, before, event, output);
}

export function stepAny(
  rules: SteppedSlots,
  slot: number,
  before: SlotState | undefined,
  event: EngineEvent,
  output: RuleSetOutput,
): SlotState | undefined {
  output.slot = slot;
  if (isStopped(rules, slot)) return undefined;
  rules.steps[slot]!++;
  return stepSlot(rules.slots[slot]!, before, event, output);
}
