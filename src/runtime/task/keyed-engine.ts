import {
  advanceKey,
  canMatter,
  compileRuleSet,
  countRuns,
  decodeKeyState,
  type EngineEvent,
  type EventCodec,
  type KeyState,
  keyHorizon,
  type Limits,
  type Match,
  nextKeyDeadline,
  processSeen,
  type RuleSet,
  type RuleSetOutput,
  type SkipError,
  viewKeyState,
} from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { KeyMemory } from '../detector.js';
import { DoubleColumn, WordColumn } from '../keys/columns.js';
import { KeyTable } from '../keys/key-table.js';
import { type Freezer, SlotStates } from '../keys/slot-states.js';
import { TimerHeap } from '../keys/timer-heap.js';
import { ExpiryBuckets } from './expiry.js';

/** What the engine finds, as it finds it. */
export interface KeyedOutput {
  /** `at`: event time at which the match was complete, in ms. */
  onMatch(rule: Rule, key: string, match: Match, at: number): void;
  onRunsDropped?(rule: Rule, key: string, runs: number): void;
  onSkipError?(rule: Rule, key: string, error: SkipError): void;
}

export interface KeyedEngineOptions {
  readonly kindParents?: ReadonlyMap<string, string>;
  /** Bounds of each rule for each key. */
  readonly limits?: Partial<Limits>;
  /** Writes events, so that states can be kept as bytes. Without it all stay objects. */
  readonly codec?: EventCodec;
  /** Most keys whose state is kept as objects; the others' are bytes. Changes no result. Default 65,536. */
  readonly hotKeysMax?: number;
}

export const HOT_KEYS_MAX = 65_536;

const EXPIRY_WIDTH_MIN_MS = 1000;
/** Buckets within the longest window: a key is forgotten at most an eighth of it too late. */
const EXPIRY_BUCKETS = 8;

/** Rows of columns that are made at once, at most. */
const ROWS_AHEAD_MAX = 1024;

/** Flags of a slot. */
const DIRTY = 1;
/** Stands in the chain of slots that changed. */
const LISTED = 2;
/** Stands in an expiry bucket. */
const EXPIRES = 4;
const END = -1;

/**
 * The rules that share one key field, over all keys of a partition. A key is a slot, and what is known of it stands in
 * columns by slot; its state is an object while it is hot, and bytes while it is cold.
 *
 * Invariants
 * 1. A key has a slot exactly while it has state, a timer, a place in an expiry bucket or in the list of changed keys. So a
 *    slot that stands anywhere is the key's that was put there.
 * 2. A key with a deadline has a timer at or before it.
 * 3. Timers fire before an event of the same or a later time is processed, in order of deadline and key (not slot); so
 *    results do not depend on how the input was cut into batches, nor on restarts.
 * 4. A key whose state ends some day stands in an expiry bucket.
 * 5. Results do not depend on which keys are hot.
 */
export class KeyedEngine {
  readonly ruleSet: RuleSet;
  private readonly table = new KeyTable();
  private readonly states: SlotStates<KeyState>;
  private readonly timers = new TimerHeap((a, b) => this.table.compare(a, b));
  private readonly expiry: ExpiryBuckets;
  private readonly flags = new WordColumn();
  private readonly runsOf = new WordColumn();
  /** Bits of the interests that the key's runs wait for. */
  private readonly interests = new WordColumn();
  /** Event time from which on the key's state cannot matter, in ms. */
  private readonly endsAt = new DoubleColumn();
  /** The changed slots are a chain: the first, and the one after each. */
  private firstChanged = END;
  private readonly nextChanged = new WordColumn();
  private readonly columns: readonly { reserve(rows: number): void; readonly bytes: number }[];
  private readonly sink: RuleSetOutput;
  private rows = 0;
  private keysAlive = 0;
  private runsAlive = 0;
  private currentKey = '';
  private currentTime = 0;

