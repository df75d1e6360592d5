import { ByteStore } from './byte-store.js';
import { WordColumn } from './columns.js';

/** Turns a state into bytes and back. The bytes given to `thaw` are a view that it must not keep. */
export interface Freezer<S> {
  /** A view that holds until the next call will do. */
  freeze(state: S): Uint8Array;
  thaw(bytes: Uint8Array): S;
}

/** Hot states that the clock's hand may pass over, in search of one that was not used since it came by. */
const HAND_STEPS_MAX = 32;
const NONE = 0;
const COLD = -1;

/**
 * A state for each slot: as an object while it is hot, as bytes outside the garbage-collected heap while it is cold. States
 * never change; a new one is set in place of the old.
 *
 * Invariants
 * 1. At most `hotMax` states are objects. Making one hot makes at most one other cold, chosen by second chance; so no call
 *    is long.
 * 2. A hot slot that has bytes, too, has the very state that the bytes say: making it cold again costs nothing.
 */
export class SlotStates<S> {
  /** 0: no state; -1: cold; otherwise the place among the hot ones, plus one. */
  private readonly places = new WordColumn(NONE);
  private readonly bytes = new ByteStore();
  private readonly hot: (S | undefined)[] = [];
  /** By place: the slot twice, and one more if it was used since the hand came by. Of a vacant place: the next one, or -1. */
  private readonly owners = new WordColumn();
  private vacant = -1;
  private hand = 0;
  private hotCount = 0;
  private coldCount = 0;
  private readonly hotMax: number;

  /** Without a freezer everything stays hot. `hotMax` is at least 1. */
  constructor(
    private readonly freezer: Freezer<S> | null,
    hotMax: number,
  ) {
    this.hotMax = freezer === null ? Number.POSITIVE_INFINITY : Math.max(1, hotMax);
  }

  /** Slots with a state that is an object. */
  get hotKeys(): number {
    return this.hotCount;
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
    return this.places.bytes + this.owners.bytes + this.bytes.indexBytes + this.bytes.bytesWasted;
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
    if (this.hotCount + this.coldCount === 0) return undefined;
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
    const place = this.takePlace();
    this.hot[place] = state;
    this.owners.set(place, slot << 1);
    this.places.set(slot, place + 1);
    this.hotCount++;
  }

  private vacate(place: number): void {
    this.hot[place] = undefined;
    this.owners.set(place, this.vacant);
    this.vacant = place;
    this.hotCount--;
  }

  private takePlace(): number {
    if (this.vacant < 0 && this.hot.length < this.hotMax) {
      this.owners.reserve(this.hot.length + 1);
      return this.hot.push(undefined) - 1;
    }
    if (this.vacant < 0) this.freezeOne();
    const place = this.vacant;
    this.vacant = this.owners.get(place);
    return place;
  }

  /** Every place is taken: the first that the hand finds unused is given up. */
  private freezeOne(): void {
    let steps = 0;
    while (this.wasUsed(this.hand) && steps++ < HAND_STEPS_MAX) this.moveHand();
    const slot = this.owners.get(this.hand) >>> 1;
    if (!this.bytes.has(slot)) this.bytes.put(slot, this.freezer!.freeze(this.hot[this.hand]!));
    this.places.set(slot, COLD);
    this.vacate(this.hand);
    this.coldCount++;
    this.moveHand();
  }

  private wasUsed(place: number): boolean {
    const owner = this.owners.get(place);
    this.owners.set(place, owner & ~1);
    return (owner & 1) === 1;
  }

  private moveHand(): void {
    this.hand = this.hand + 1 === this.hot.length ? 0 : this.hand + 1;
  }
}
