import { type KeyState, slotRuns } from '../../../engine/index.js';
import type { Freezer, SlotStates } from '../../keys/states/slot-states.js';
import type { WordColumn } from '../../keys/table/columns.js';

/** Places of keys that one look passes at most: most have no runs, and cost next to nothing. */
const PLACES_AT_ONCE = 50_000;

/** Partial matches by rule, and how many keys may still be looked at for them. */
export interface RunCount {
  readonly runs: Map<string, number>;
  keysLeft: number;
}

/**
 * How the partial matches of many keys are shared among the rules. All of them together are counted at each event; of which rule they are
 * is found by looking at the keys, some at each call, round and round: what a call costs does not grow with the keys. With few keys a
 * call sees all of them, and the figures are exact; with more they are those of the keys that were seen in this round and the
 * one before, on the scale of what is alive now. Nothing is changed by it.
 */
export class RunCensus {
  private place = 0;
  private seen: Float64Array;
  /** Of the last round that was complete. */
  private before: Float64Array | null = null;

  constructor(
    private readonly ids: readonly string[],
    private readonly runsOf: WordColumn,
    private readonly states: SlotStates<KeyState>,
    private readonly freezer: Freezer<KeyState> | null,
  ) {
    this.seen = new Float64Array(ids.length);
  }

  /** Goes on, and adds to `by`. `places`: of keys; `alive`: all partial matches of now. */
  add(by: RunCount, places: number, alive: number): void {
    this.goOn(by, places);
    const share = places === 0 ? 1 : Math.min(1, this.place / places);
    const weights = this.ids.map((_, slot) => this.seen[slot]! + (this.before?.[slot] ?? 0) * (1 - share));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [slot, id] of this.ids.entries()) {
      const runs = sum === 0 ? 0 : Math.round((weights[slot]! / sum) * alive);
      if (runs > 0) by.runs.set(id, (by.runs.get(id) ?? 0) + runs);
    }
  }

  private goOn(by: RunCount, places: number): void {
    if (this.place >= places) this.beginAgain();
    const end = Math.min(places, this.place + PLACES_AT_ONCE);
    for (; this.place < end && by.keysLeft > 0; this.place++) {
      if (this.runsOf.get(this.place) === 0) continue;
      by.keysLeft--;
      this.look(this.place);
    }
  }

  private beginAgain(): void {
    this.before = this.seen;
    this.seen = new Float64Array(this.ids.length);
    this.place = 0;
  }

  private look(place: number): void {
    const known = this.states.peek(place);
    const state = known instanceof Uint8Array ? this.freezer!.thaw(known) : known;
    if (state === undefined) return;
    for (const [i, slot] of state.slots.entries()) this.seen[slot]! += slotRuns(state.states[i]!);
    for (const group of state.groups) for (const slot of group.slots) this.seen[slot]! += slotRuns(group.state);
  }
}
