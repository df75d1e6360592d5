import {
  addTotals,
  clearRing,
  copyRing,
  dropOlder,
  type EngineEvent,
  type EventWindow,
  type EventWindowState,
  isWide,
  mayHaveRest,
  mustBeWide,
  newestTime,
  pasteRing,
  type RingAdder,
  readRing,
  ringAdder,
  ringCapacity,
  ringCount,
  ringOfState,
  ringPlaces,
  stateOfRing,
  touchRing,
  type Window,
  type WindowState,
  writeEmpty,
} from '../../../engine/index.js';
import type { ByteStore, Segment } from '../table/byte-store.js';
import { StoredSlots } from '../table/stored-slots.js';

/** Rows that a window has room for at first, and below which it gives none back. */
export const CAPACITY_MIN = 4;
export const CAPACITY_KEPT = 16;
/** Of rows that take half of the memory. */
const NARROW_MIN = CAPACITY_MIN * 2;
/** Up to so many rows, room is doubled, then half as much is added. */
const DOUBLED_MAX = 16;
const PLACE_BYTES = 8;

/** What is kept for each slot of the events of one condition. */
export interface WindowSlots {
  readonly window: EventWindow;
  /** Bytes of what is held, and memory taken in all. */
  readonly heldBytes: number;
  readonly bytes: number;
  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void;
  has(slot: number): boolean;
  /** Adds an event that the window counts, and writes the values of its features. */
  add(slot: number, event: EngineEvent): void;
  /** Writes the values of its features as of `time`. Slot -1: of a key without events. */
  read(slot: number, time: number): void;
  /** Time of the newest event; negative infinity: there is none. */
  newest(slot: number): number;
  /** A copy of what it holds. */
  state(slot: number): EventWindowState | undefined;
  put(slot: number, state: EventWindowState | undefined): void;
  delete(slot: number): void;
  /** Reads the places of the first `count` slots that their next events, up to `time`, will look at. The number means nothing. */
  touch(slots: readonly number[], count: number, time: number): number;
}

/** Scratch of `touch`. */
const ahead = { segments: [] as Segment[], places: [] as number[] };

/** One window, whose rows of a slot stand in a ring of its own. */
export class SlotWindows extends StoredSlots implements WindowSlots {
  private readonly addTo: RingAdder;

  constructor(readonly window: Window) {
    super();
    this.addTo = ringAdder(window);
  }

  add(slot: number, event: EngineEvent): void {
    const { store, window } = this;
    if (!store.has(slot)) this.begin(slot);
    let segment: Segment = store.segmentOf(slot);
    let at = placeOf(store, slot);
    const count = dropOlder(window, segment, at, event);
    const capacity = ringCapacity(segment, at);
    if (count === capacity || (capacity > CAPACITY_KEPT && count * 4 < capacity)) {
      const wide = isWide(segment, at);
      at = this.resize(slot, segment, at, roomFor(count, wide), wide);
      segment = store.segmentOf(slot);
    }
    if (this.addTo(segment, at, event)) return;
    at = this.resize(slot, segment, at, ringCapacity(segment, at), true);
    this.addTo(store.segmentOf(slot), at, event);
  }

  private begin(slot: number): void {
    const wide = this.window.hasExtremes;
    const capacity = roomFor(0, wide);
    const at = this.allocate(slot, capacity, wide);
    clearRing(this.window, this.store.segmentOf(slot), at, capacity, wide);
  }

  read(slot: number, time: number): void {
    const { store, window } = this;
    if (slot < 0 || !store.has(slot)) writeEmpty(window);
    else readRing(window, store.segmentOf(slot), placeOf(store, slot), time);
  }

  /** Drops from a ring what is too old to be in the window with the event; says whether anything is left. */
  drop(slot: number, event: EngineEvent): boolean {
    const { store, window } = this;
    if (!store.has(slot)) return false;
    if (dropOlder(window, store.segmentOf(slot), placeOf(store, slot), event) > 0) return true;
    store.delete(slot);
    return false;
  }

  /** Adds to `totals`, from place 1 on, those of the rows of a ring that are inside the window at `time`; answers how many these are. */
  addTotals(slot: number, time: number, totals: Float64Array): number {
    const { store, window } = this;
    return addTotals(window, store.segmentOf(slot), placeOf(store, slot), time, totals);
  }

  /** Whether the sums of a ring may have more than whole hundredths. */
  mayHaveRest(slot: number): boolean {
    const { store, window } = this;
    return mayHaveRest(window, store.segmentOf(slot), placeOf(store, slot));
  }

  newest(slot: number): number {
    const { store, window } = this;
    return store.has(slot) ? newestTime(window, store.segmentOf(slot), placeOf(store, slot)) : Number.NEGATIVE_INFINITY;
  }

  state(slot: number): WindowState | undefined {
    const { store, window } = this;
    return store.has(slot) ? stateOfRing(window, store.segmentOf(slot), placeOf(store, slot)) : undefined;
  }

  put(slot: number, state: EventWindowState | undefined): void {
    const { store, window } = this;
    if (state === undefined) {
      this.delete(slot);
      return;
    }
    const rows = state as WindowState;
    const wide = mustBeWide(window, rows);
    const capacity = roomFor((rows.to - rows.from) / window.stride, wide);
    const at = this.allocate(slot, capacity, wide);
    ringOfState(window, rows, store.segmentOf(slot), at, capacity, wide);
  }

  delete(slot: number): void {
    if (this.store.has(slot)) this.store.delete(slot);
  }

  touch(slots: readonly number[], count: number, time: number): number {
    const { store, window } = this;
    const { segments, places } = ahead;
    let sum = 0;
    let held = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (!store.has(slot)) continue;
      segments[held] = store.segmentOf(slot);
      places[held++] = placeOf(store, slot);
    }
    for (let i = 0; i < held; i++) sum += ringCount(segments[i]!, places[i]!);
    for (let i = 0; i < held; i++) sum += touchRing(window, segments[i]!, places[i]!, time);
    return sum;
  }

  private resize(slot: number, segment: Segment, at: number, capacity: number, wide: boolean): number {
    copyRing(this.window, segment, at);
    // Making room may move what lies in the store, this ring too.
    const moved = this.allocate(slot, capacity, wide);
    pasteRing(this.window, this.store.segmentOf(slot), moved, capacity, wide);
    return moved;
  }

  /** Place in its segment, in doubles. */
  private allocate(slot: number, capacity: number, wide: boolean): number {
    return this.store.allocate(slot, ringPlaces(this.window, capacity, wide) * PLACE_BYTES) / PLACE_BYTES;
  }
}

/** Records of whole doubles lie at whole doubles. */
export const placeOf = (store: ByteStore, slot: number): number => store.startOf(slot) >> 3;

/** Room for so many rows and some to come. */
export function roomFor(count: number, wide = true): number {
  let capacity = wide ? CAPACITY_MIN : NARROW_MIN;
  while (capacity <= count) capacity += capacity < DOUBLED_MAX ? capacity : capacity >> 1;
  return capacity;
}
