import {
  compileRuleSet,
  countRuns,
  featuresHorizon,
  type KeyState,
  keyHorizon,
  nextKeyDeadline,
  type RuleSet,
  withFeatures,
  withoutBegun,
} from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { ByteSlabs } from '../../byte-slabs.js';
import { ChangeList } from '../../keys/change-list.js';
import { type Freezer, SlotStates } from '../../keys/states/slot-states.js';
import { rowsFor, WordColumn } from '../../keys/table/columns.js';
import { KeyTable } from '../../keys/table/key-table.js';
import { KeyWaits } from '../../keys/timers/key-waits.js';
import { TimerHeap } from '../../keys/timers/timer-heap.js';
import { KeyWindows } from '../../keys/windows/key-windows.js';
import { Notes } from '../notes.js';
import { BegunRuns } from './begun-runs.js';
import { ExpiryBuckets } from './expiry.js';
import { freezer, interestsOf, reachOf } from './key-freezer.js';
import { HOT_KEYS_MAX, type KeyedEngineOptions, type KeyedOutput } from './keyed-options.js';
import { RuleSink } from './rule-sink.js';

/**
 * What is known of the keys of an engine. A key is a slot, and what is known of it stands in columns by slot. The windows of its features
 * are kept apart, as numbers, and so may be events that have begun runs and done nothing else; the rest of its state is an object
 * while it is hot, and bytes while it is cold.
 *
 * Invariants
 * 1. A key has a slot exactly while it has state, a timer, a place in an expiry bucket or in the list of changed keys. So a
 *    slot that stands anywhere is the key's that was put there.
 * 2. A key with a deadline has a timer at or before it.
 * 3. A key whose state ends some day stands in an expiry bucket.
 */
export abstract class KnownKeys {
  readonly ruleSet: RuleSet;
  readonly notes: Notes | null;
  protected readonly sink: RuleSink;
  protected readonly table = new KeyTable();
  /** Key states without features and without what is in `begun`. */
  protected readonly states: SlotStates<KeyState>;
  /** `null`: no rule has features. */
  protected readonly windows: KeyWindows | null;
  /** `null`: all runs are in states. */
  protected readonly begun: BegunRuns | null;
  protected readonly freezer: Freezer<KeyState> | null;
  protected readonly timers = new TimerHeap((a, b) => this.table.compare(a, b));
  protected readonly expiry: ExpiryBuckets;
  protected readonly changes: ChangeList<KeyState | Uint8Array>;
  protected readonly tellsChanges: boolean;
  protected readonly runsOf = new WordColumn();
  /** Bits of the interests that the key's runs wait for, and until when its state without features can matter. */
  protected readonly waits = new KeyWaits();
  protected readonly columns: readonly { reserve(rows: number): void; readonly bytes: number }[];
  protected rows = 0;
  protected keysAlive = 0;
  protected runsAlive = 0;

  constructor(rules: readonly Rule[], output: KeyedOutput, options: KeyedEngineOptions) {
    this.ruleSet = compileRuleSet(rules, options);
    const { features } = this.ruleSet;
    this.windows =
      features === null ? null : new KeyWindows(features, options.spill, (slot) => this.changes.beforeLoss(slot));
    this.notes = Notes.of(rules, this.ruleSet);
    this.tellsChanges = options.tellsChanges ?? true;
    this.begun = this.tellsChanges ? null : BegunRuns.of(this.ruleSet, this.notes, options.heldEvents);
    this.freezer = freezer(this.ruleSet, options.codec);
    const weightOf = (slot: number): number => Math.max(1, this.runsOf.get(slot));
    this.states = new SlotStates(this.freezer, options.hotKeysMax ?? HOT_KEYS_MAX, weightOf);
    this.expiry = ExpiryBuckets.within(reachOf(this.ruleSet));
    this.changes = new ChangeList({
      slotOf: (key) => this.slotOf(key),
      keyAt: (slot) => this.table.keyAt(slot),
      valueAt: (slot) => this.viewAt(slot),
      keep: (value, slabs) => this.kept(value, slabs),
      onForgotten: (slot) => this.releaseIfUnused(slot),
    });
    this.columns = [
      ...[this.timers, this.expiry, this.changes, this.runsOf, this.waits],
      ...(this.begun === null ? [] : [this.begun]),
    ];
    this.sink = new RuleSink(rules, this.ruleSet, output, (slot, time) => this.windows?.read(slot, time));
  }

  protected isKnown(slot: number): boolean {
    return this.states.has(slot) || this.hasWindows(slot) || this.hasBegun(slot);
  }

  private hasWindows(slot: number): boolean {
    return this.windows?.has(slot) === true;
  }

  private hasBegun(slot: number): boolean {
    return this.begun?.has(slot) === true;
  }

  protected beginWindows(slot: number, time: number): void {
    if (this.isKnown(slot)) return;
    this.keysAlive++;
    this.expiry.add(slot, time + featuresHorizon(this.ruleSet.features!));
  }

  /** Event time after which nothing that is known of the key can matter. */
  protected endOf(slot: number): number {
    const end = this.states.has(slot) || this.hasBegun(slot) ? this.waits.endOf(slot) : Number.NEGATIVE_INFINITY;
    if (this.windows === null) return end;
    return Math.max(end, this.windows.newest(slot) + featuresHorizon(this.ruleSet.features!));
  }

  /** What is known of the key, as a value of its own. */
  protected valueAt(slot: number): KeyState | Uint8Array | undefined {
    const value = this.viewAt(slot);
    return value instanceof Uint8Array ? value.slice() : value;
  }