  /** Throws `PatternError` when a rule's pattern cannot be compiled. All rules must have the key field `keyField`. */
  constructor(
    readonly keyField: string,
    readonly rules: readonly Rule[],
    output: KeyedOutput,
    options: KeyedEngineOptions = {},
  ) {
    this.ruleSet = compileRuleSet(rules, options);
    this.states = new SlotStates(freezer(this.ruleSet, options.codec), options.hotKeysMax ?? HOT_KEYS_MAX);
    const widest = Math.max(...this.ruleSet.patterns.map((pattern) => pattern.windowMs));
    this.expiry = new ExpiryBuckets(Math.max(EXPIRY_WIDTH_MIN_MS, widest / EXPIRY_BUCKETS));
    const { timers, expiry, flags, runsOf, interests, endsAt, nextChanged } = this;
    this.columns = [timers, expiry, flags, runsOf, interests, endsAt, nextChanged];
    this.sink = {
      slot: 0,
      onMatch: (match) => output.onMatch(rules[this.sink.slot]!, this.currentKey, match, this.currentTime),
      onRunsDropped: (runs) => output.onRunsDropped?.(rules[this.sink.slot]!, this.currentKey, runs),
      onSkipError: (error) => output.onSkipError?.(rules[this.sink.slot]!, this.currentKey, error),
    };
  }

  /** Keys with state. */
  get keys(): number {
    return this.keysAlive;
  }

  get runs(): number {
    return this.runsAlive;
  }

  memory(): KeyMemory {
    const { states } = this;
    return {
      hotKeys: states.hotKeys,
      coldKeys: states.coldKeys,
      coldBytes: states.coldBytes,
      tableBytes: this.columns.reduce((sum, column) => sum + column.bytes, states.overheadBytes + this.table.bytes),
    };
  }

  /**
   * Processes one event of a key; says whether it is now part of the key's state. This is where an event meets a key: most
   * events end here, at the event alone, or at the column that tells what the key waits for, with its state left as it lies.
   */
  process(key: string, event: EngineEvent): boolean {
    if (!canMatter(this.ruleSet, event)) return false;
    const slot = this.table.find(key);
    if (!this.concerns(slot)) return false;
    const before = slot < 0 ? undefined : this.states.get(slot);
    this.currentKey = key;
    this.currentTime = event.time;
    const after = processSeen(this.ruleSet, before, event, this.sink);
    if (after === before) return false;
    this.store(slot < 0 ? this.slotOf(key) : slot, after);
    return true;
  }

  /** Time of the earliest timer; infinity: none. */
  nextTimer(): number {
    return this.timers.nextTime();
  }

  /** Fires the earliest timer. */
  fireNext(): void {
    const deadline = this.timers.nextTime();
    const slot = this.timers.pop();
    if (slot >= 0) this.fire(slot, deadline);
  }

  /** Forgets keys whose last window ended before `time`. Changes no result; for memory alone. */
  sweep(time: number): void {
    this.expiry.sweep(time, (slot) => this.lookAtExpired(slot, time));
  }

  /** The keys that changed since the last call, with their states or the bytes of those; `undefined`: the key is gone. */
  takeDirty(): ReadonlyMap<string, KeyState | Uint8Array | undefined> {
    const changed = new Map<string, KeyState | Uint8Array | undefined>();
    let slot = this.firstChanged;
    this.firstChanged = END;
    while (slot !== END) {
      const next = this.nextChanged.get(slot);
      const flags = this.flags.get(slot);
      this.flags.set(slot, flags & ~(DIRTY | LISTED));
      if (flags & DIRTY) {
        const state = this.states.peek(slot);
        changed.set(this.table.keyAt(slot), state instanceof Uint8Array ? state.slice() : state);
      }
      this.releaseIfUnused(slot);
      slot = next;
    }
    return changed;
  }

  /** Counts keys as changed, whatever they are now. */
  markDirty(keys: Iterable<string>): void {
    for (const key of keys) this.touch(this.slotOf(key));
  }

  /** Puts back the state of a key, as it was read from a store at a watermark. */
  restore(key: string, state: KeyState, watermark: number): void {
    this.currentTime = watermark;
    const slot = this.slotOf(key);
    this.keep(slot, state);
    this.flags.set(slot, this.flags.get(slot) & ~DIRTY);
  }

