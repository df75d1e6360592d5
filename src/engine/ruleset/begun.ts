import type { EngineEvent } from '../event.js';
import { compactionIsDue } from '../graph/compact.js';
import { type GraphState, idsMaxFor, type RunSet } from '../graph/node.js';
import { NodeMaker } from '../graph/node-maker.js';
import { KeyChange, type KeyState } from './key-state.js';
import type { RuleSet } from './rule-set.js';
import { isGraphState, type RuleSetOutput, slotMask } from './slot-state.js';
import { stepAny } from './slot-step.js';

/**
 * Runs of a shared graph that have one event each, begun one after the other: what is known of them are their events, and two numbers. So a host
 * can keep such events elsewhere than in a key's state, as bytes, and put them into it when an event comes that concerns runs.
 */

const change = new KeyChange();

/** Whether runs of the slot can be kept so: any event that can begin one does, and nothing more; and the window of the match ends it. */
export function canBeKeptBegun({ slots }: RuleSet, slot: number): boolean {
  const { pattern, shares } = slots[slot]!;
  return shares && pattern.plainStart !== null && pattern.windowMs > 0;
}

/** Bits of the interests of runs that have just begun. */
export const begunMask = ({ patterns }: RuleSet, slot: number): number => patterns[slot]!.plainStart!.interest.bit;

/** Events that runs began with, and what the graph counts of them (`GraphState`). */
export interface Begun {
  readonly events: readonly EngineEvent[];
  readonly held: number;
  readonly added: number;
}

/** Whether what the graph counts is to be counted anew, as a graph of them would be compacted. */
export const begunIsDue = ({ slots }: RuleSet, slot: number, held: number, added: number): boolean =>
  compactionIsDue({ held, added }, slots[slot]!.graphLimits);

/** The state with the runs of a slot that it does not have; there is at least one. */
export function withBegun(rules: RuleSet, given: KeyState | undefined, slot: number, begun: Begun): KeyState {
  const state = graphOf(rules, slot, begun);
  change.begin(given);
  const at = given === undefined ? 0 : given.slots.filter((known) => known < slot).length;
  change.set(at, slot, state, slotMask(rules.slots[slot]!, state));
  return change.result(given?.features, given?.groups)!;
}

/** The state without what the slot has, if that is the very same as before: `false` if it is not. */
export function withoutBegun(
  before: KeyState,
  after: KeyState | undefined,
  slot: number,
): KeyState | undefined | false {
  const at = after === undefined ? -1 : after.slots.indexOf(slot);
  if (at < 0 || !isSame(before.states[before.slots.indexOf(slot)] as GraphState, after!.states[at] as GraphState))
    return false;
  change.begin(after);
  change.set(at, slot, undefined, 0);
  return change.result(after!.features, after!.groups);
}

const isSame = (a: GraphState, b: GraphState): boolean =>
  a === b ||
  (isGraphState(b) &&
    a.held === b.held &&
    a.added === b.added &&
    a.sets.length === b.sets.length &&
    a.sets.every((set, i) => set === b.sets[i] && a.states[i] === b.states[i]));

function graphOf({ patterns }: RuleSet, slot: number, { events, held, added }: Begun): GraphState {
  const { start, plainStart } = patterns[slot]!;
  const make = new NodeMaker();
  let set: RunSet | null = null;
  for (const event of events) set = make.add(set, make.item(event, start.step, plainStart!.index, 1, null));
  return {
    states: [plainStart!.index],
    sets: [set!],
    nextId: make.nextId,
    idsMax: idsMaxFor(make.nextId),
    held,
    added,
  };
}

/** Gives the event to a slot whose matches are of one event each, and which so has no state. */
export function matchWhole(rules: RuleSet, slot: number, event: EngineEvent, output: RuleSetOutput): void {
  stepAny(rules, slot, undefined, event, output);
}
