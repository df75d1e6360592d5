import {
  type EngineEvent,
  type EventWindow,
  type FeatureSet,
  type FeatureState,
  readTold,
  stateOf,
  takes,
  windowState,
} from '../../../engine/index.js';
import { WordColumn } from '../table/columns.js';
import { LogWindows } from './log-windows.js';
import { SlotTexts } from './slot-texts.js';
import { SlotTimelines } from './slot-timelines.js';
import { SlotWindows, type WindowSlots } from './slot-windows.js';
import { type SpillCounts, type SpillOptions, WindowSpill } from './window-spill.js';

/** Slots that are looked at for windows to leave memory, in one operation. */
const HAND_STEPS_MAX = 64;

/**
 * What the windows of features hold for each slot, in memory that the garbage collector does not walk, changed in place. A slot
 * costs about as many bytes as its rows, however many slots there are, and an event waits for memory once or twice.
 *
 * Invariants
 * 1. A window that has bytes for a slot has rows.
 * 2. Room is at least the rows, and at most four times as many, or `CAPACITY_KEPT`.
 * 3. With a bound on memory, windows that were not used for long are in a file (`window-spill.ts`), and come back when an event needs them: all of a
 *    slot's windows are in memory, or none is.
 */
export class KeyWindows {
  private readonly windows: readonly WindowSlots[];
  private readonly texts = new SlotTexts();
  /** `null`: all stay in memory. */
  private readonly spill: WindowSpill | null;
  private readonly memory: SpillOptions['memory'] | null;
  /** 1: used since the hand came by. */
  private readonly used = new WordColumn();
  private rows = 0;
  private hand = 0;
  /** Bytes of these windows that `memory` counts as used. */
  private counted = 0;
  private hits = 0;
  private misses = 0;

  constructor(
    private readonly set: FeatureSet,
    spill?: SpillOptions,
    /** Told of a slot before it loses what is too old, at the event of another slot. */
    private readonly beforeLoss: (slot: number) => void = () => undefined,
  ) {
    this.spill = spill === undefined ? null : new WindowSpill(set, spill.space);
    this.memory = spill?.memory ?? null;
    this.windows = set.windows.map((window) => this.slotsOf(window));
  }

  /** What leaves memory must be a slot's own, so that it is given back with it: rows in a log are not. */
  private slotsOf(window: EventWindow): WindowSlots {
    if (window.kind !== 'window') return new SlotTimelines(window, this.texts);
    return this.spill === null && LogWindows.canKeep(window)
      ? new LogWindows(window, this.beforeLoss)
      : new SlotWindows(window);
  }

  /** Memory taken, in bytes. */
  get bytes(): number {
    const own = this.texts.bytes + this.used.bytes + (this.spill?.bytes ?? 0);
    return this.windows.reduce((sum, { bytes }) => sum + bytes, own);
  }

  /** `null`: there is no bound on memory. */
  get spilled(): SpillCounts | null {
    const { spill, hits, misses } = this;
    return spill && { keys: spill.keys, bytes: spill.bytesWritten, hits, misses };
  }

  /** Bytes of all windows that are in memory. */
  get heldBytes(): number {
    return this.windows.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    for (const window of this.windows) window.reserve(slots);
    if (this.spill === null) return;
    this.rows = Math.max(this.rows, slots);
    this.used.reserve(slots);
    this.spill.reserve(slots);
  }

  /** Whether some window holds an event. */
  has(slot: number): boolean {
    return this.isInMemory(slot) || this.spill?.has(slot) === true;
  }

  private isInMemory(slot: number): boolean {
    const { windows } = this;
    for (let i = 0; i < windows.length; i++) if (windows[i]!.has(slot)) return true;
    return false;
  }

  /**
   * Adds the event to the windows that count it, drops from those what is older than they allow, and writes the value of every
   * feature. Times of a slot must not fall, those of `read` included.
   */
  add(slot: number, event: EngineEvent): void {
    const { windows } = this;
    if (this.spill !== null) {
      this.bring(slot);
      this.spill.drop(slot);
    }
    for (let i = 0; i < windows.length; i++) {
      const window = windows[i]!;
      if (takes(window.window, event)) window.add(slot, event);
      else window.read(slot, event.time);
    }
    if (this.set.told.length > 0) readTold(this.set, event);
    if (this.spill !== null) this.settle(slot);
  }