  /** Whether the event that was just looked at can begin something, or change what is known of the key; -1: nothing is. */
  private concerns(slot: number): boolean {
    const { index, features } = this.ruleSet;
    if (index.startCount > 0 || features !== null) return true;
    return slot >= 0 && (index.mask & this.interests.get(slot)) !== 0;
  }

  private fire(slot: number, deadline: number): void {
    const before = this.states.get(slot);
    if (before === undefined) {
      this.releaseIfUnused(slot);
      return;
    }
    this.currentKey = this.table.keyAt(slot);
    this.currentTime = deadline;
    const after = advanceKey(this.ruleSet, before, deadline, this.sink);
    if (after === before) this.schedule(slot, before);
    else this.store(slot, after);
  }

  /** State that has ended cannot matter, so it need not be looked at. */
  private lookAtExpired(slot: number, time: number): void {
    const has = this.states.has(slot);
    const end = this.endsAt.get(slot);
    if (has && end > time && this.expiry.add(slot, end)) return;
    this.flags.set(slot, this.flags.get(slot) & ~EXPIRES);
    if (has && end <= time) this.store(slot, undefined);
    else this.releaseIfUnused(slot);
  }

  private store(slot: number, state: KeyState | undefined): void {
    this.touch(slot);
    if (state === undefined) this.drop(slot);
    else this.keep(slot, state);
  }

  private keep(slot: number, state: KeyState): void {
    const runs = countRuns(state);
    this.runsAlive += runs - this.runsOf.get(slot);
    this.runsOf.set(slot, runs);
    if (!this.states.has(slot)) this.keysAlive++;
    this.states.set(slot, state);
    this.interests.set(slot, interestsOf(state));
    const end = this.currentTime + keyHorizon(this.ruleSet, state);
    this.endsAt.set(slot, end);
    const flags = this.flags.get(slot);
    if (!(flags & EXPIRES) && this.expiry.add(slot, end)) this.flags.set(slot, flags | EXPIRES);
    this.schedule(slot, state);
  }

  private drop(slot: number): void {
    this.runsAlive -= this.runsOf.get(slot);
    this.runsOf.set(slot, 0);
    this.interests.set(slot, 0);
    if (!this.states.has(slot)) return;
    this.keysAlive--;
    this.states.delete(slot);
  }

  private schedule(slot: number, state: KeyState): void {
    const deadline = nextKeyDeadline(this.ruleSet, state);
    // A later deadline is found when the timer that is set fires.
    if (deadline !== Number.POSITIVE_INFINITY) this.timers.advance(slot, deadline);
  }

  private touch(slot: number): void {
    const flags = this.flags.get(slot);
    if (flags & DIRTY) return;
    this.flags.set(slot, flags | DIRTY | LISTED);
    if (flags & LISTED) return;
    this.nextChanged.set(slot, this.firstChanged);
    this.firstChanged = slot;
  }

  private slotOf(key: string): number {
    const slot = this.table.add(key);
    if (slot >= this.rows) this.addRows(slot + 1 + Math.min(slot >> 3, ROWS_AHEAD_MAX));
    return slot;
  }

  private addRows(rows: number): void {
    this.rows = rows;
    this.states.reserve(rows);
    for (const column of this.columns) column.reserve(rows);
  }

  private releaseIfUnused(slot: number): void {
    if (this.flags.get(slot) !== 0 || this.states.has(slot)) return;
    if (this.timers.timeOf(slot) === Number.POSITIVE_INFINITY) this.table.remove(slot);
  }
}

function interestsOf(state: KeyState): number {
  let interests = 0;
  for (const mask of state.masks) interests |= mask;
  return interests;
}

function freezer(rules: RuleSet, codec: EventCodec | undefined): Freezer<KeyState> | null {
  if (codec === undefined) return null;
  return {
    freeze: (state) => viewKeyState(state, codec),
    thaw: (bytes) => decodeKeyState(bytes, rules, codec)!,
  };
}
