import type { PatternState, Run } from '../buffer/run.js';
import { isPlainTake } from '../compiler/compile.js';
import { type CompiledState, IGNORE } from '../compiler/compiled-state.js';
import type { EngineEvent } from '../event.js';
import { forgetLastTake, NOT_PLAIN, soleEdge } from '../nfa/plain-step.js';
import type { EventIndex } from './event-index.js';
import { type KeyState, NO_GROUPS, type SlotGroup, withFeatures } from './key-state.js';
import { SlotBits } from './slot-bits.js';
import { KINDS_MAX, type SlotKinds, slotKinds } from './slot-kinds.js';
import { HELD, type RuleSetOutput, type SlotState, slotMask } from './slot-state.js';
import { type SteppedSlots, stepAny, stepKnown } from './slot-step.js';

type FeatureState = KeyState['features'];

/** Where the runs of a state are more, its slots go one by one. */
const RUNS_MAX = 6;

/** What a compiled state does with a run, as a number. Equal numbers, equal results. */
const LEFT_ALONE = 0;
const LEFT_THOUGH_OVER = 1;
const OVER = 2;
const ENDS = 3;
const PASSES = 4;
const FIRST_TAKE = 5;
/** Above all numbers of `SlotKinds` and of this file. */
const CODES = 64;
/** It may complete a match, or cannot be told; no other number makes it finite again. */
const ALONE = Number.NEGATIVE_INFINITY;

/** Slots that do the same. */
interface Bucket {
  /** What their runs do, in one number. */
  doing: number;
  after: PatternState | undefined;
  /** The first `count` are meant. */
  readonly slots: number[];
  count: number;
}

/**
 * Gives an event to a key whose slots are in groups, or which begins many at once: of the slots that hold the very same state, and
 * do the same with the event, one is stepped, and the result is given to all.
 *
 * Whether slots do the same is told before any is stepped: for each run, from the compiled state that it is in, of which a thousand
 * patterns of one form have few. What may complete a match goes slot by slot, in ascending order, as matches must.
 *
 * Invariants
 * 1. The matches, and what becomes of each slot, are those of `processSeen` slot by slot: grouping changes no result.
 * 2. The slots of a group have no match that is held back, no gaps and no absences at the end: time alone changes nothing of them
 *    but that they end. They begin runs alike (`SlotKinds.beginning`).
 *
 * One object serves all keys, one after the other.
 */
export class GroupStep {
  readonly kinds: SlotKinds;
  private readonly starts: SlotBits;
  /** Slots that go alone, and then those that have a state of their own; of each of them that state and its mask. */
  private readonly alone: SlotBits;
  private readonly single: SlotBits;
  private readonly states: (SlotState | undefined)[];
  private readonly masks: Int32Array;
  /** What a state does with the run at hand, if `stamps` is `stamp`. */
  private readonly codes: Float64Array;
  private readonly stamps: Float64Array;
  private readonly stamp = new Float64Array(1);
  private readonly takes = new Map<number, number>();
  /** Of each slot of a group, what all its runs do. */
  private readonly doing: Float64Array;
  private readonly buckets: Bucket[] = [];
  private bucketCount = 0;
  private groups: SlotGroup[] = [];
  private isChanged = false;
  private index!: EventIndex;
  private event!: EngineEvent;
  private output!: RuleSetOutput;
  private now = 0;

  constructor(private readonly rules: SteppedSlots) {
    const { length } = rules.slots;
    this.kinds = slotKinds(rules.slots);
    this.starts = new SlotBits(length);
    this.alone = new SlotBits(length);
    this.single = new SlotBits(length);
    this.states = new Array<SlotState | undefined>(length).fill(undefined);
    this.masks = new Int32Array(length);
    this.codes = new Float64Array(this.kinds.states.length);
    this.stamps = new Float64Array(this.kinds.states.length);
    this.doing = new Float64Array(length);
  }

  /** `processSeen` but for the features; `index` has just looked at the event. Time-outs must not be wanted. */
  step(
    given: KeyState | undefined,
    features: FeatureState,
    event: EngineEvent,
    now: number,
    index: EventIndex,
    output: RuleSetOutput,
  ): KeyState | undefined {
    this.begin(event, now, index, output);
    if (given !== undefined) {
      this.passSingles(given);
      for (const group of given.groups) this.passGroup(group);
    }
    if (index.startCount > 0) this.startGroups();
    this.stepAlone();
    forgetLastTake();
    const groups = this.groups.length === 0 ? NO_GROUPS : this.groups;
    this.groups = [];
    const result = this.isChanged ? this.result(groups, features) : given;
    this.letGo();
    return this.isChanged || given?.features === features ? result : withFeatures(given, features);
  }

  private begin(event: EngineEvent, now: number, index: EventIndex, output: RuleSetOutput): void {
    this.event = event;
    this.now = now;
    this.index = index;
    this.output = output;
    this.isChanged = false;
    this.alone.clear();
    this.single.clear();
    if (index.startCount > 0) this.starts.words.set(index.starts.words);
    // Left over only if a condition has thrown.
    this.groups.length = 0;
  }

