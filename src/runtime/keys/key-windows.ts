import {
  addRow,
  clearRing,
  copyRing,
  dropOlder,
  type EngineEvent,
  type FeatureSet,
  type FeatureState,
  newestTime,
  pasteRing,
  readRing,
  readWhole,
  ringCapacity,
  ringCount,
  ringOfState,
  ringPlaces,
  stateOf,
  stateOfRing,
  takes,
  touchRing,
  type Window,
  type WindowState,
  windowState,
  writeEmpty,
} from '../../engine/index.js';
import { ByteStore, type Segment } from './byte-store.js';

/** Rows that a window has room for at first, and below which it gives none back. */
const CAPACITY_MIN = 4;
const CAPACITY_KEPT = 16;
/** Up to so many rows, room is doubled, then half as much is added. */
const DOUBLED_MAX = 16;
const PLACE_BYTES = 8;

/**
 * What the windows of features hold for each slot, in memory that the garbage collector does not walk, changed in place. A slot
 * costs about as many bytes as its rows, however many slots there are, and an event waits for memory once or twice.
 *
 * Invariants
 * 1. A window that has bytes for a slot has rows.
 * 2. Room is at least the rows, and at most four times as many, or `CAPACITY_KEPT`.
 */
export class KeyWindows {
  private readonly windows: readonly SlotWindows[];

  constructor(set: FeatureSet) {
    this.windows = set.windows.map((window) => new SlotWindows(window));
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.windows.reduce((sum, { store }) => sum + store.bytesHeld + store.bytesWasted + store.indexBytes, 0);
  }

  /** Bytes of all windows. */
  get heldBytes(): number {
    return this.windows.reduce((sum, { store }) => sum + store.bytesHeld, 0);
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    for (const { store } of this.windows) store.reserve(slots);
  }

  /** Whether some window holds an event. */
  has(slot: number): boolean {
    const { windows } = this;
    for (let i = 0; i < windows.length; i++) if (windows[i]!.store.has(slot)) return true;
    return false;
  }

  /**
   * Adds the event to the windows that count it, drops from those what is older than they allow, and writes the value of every
   * feature. Times of a slot must not fall.
   */
  add(slot: number, event: EngineEvent): void {
    const { windows } = this;
    for (let i = 0; i < windows.length; i++) {
      const window = windows[i]!;
      if (takes(window.window, event)) window.add(slot, event);
      else window.read(slot, event.time);
    }
  }

  /** Writes the value of every feature as of `time`, which must not be before the newest event. Slot -1: of a key without events. */
  read(slot: number, time: number): void {
    const { windows } = this;
    for (let i = 0; i < windows.length; i++) windows[i]!.read(slot, time);
  }

  /** Time of the newest event that a window holds; negative infinity: none does. */
  newest(slot: number): number {
    let newest = Number.NEGATIVE_INFINITY;
    for (const window of this.windows) newest = Math.max(newest, window.newest(slot));
    return newest;
  }

  /** A copy of what the windows hold. */
  state(slot: number): FeatureState | undefined {
    return stateOf(this.windows.map((window) => window.state(slot)));
  }

  /** Puts what `state` says in place of what the windows hold. */
  put(slot: number, state: FeatureState | undefined): void {
    for (const [place, window] of this.windows.entries()) window.put(slot, windowState(state, place));
  }

  delete(slot: number): void {
    for (const { store } of this.windows) if (store.has(slot)) store.delete(slot);
  }

  /** Reads the places of the first `count` slots that the next event of each will look at, side by side. The number means nothing. */
  touch(slots: readonly number[], count: number): number {
    let sum = 0;
    for (const window of this.windows) sum += window.touch(slots, count);
    return sum;
  }
}

/** Scratch of `touch`. */
const ahead = { segments: [] as Segment[], places: [] as number[] };

/** One window. */
class SlotWindows {
  readonly store = new ByteStore();

  constructor(readonly window: Window) {}

  add(slot: number, event: EngineEvent): void {
    const { store, window } = this;
    if (!store.has(slot)) this.begin(slot);
    let segment: Segment = store.segmentOf(slot);
    let at = placeOf(store, slot);
    const count = dropOlder(window, segment, at, event);
    const capacity = ringCapacity(segment, at);
    if (count === capacity || (capacity > CAPACITY_KEPT && count * 4 < capacity)) {
      at = this.resize(slot, segment, at, roomFor(count));
      segment = store.segmentOf(slot);
    }
    addRow(window, segment, at, event);
    readWhole(window, segment, at);
  }

  private begin(slot: number): void {
    const at = this.allocate(slot, CAPACITY_MIN);
    clearRing(this.window, this.store.segmentOf(slot), at, CAPACITY_MIN);
  }

  read(slot: number, time: number): void {
    const { store, window } = this;
    if (slot < 0 || !store.has(slot)) writeEmpty(window);
    else readRing(window, store.segmentOf(slot), placeOf(store, slot), time);
  }

  newest(slot: number): number {
    const { store, window } = this;
    return store.has(slot) ? newestTime(window, store.segmentOf(slot), placeOf(store, slot)) : Number.NEGATIVE_INFINITY;
  }

  state(slot: number): WindowState | undefined {
    const { store, window } = this;
    return store.has(slot) ? stateOfRing(window, store.segmentOf(slot), placeOf(store, slot)) : undefined;
  }

  put(slot: number, state: WindowState | undefined): void {
    const { store, window } = this;
    if (state === undefined) {
      if (store.has(slot)) store.delete(slot);
      return;
    }
    const capacity = roomFor((state.to - state.from) / window.stride);
    const at = this.allocate(slot, capacity);
    ringOfState(window, state, store.segmentOf(slot), at, capacity);
  }

  touch(slots: readonly number[], count: number): number {
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
    for (let i = 0; i < held; i++) sum += touchRing(window, segments[i]!, places[i]!);
    return sum;
  }

  private resize(slot: number, segment: Segment, at: number, capacity: number): number {
    copyRing(this.window, segment, at);
    // Making room may move what lies in the store, this ring too.
    const moved = this.allocate(slot, capacity);
    pasteRing(this.window, this.store.segmentOf(slot), moved, capacity);
    return moved;
  }

  /** Place in its segment, in doubles. */
  private allocate(slot: number, capacity: number): number {
    return this.store.allocate(slot, ringPlaces(this.window, capacity) * PLACE_BYTES) / PLACE_BYTES;
  }
}

/** Records of whole doubles lie at whole doubles. */
const placeOf = (store: ByteStore, slot: number): number => store.startOf(slot) >> 3;

/** Room for so many rows and some to come. */
function roomFor(count: number): number {
  let capacity = CAPACITY_MIN;
  while (capacity <= count) capacity += capacity < DOUBLED_MAX ? capacity : capacity >> 1;
  return capacity;
}
