import {
  decodeKeyState,
  type EventCodec,
  type KeyState,
  ownLayout,
  type RuleSet,
  viewKeyState,
} from '../../../engine/index.js';
import type { Freezer } from '../../keys/states/slot-states.js';
import { copyOf } from '../source-event.js';

/** Bits of the interests that the runs of a state wait for. */
export function interestsOf(state: KeyState): number {
  let interests = 0;
  for (const mask of state.masks) interests |= mask;
  return interests;
}

/** Makes bytes of states, and states of bytes; `null`: without a codec there is no way to. */
export function freezer(rules: RuleSet, codec: EventCodec | undefined): Freezer<KeyState> | null {
  if (codec === undefined) return null;
  const layout = ownLayout(rules);
  return {
    freeze: (state) => viewKeyState(state, rules, codec),
    // Events keep what they are read from, once for all of them.
    thaw: (bytes) => decodeKeyState(copyOf(bytes), rules, codec, layout)!,
  };
}

/** How long before an event others can matter to the rules, in ms of event time. */
export const reachOf = ({ features, patterns }: RuleSet): number =>
  Math.max(features?.horizonMs ?? 0, ...patterns.map((pattern) => pattern.windowMs));