  private passSingles({ slots, states, masks }: KeyState): void {
    const looksAt = this.index.mask | HELD;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      const goes = this.takeStart(slot) || (masks[i]! & looksAt) !== 0;
      this.put(goes ? this.alone : this.single, slot, states[i]!, masks[i]!);
    }
  }

  private put(bits: SlotBits, slot: number, state: SlotState | undefined, mask: number): void {
    bits.add(slot);
    this.states[slot] = state;
    this.masks[slot] = mask;
  }

  private takeStart(slot: number): boolean {
    return this.index.startCount > 0 && this.starts.take(slot);
  }

  private passGroup(group: SlotGroup): void {
    const { startCount, mask } = this.index;
    const { state, slots } = group;
    if (startCount === 0 && (group.mask & mask) === 0) {
      this.groups.push(group);
      return;
    }
    const stays = this.tellDoing(group);
    if (stays) {
      this.groups.push(group);
      return;
    }
    this.bucketCount = 0;
    const same = this.bucket(LEFT_ALONE, state);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      const doing = this.doing[i]!;
      if (doing === LEFT_ALONE) addTo(same, slot);
      else if (doing === ALONE) this.put(this.alone, slot, state, slotMask(this.rules.slots[slot]!, state));
      else addTo(this.bucketOf(doing, slot, state, same), slot);
    }
    if (same.count === slots.length) {
      this.groups.push(group);
      same.after = undefined;
      return;
    }
    this.isChanged = true;
    this.keepBuckets();
  }

  /** Tells what all runs of each slot of the group do, in `doing`. Says whether all are left alone. */
  private tellDoing({ state, slots }: SlotGroup): boolean {
    const { doing, codes, stamps, stamp, kinds, index } = this;
    const { firstState, stateAt, bits } = kinds;
    const { mask } = index;
    const { partial } = state;
    const count = slots.length;
    const isOnly = partial.length === 2 && index.startCount === 0;
    doing.fill(partial.length - 1 > RUNS_MAX ? ALONE : 0, 0, count);
    let least = 0;
    let most = 0;
    for (let r = 0; r < partial.length; r++) {
      const run = partial[r]!;
      if (run.first === null) continue;
      const now = ++stamp[0]!;
      for (let i = 0; i < count; i++) {
        const at = stateAt[firstState[slots[i]!]! + run.state]!;
        if (isOnly && (bits[at]! & mask) === 0) continue;
        if (stamps[at] !== now) {
          stamps[at] = now;
          codes[at] = this.codeOf(kinds.states[at]!, run, isOnly);
        }
        const does = doing[i]! * CODES + codes[at]!;
        doing[i] = does;
        if (does < least) least = does;
        else if (does > most) most = does;
      }
    }
    return index.startCount === 0
      ? least === 0 && most === 0
      : this.tellStarts(state, slots) && least === 0 && most === 0;
  }

  /** Adds to `doing` how each slot begins a run, too. Says whether none does. */
  private tellStarts(state: PatternState, slots: readonly number[]): boolean {
    const { doing, rules } = this;
    let none = true;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      let begins = 0;
      if (this.takeStart(slot)) {
        none = false;
        // All begin alike: slots that do not are never in one group.
        begins = state.partial.length > rules.slots[slot]!.limits.runsMax ? ALONE : 1;
      }
      doing[i] = doing[i]! * CODES + begins;
    }
    return none;
  }

  /**
   * What the state does with the run. Finer than need be in places: which of two ways leads to the same is not asked. `isOnly`: it is
   * the only run, and none begins, so that it is not even asked whether it is over.
   */
  private codeOf(state: CompiledState, run: Run, isOnly: boolean): number {
    const { event, now } = this;
    if (state.gapMs > 0 || state.isPending) return ALONE;
    if (isOnly && state.interest.seen !== now) return LEFT_ALONE;
    const isOver = state.windowMs > 0 && event.time - run.first!.time >= state.windowMs;
    if (state.interest.seen !== now) return isOver ? LEFT_THOUGH_OVER : LEFT_ALONE;
    if (isOver) return OVER;
    const edge = soleEdge(state, event, run.head);
    if (edge === null) return ENDS;
    if (edge === NOT_PLAIN) return ALONE;
    if (edge.action === IGNORE) return edge.target === state ? PASSES : ALONE;
    return isPlainTake(edge) ? this.takeCode(edge.target.index, state.step) : ALONE;
  }

  private takeCode(target: number, step: number): number {
    const key = target * CODES + step;
    let code = this.takes.get(key);
    if (code === undefined) {
      if (step >= CODES || this.takes.size === KINDS_MAX) return ALONE;
      code = FIRST_TAKE + this.takes.size;
      this.takes.set(key, code);
    }
    return code;
  }

  private bucketOf(doing: number, slot: number, state: PatternState, same: Bucket): Bucket {
    for (let i = this.bucketCount - 1; i > 0; i--) {
      const bucket = this.buckets[i]!;
      if (bucket.doing === doing) return bucket.after === state ? same : bucket;
    }
    const { rules, event, now, output } = this;
    const after = this.index.canStart(slot)
      ? stepAny(rules, slot, state, event, output)
      : stepKnown(rules, slot, state, event, now, output);
    const made = this.bucket(doing, after as PatternState | undefined);
    return after === state ? same : made;
  }

  private bucket(doing: number, after: PatternState | undefined): Bucket {
    const known = this.buckets[this.bucketCount++];
    if (known === undefined) {
      const made: Bucket = { doing, after, slots: [], count: 0 };
      this.buckets.push(made);
      return made;
    }
    known.doing = doing;
    known.after = after;
    known.count = 0;
    return known;
  }

  /** Makes groups of the buckets. */
  private keepBuckets(): void {
    for (let i = 0; i < this.bucketCount; i++) {
      const bucket = this.buckets[i]!;
      const { after, slots, count } = bucket;
      bucket.after = undefined;
      if (after === undefined || count === 0) continue;
      if (count > 1) this.groups.push(slotGroup(this.kinds, after, slots.slice(0, count)));
      else this.put(this.single, slots[0]!, after, slotMask(this.rules.slots[slots[0]!]!, after));
    }
  }

  /** Begins runs in the slots that have nothing under way. */
  private startGroups(): void {
    const { starts, kinds, rules, event, output } = this;
    this.bucketCount = 0;
    for (let slot = starts.next(0); slot >= 0; slot = starts.next(slot + 1)) {
      const kind = kinds.beginning[slot]!;
      if (kind < 0) {
        this.put(this.alone, slot, undefined, 0);
        continue;
      }
      let at = 0;
      while (at < this.bucketCount && this.buckets[at]!.doing !== kind) at++;
      const bucket =
        at < this.bucketCount
          ? this.buckets[at]!
          : this.bucket(kind, stepAny(rules, slot, undefined, event, output) as PatternState);
      addTo(bucket, slot);
    }
    if (this.bucketCount > 0) this.isChanged = true;
    this.keepBuckets();
  }

  private stepAlone(): void {
    const { alone, states, rules, event, now, output, index } = this;
    for (let slot = alone.next(0); slot >= 0; slot = alone.next(slot + 1)) {
      const before = states[slot];
      const after =
        before === undefined || index.canStart(slot)
          ? stepAny(rules, slot, before, event, output)
          : stepKnown(rules, slot, before, event, now, output);
      if (after !== before) this.isChanged = true;
      if (after === undefined) states[slot] = undefined;
      else
        this.put(this.single, slot, after, after === before ? this.masks[slot]! : slotMask(rules.slots[slot]!, after));
    }
  }

  private result(groups: readonly SlotGroup[], features: FeatureState): KeyState | undefined {
    const { single } = this;
    if (single.next(0) < 0) {
      if (groups.length > 0) return { slots: NO_SLOTS, states: NO_STATES, masks: masksOf(groups), groups, features };
      return withFeatures(undefined, features);
    }
    const slots: number[] = [];
    const states: SlotState[] = [];
    const masks: number[] = [];
    for (let slot = single.next(0); slot >= 0; slot = single.next(slot + 1)) {
      slots.push(slot);
      states.push(this.states[slot]!);
      masks.push(this.masks[slot]!);
    }
    for (const group of groups) masks.push(group.mask);
    // An array that grew by `push` has room for many more, and a key's state is kept.
    return { slots: slots.slice(), states: states.slice(), masks: masks.slice(), groups, features };
  }

  private letGo(): void {
    const { single, states } = this;
    for (let slot = single.next(0); slot >= 0; slot = single.next(slot + 1)) states[slot] = undefined;
  }
}

const NO_SLOTS: readonly number[] = [];
const NO_STATES: readonly SlotState[] = [];
const masksOf = (groups: readonly SlotGroup[]): number[] => groups.map((group) => group.mask);

function addTo(bucket: Bucket, slot: number): void {
  bucket.slots[bucket.count++] = slot;
}

/** `slots`: ascending; they and the state are the group's from now on. */
export function slotGroup(kinds: SlotKinds, state: PatternState, slots: readonly number[]): SlotGroup {
  const { firstState, stateAt, bits, windowMs } = kinds;
  let mask = 0;
  let horizonMs = 0;
  for (const run of state.partial) {
    if (run.first === null) continue;
    for (let i = 0; i < slots.length; i++) mask |= bits[stateAt[firstState[slots[i]!]! + run.state]!]!;
  }
  for (let i = 0; i < slots.length; i++) horizonMs = Math.max(horizonMs, windowMs[slots[i]!]!);
  return { state, slots, mask, horizonMs };
}
