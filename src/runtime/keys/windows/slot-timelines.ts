import {
  addToLine,
  clearTimeline,
  copyLine,
  dropPassed,
  type EngineEvent,
  type EventWindowState,
  emptyValue,
  lineOfState,
  lineRowAt,
  moveOn,
  pasteLine,
  releaseTexts,
  ringCapacity,
  ringCount,
  stateOfLine,
  type Texts,
  type Timeline,
  type TimelineState,
  timelinePlaces,
  writeLine,
} from '../../../engine/index.js';
import type { Segment } from '../table/byte-store.js';
import { StoredSlots } from '../table/stored-slots.js';
import { CAPACITY_KEPT, CAPACITY_MIN, placeOf, roomFor, type WindowSlots } from './slot-windows.js';

const PLACE_BYTES = 8;

/** One timeline. */
export class SlotTimelines extends StoredSlots implements WindowSlots {
  constructor(
    readonly window: Timeline,
    private readonly texts: Texts,
  ) {
    super();
  }

  add(slot: number, event: EngineEvent): void {
    const { store, window, texts } = this;
    if (!store.has(slot)) this.begin(slot);
    let segment: Segment = store.segmentOf(slot);
    let at = placeOf(store, slot);
    const count = dropPassed(window, segment, at, event.time, texts);
    const capacity = ringCapacity(segment, at);
    if (count === capacity || (capacity > CAPACITY_KEPT && count * 4 < capacity)) {
      at = this.resize(slot, segment, at, roomFor(count));
      segment = store.segmentOf(slot);
    }
    addToLine(window, segment, at, event, texts);
    writeLine(window, segment, at, event.time, true, texts);
  }

  private begin(slot: number): void {
    const at = this.allocate(slot, CAPACITY_MIN);
    clearTimeline(this.window, this.store.segmentOf(slot), at, CAPACITY_MIN);
  }

  read(slot: number, time: number): void {
    const { store, window } = this;
    if (slot < 0 || !store.has(slot)) {
      this.writeEmpty();
      return;
    }
    const segment = store.segmentOf(slot);
    const at = placeOf(store, slot);
    moveOn(window, segment, at, time);
    writeLine(window, segment, at, time, false, this.texts);
  }

  private writeEmpty(): void {
    for (const view of this.window.views) for (const { cell, fn } of view.cells) cell.value = emptyValue(fn);
  }

  newest(slot: number): number {
    const { store, window } = this;
    if (!store.has(slot)) return Number.NEGATIVE_INFINITY;
    const segment = store.segmentOf(slot);
    const at = placeOf(store, slot);
    return segment.doubles[lineRowAt(window, segment, at, ringCount(segment, at) - 1)]!;
  }

  state(slot: number): TimelineState | undefined {
    const { store, window } = this;
    return store.has(slot) ? stateOfLine(window, store.segmentOf(slot), placeOf(store, slot), this.texts) : undefined;
  }

  put(slot: number, state: EventWindowState | undefined): void {
    const { store, window } = this;
    this.delete(slot);
    if (state === undefined) return;
    const capacity = roomFor((state.to - state.from) / (1 + window.fields.length));
    const at = this.allocate(slot, capacity);
    lineOfState(window, state as TimelineState, store.segmentOf(slot), at, capacity, this.texts);
  }

  delete(slot: number): void {
    const { store } = this;
    if (!store.has(slot)) return;
    const segment = store.segmentOf(slot);
    const at = placeOf(store, slot);
    releaseTexts(this.window, segment, at, ringCount(segment, at), this.texts);
    store.delete(slot);
  }

  touch(slots: readonly number[], count: number): number {
    const { store, window } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (!store.has(slot)) continue;
      const segment = store.segmentOf(slot);
      const at = placeOf(store, slot);
      sum += segment.doubles[lineRowAt(window, segment, at, 0)]! + ringCount(segment, at);
    }
    return sum;
  }

  private resize(slot: number, segment: Segment, at: number, capacity: number): number {
    copyLine(this.window, segment, at);
    // Making room may move what lies in the store, this ring too.
    const moved = this.allocate(slot, capacity);
    pasteLine(this.window, this.store.segmentOf(slot), moved, capacity);
    return moved;
  }

  /** Place in its segment, in doubles. */
  private allocate(slot: number, capacity: number): number {
    return this.store.allocate(slot, timelinePlaces(this.window, capacity) * PLACE_BYTES) / PLACE_BYTES;
  }
}