  /**
   * Writes the value of every feature as of `time`, which must not be before the newest event. Slot -1: of a key without events. `event`: the one
   * under test; absent: there is none.
   */
  read(slot: number, time: number, event?: EngineEvent): void {
    const { windows } = this;
    if (this.spill !== null && slot >= 0) this.bring(slot);
    for (let i = 0; i < windows.length; i++) windows[i]!.read(slot, time);
    if (this.set.told.length > 0) readTold(this.set, event);
    if (this.spill !== null) this.settle(slot);
  }

  /** Time of the newest event that a window holds; negative infinity: none does. */
  newest(slot: number): number {
    if (this.isOnlySpilled(slot)) return this.spill!.newest(slot);
    let newest = Number.NEGATIVE_INFINITY;
    for (const window of this.windows) newest = Math.max(newest, window.newest(slot));
    return newest;
  }

  /** A copy of what the windows hold. */
  state(slot: number): FeatureState | undefined {
    if (this.isOnlySpilled(slot)) return this.spill!.read(slot);
    return stateOf(this.windows.map((window) => window.state(slot)));
  }

  /** Puts what `state` says in place of what the windows hold. */
  put(slot: number, state: FeatureState | undefined): void {
    this.spill?.drop(slot);
    this.putInMemory(slot, state);
    if (this.spill !== null) this.settle(slot);
  }

  delete(slot: number): void {
    for (const window of this.windows) window.delete(slot);
    if (this.spill === null) return;
    this.spill.drop(slot);
    this.count();
  }

  /** Gives up what it has in a file, and what it counts as used; nothing of it is needed any more. */
  close(): void {
    this.spill?.close();
    if (this.memory !== null) this.memory.used -= this.counted;
    this.counted = 0;
  }

  private putInMemory(slot: number, state: FeatureState | undefined): void {
    for (const [place, window] of this.windows.entries()) window.put(slot, windowState(state, place));
  }

  private isOnlySpilled(slot: number): boolean {
    return this.spill?.has(slot) === true && !this.isInMemory(slot);
  }

  /** Has the windows of a slot in memory. */
  private bring(slot: number): void {
    this.used.set(slot, 1);
    if (this.isOnlySpilled(slot)) {
      this.misses++;
      this.putInMemory(slot, this.spill!.read(slot));
    } else if (this.isInMemory(slot)) {
      this.hits++;
    }
  }

  private count(): void {
    const now = this.heldBytes;
    this.memory!.used += now - this.counted;
    this.counted = now;
  }

  /** Has windows leave memory while there is too much of them: those that were not used since the hand came by, but not the slot at hand. */
  private settle(current: number): void {
    this.count();
    const memory = this.memory!;
    if (memory.used <= memory.bytesMax) return;
    for (let steps = Math.min(HAND_STEPS_MAX, 2 * this.rows); steps > 0; steps--) {
      const slot = this.hand;
      this.hand = slot + 1 >= this.rows ? 0 : slot + 1;
      if (slot === current || !this.isInMemory(slot)) continue;
      if (this.used.get(slot) === 1) this.used.set(slot, 0);
      else if (!this.leave(slot)) return;
      else if (memory.used <= memory.bytesMax) return;
    }
  }

  /** False: there is no space for it elsewhere. */
  private leave(slot: number): boolean {
    const spill = this.spill!;
    if (!spill.has(slot) && !spill.write(slot, this.state(slot), this.newest(slot))) return false;
    for (const window of this.windows) window.delete(slot);
    this.count();
    return true;
  }

  /** Reads the places of the first `count` slots that their next events, up to `time`, will look at, side by side. The number means nothing. */
  touch(slots: readonly number[], count: number, time: number): number {
    let sum = 0;
    for (const window of this.windows) sum += window.touch(slots, count, time);
    return sum;
  }
}
