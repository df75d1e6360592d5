import {
  type EngineEvent,
  type FeatureSet,
  type FeatureState,
  stateOf,
  takes,
  windowState,
} from '../../engine/index.js';
import { SlotTexts } from './slot-texts.js';
import { SlotTimelines } from './slot-timelines.js';
import { SlotWindows, type WindowSlots } from './slot-windows.js';

/**
 * What the windows of features hold for each slot, in memory that the garbage collector does not walk, changed in place. A slot
 * costs about as many bytes as its rows, however many slots there are, and an event waits for memory once or twice.
 *
 * Invariants
 * 1. A window that has bytes for a slot has rows.
 * 2. Room is at least the rows, and at most four times as many, or `CAPACITY_KEPT`.
 */
export class KeyWindows {
  private readonly windows: readonly (SlotWindows | SlotTimelines)[];
  private readonly texts = new SlotTexts();

  constructor(set: FeatureSet) {
    this.windows = set.windows.map((window) =>
      window.kind === 'window' ? new SlotWindows(window) : new SlotTimelines(window, this.texts),
    );
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    const ofStore = ({ store }: WindowSlots): number => store.bytesHeld + store.bytesWasted + store.indexBytes;
    return this.windows.reduce((sum, window) => sum + ofStore(window), this.texts.bytes);
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
   * feature. Times of a slot must not fall, those of `read` included.
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
    for (const window of this.windows) window.delete(slot);
  }

  /** Reads the places of the first `count` slots that their next events, up to `time`, will look at, side by side. The number means nothing. */
  touch(slots: readonly number[], count: number, time: number): number {
    let sum = 0;
    for (const window of this.windows) sum += window.touch(slots, count, time);
    return sum;
  }
}
