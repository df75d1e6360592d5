import { ByteStore } from '../table/byte-store.js';
import { WordColumn } from '../table/columns.js';

/** Turns a state into bytes and back. The bytes given to `thaw` are a view that it must not keep. */
export interface Freezer<S> {
  /** A view that holds until the next call will do. */
  freeze(state: S): Uint8Array;
  thaw(bytes: Uint8Array): S;
}

/** Hot states that the clock's hand may pass over, in search of one that was not used since it came by. */
const HAND_STEPS_MAX = 32;
/** States that one call makes cold at most. */
const FROZEN_AT_ONCE = 4;
const NONE = 0;
const COLD = -1;

/**
 * A state for each slot: as an object while it is hot, as bytes outside the garbage-collected heap while it is cold. States
 * never change; a new one is set in place of the old.
 *
 * Invariants
 * 1. Hot states weigh `hotMax` together at most, or one of them is heavier than that alone. A call that has them weigh more makes
 *    some others cold, chosen by second chance, but only `FROZEN_AT_ONCE`, so that no call is long; the next ones go on with it.
 * 2. A hot slot that has bytes, too, has the very state that the bytes say: making it cold again costs nothing.
 */
export class SlotStates<S> {
  /** 0: no state; -1: cold; otherwise the place among the hot ones, plus one. */
  private readonly places = new WordColumn(NONE);
  private readonly bytes = new ByteStore();
  /** By place; places are taken without gaps. */
  private readonly hot: S[] = [];
  /** By place: the slot twice, and one more if it was used since the hand came by. */
  private readonly owners = new WordColumn();
  private readonly weights = new WordColumn();
  private hand = 0;
  private hotWeight = 0;
  private coldCount = 0;
  private readonly hotMax: number;

  /**
   * Without a freezer everything stays hot. `hotMax` is at least 1. `weightOf`: of the state that a slot has or is about to have, at
   * least 1; absent: each weighs 1.
   */
  constructor(
    private readonly freezer: Freezer<S> | null,
    hotMax: number,
    private readonly weightOf: (slot: number) => number = () => 1,
  ) {
    this.hotMax = freezer === null ? Number.POSITIVE_INFINITY : Math.max(1, hotMax);
  }

  /** Slots with a state that is an object. */
  get hotKeys(): number {
    return this.hot.length;
  }

  /** Slots whose state is bytes alone. */
  get coldKeys(): number {
    return this.coldCount;
  }

  /** Bytes of all states that have bytes. */
  get coldBytes(): number {
    return this.bytes.bytesHeld;
  }

  /** Memory taken for places, and for bytes beyond `coldBytes`. */
  get overheadBytes(): number {
    const { places, owners, weights, bytes } = this;
    return places.bytes + owners.bytes + weights.bytes + bytes.indexBytes + bytes.bytesWasted;
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    this.places.reserve(slots);
    this.bytes.reserve(slots);
  }

  has(slot: number): boolean {
    return this.places.get(slot) !== NONE;
  }

  isCold(slot: number): boolean {
    return this.places.get(slot) === COLD;
  }

  /** The state, which is hot from now on. */
  get(slot: number): S | undefined {
    // The places of so many slots need not be read to know that none has a state.
    if (this.hot.length + this.coldCount === 0) return undefined;
    const place = this.places.get(slot);
    if (place > 0) {
      if (this.freezer !== null) this.owners.set(place - 1, (slot << 1) | 1);
      return this.hot[place - 1];
    }
    if (place === NONE) return undefined;
    const state = this.freezer!.thaw(this.bytes.get(slot));
    this.coldCount--;
    this.warm(slot, state);
    return state;
  }

  /** As it is now: an object, or bytes in a view that holds until the next call. */
  peek(slot: number): S | Uint8Array | undefined {
    const place = this.places.get(slot);
    return place === NONE ? undefined : place === COLD ? this.bytes.get(slot) : this.hot[place - 1];
  }

  set(slot: number, state: S): void {
    const place = this.places.get(slot);
    if (this.bytes.has(slot)) this.bytes.delete(slot);
    if (place > 0) {
      this.hot[place - 1] = state;
      this.weigh(place - 1, slot);
      this.makeRoom(0);
      return;
    }
    if (place === COLD) this.coldCount--;
    this.warm(slot, state);
  }

  /** Sets a state that is given as bytes, and leaves it cold. To be used with a freezer alone. The bytes are copied. */
  setCold(slot: number, bytes: Uint8Array): void {
    this.delete(slot);
    this.bytes.put(slot, bytes);
    this.places.set(slot, COLD);
    this.coldCount++;
  }

  delete(slot: number): void {
    const place = this.places.get(slot);
    if (place === NONE) return;
    if (place === COLD) this.coldCount--;
    else this.vacate(place - 1);
    if (this.bytes.has(slot)) this.bytes.delete(slot);
    this.places.set(slot, NONE);
  }

  private warm(slot: number, state: S): void {
    this.makeRoom(this.weightOf(slot));
    const place = this.hot.push(state) - 1;
    this.owners.reserve(place + 1);
    this.weights.reserve(place + 1);
    this.owners.set(place, slot << 1);
    this.weights.set(place, 0);
    this.weigh(place, slot);
    this.places.set(slot, place + 1);
  }

  private weigh(place: number, slot: number): void {
    const weight = this.weightOf(slot);
    this.hotWeight += weight - this.weights.get(place);
    this.weights.set(place, weight);
  }

  /** The last one moves to the place, so that there are no gaps. */
  private vacate(place: number): void {
    const { hot, owners, weights } = this;
    this.hotWeight -= weights.get(place);
    const last = hot.pop()!;
    const from = hot.length;
    if (place === from) return;
    hot[place] = last;
    owners.set(place, owners.get(from));
    weights.set(place, weights.get(from));
    this.places.set(owners.get(from) >>> 1, place + 1);
  }

  /** Makes others cold until so much more would not be too much. */
  private makeRoom(more: number): void {
    if (this.hotWeight + more <= this.hotMax) return;
    for (let n = 0; n < FROZEN_AT_ONCE && this.hot.length > 0; n++) {
      this.freezeOne();
      if (this.hotWeight + more <= this.hotMax) return;
    }
  }

  /** The first that the hand finds unused is given up. */
  private freezeOne(): void {
    for (let steps = 0; steps < HAND_STEPS_MAX && this.wasUsed(this.nextPlace()); steps++) this.hand++;
    const place = this.nextPlace();
    const slot = this.owners.get(place) >>> 1;
    if (!this.bytes.has(slot)) this.bytes.put(slot, this.freezer!.freeze(this.hot[place]!));
    this.places.set(slot, COLD);
    this.vacate(place);
    this.coldCount++;
    // What took its place was used last: the hand goes on behind it.
    this.hand++;
  }

  /** Where the hand is. */
  private nextPlace(): number {
    if (this.hand >= this.hot.length) this.hand = 0;
    return this.hand;
  }

  private wasUsed(place: number): boolean {
    const owner = this.owners.get(place);
    this.owners.set(place, owner & ~1);
    return (owner & 1) === 1;
  }
}
