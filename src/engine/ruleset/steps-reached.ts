import type { EngineEvent } from '../event.js';
import { type KeyState, slotsOf } from './key-state.js';
import type { RuleSet } from './rule-set.js';
import { isGraphState, isRunState, type SlotState } from './slot-state.js';

/** A pattern that an event has taken a run of one step farther. */
export interface StepReached {
  readonly slot: number;
  /** Number of the farthest step that the event was taken for; `null`: runs are kept as a shared graph, which has no such list. */
  readonly step: number | null;
}

/** What the event, which was given to the key last, has begun or carried on, by slot. What it completed is not among it. */
export function stepsReached(
  { patterns }: Pick<RuleSet, 'patterns'>,
  before: KeyState | undefined,
  after: KeyState | undefined,
  event: EngineEvent,
): readonly StepReached[] {
  if (after === undefined) return [];
  const known = new Map(before === undefined ? [] : entriesOf(before));
  return entriesOf(after).flatMap(([slot, state]): readonly StepReached[] => {
    if (state === known.get(slot) || patterns[slot] === undefined) return [];
    if (isGraphState(state)) return [{ slot, step: null }];
    if (!isRunState(state)) return [];
    const steps = [...state.partial, ...state.completed].flatMap(({ head }) =>
      head !== null && head.event === event ? [head.step] : [],
    );
    return steps.length === 0 ? [] : [{ slot, step: Math.max(...steps) }];
  });
}

function entriesOf(state: KeyState): readonly (readonly [slot: number, state: SlotState])[] {
  const { slots, states } = slotsOf(state);
  return slots.map((slot, i) => [slot, states[i]!] as const);
}