  /** What `viewAt` has told, for good: as bytes, if there is a way to write them. */
  private kept(value: KeyState | Uint8Array, slabs: ByteSlabs): KeyState | Uint8Array {
    if (value instanceof Uint8Array) return slabs.keep(value);
    return this.freezer === null ? value : slabs.keep(this.freezer.freeze(value));
  }

  /** `valueAt`, whose bytes are a view that holds until the next call. */
  private viewAt(slot: number): KeyState | Uint8Array | undefined {
    const state = this.states.peek(slot);
    const isAlone = !this.hasBegun(slot);
    if (isAlone && !this.hasWindows(slot)) return state;
    const known = state instanceof Uint8Array ? this.freezer!.thaw(state) : state;
    const whole = isAlone ? known : this.begun!.whole(slot, known, Number.NEGATIVE_INFINITY);
    return withFeatures(whole, this.windows?.state(slot));
  }

  /** The state of a key to which an event comes at `time`, without features. Slot -1: of a key that has none. */
  protected stateAt(slot: number, time: number): KeyState | undefined {
    const state = slot < 0 ? undefined : this.states.get(slot);
    const { begun } = this;
    if (begun === null || slot < 0 || !begun.has(slot)) return state;
    const whole = begun.whole(slot, state, time)!;
    if (begun.isWorthIt) return whole;
    this.forgetBegun(slot);
    this.keep(slot, whole);
    return whole;
  }

  /** `after`, which has come of the state that `stateAt` has told: without what is in `begun`, if that is still as it was. */
  protected rest(slot: number, before: KeyState | undefined, after: KeyState | undefined): KeyState | undefined {
    if (slot < 0 || !this.hasBegun(slot)) return after;
    let rest = after;
    for (const rule of this.begun!.rulesOf(slot)) {
      const without = withoutBegun(before!, rest, rule);
      if (without === false) {
        this.forgetBegun(slot);
        return after;
      }
      rest = without;
    }
    return rest;
  }

  protected store(slot: number, state: KeyState | undefined): void {
    if (this.tellsChanges) this.changes.mark(slot);
    if (state === undefined) this.drop(slot);
    else this.keep(slot, state);
  }

  /** `bytes`: of the state, where it is to be cold. */
  protected keep(slot: number, state: KeyState, bytes?: Uint8Array): void {
    if (!this.isKnown(slot)) this.keysAlive++;
    this.noteRuns(slot, state);
    if (bytes === undefined || this.freezer === null) this.states.set(slot, state);
    else this.states.setCold(slot, bytes);
    if (!this.expiry.has(slot)) this.expiry.add(slot, this.endOf(slot));
    this.schedule(slot, state);
  }

  /** What the key has under way: in its state, and beside it. */
  private noteRuns(slot: number, state: KeyState | undefined): void {
    const { begun } = this;
    let runs = countRuns(state);
    let mask = state === undefined ? 0 : interestsOf(state);
    let end = state === undefined ? Number.NEGATIVE_INFINITY : this.sink.time + keyHorizon(this.ruleSet, state);
    if (begun?.has(slot) === true) {
      runs += begun.runs(slot);
      mask |= begun.mask(slot);
      end = Math.max(end, begun.endOf(slot));
    }
    this.runsAlive += runs - this.runsOf.get(slot);
    this.runsOf.set(slot, runs);
    this.waits.set(slot, mask, end);
  }

  /** An event was added to `begun`. `isNew`: nothing was known of the key before. */
  protected noteBegun(slot: number, isNew: boolean): void {
    if (isNew) this.keysAlive++;
    this.noteRuns(slot, this.states.get(slot));
    if (!this.expiry.has(slot)) this.expiry.add(slot, this.endOf(slot));
  }

  private forgetBegun(slot: number): void {
    if (!this.hasBegun(slot)) return;
    this.begun!.clear(slot);
    if (!this.isKnown(slot)) this.keysAlive--;
  }

  /** Forgets the state of the key: what there is beside it stays. */
  private drop(slot: number): void {
    if (this.states.has(slot)) {
      this.states.delete(slot);
      if (!this.isKnown(slot)) this.keysAlive--;
      else if (!this.expiry.has(slot)) this.expiry.add(slot, this.endOf(slot));
    }
    if (this.hasBegun(slot)) this.noteRuns(slot, undefined);
    else this.noteNone(slot);
    this.releaseIfUnused(slot);
  }

  private noteNone(slot: number): void {
    this.runsAlive -= this.runsOf.get(slot);
    this.runsOf.set(slot, 0);
    this.waits.clear(slot);
  }

  /** Forgets all that is known of the key. */
  protected forget(slot: number): void {
    if (this.hasWindows(slot)) {
      this.windows!.delete(slot);
      if (!this.isKnown(slot)) this.keysAlive--;
    }
    this.forgetBegun(slot);
    this.drop(slot);
  }

  protected schedule(slot: number, state: KeyState): void {
    const deadline = nextKeyDeadline(this.ruleSet, state);
    // A later deadline is found when the timer that is set fires.
    if (deadline !== Number.POSITIVE_INFINITY) this.timers.advance(slot, deadline);
  }

  protected slotOf(key: string): number {
    const slot = this.table.add(key);
    if (slot >= this.rows) this.addRows(rowsFor(slot));
    return slot;
  }

  private addRows(rows: number): void {
    this.rows = rows;
    this.states.reserve(rows);
    this.windows?.reserve(rows);
    for (const column of this.columns) column.reserve(rows);
  }

  protected releaseIfUnused(slot: number): void {
    if (this.isKnown(slot) || this.expiry.has(slot) || this.changes.has(slot)) return;
    if (this.timers.timeOf(slot) === Number.POSITIVE_INFINITY) this.table.remove(slot);
  }
}
