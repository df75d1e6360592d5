import {
  advanceKey,
  compileRuleSet,
  countRuns,
  type EngineEvent,
  type KeyState,
  keyHorizon,
  type Match,
  nextKeyDeadline,
  processKey,
  type RuleSet,
  type RuleSetOutput,
  type SkipError,
} from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import { ExpiryBuckets } from './expiry.js';
import { MinHeap } from './min-heap.js';

/** What the engine finds, as it finds it. */
export interface KeyedOutput {
  /** `at`: event time at which the match was complete, in ms. */
  onMatch(rule: Rule, key: string, match: Match, at: number): void;
  onRunsDropped?(rule: Rule, key: string, runs: number): void;
  onSkipError?(rule: Rule, key: string, error: SkipError): void;
}

export interface KeyedEngineOptions {
  readonly kindParents?: ReadonlyMap<string, string>;
  readonly runsMax?: number;
}

interface KeyEntry {
  state: KeyState | undefined;
  runs: number;
  /** Deadline of the key's timer that counts; infinity: none is set. */
  scheduled: number;
  /** Event time of the last change, in ms. */
  changedAt: number;
  /** Stands in an expiry bucket. */
  expires: boolean;
  /** Changed since `takeDirty`. */
  dirty: boolean;
}

const EXPIRY_WIDTH_MIN_MS = 1000;
/** Buckets within the longest window: a key is forgotten at most an eighth of it too late. */
const EXPIRY_BUCKETS = 8;

/** When the next window of a key ends. */
interface Timer {
  readonly deadline: number;
  readonly key: string;
}

/** By deadline, then by key: the order must not depend on when a timer was set, so that a restored task fires alike. */
const firesBefore = (a: Timer, b: Timer): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.key < b.key);

/**
 * The rules that share one key field, over all keys of a partition.
 *
 * Invariants
 * 1. A key has an entry exactly while it has state.
 * 2. A key with a deadline has a timer at or before it. A timer whose time is not the entry's `scheduled` is void.
 * 3. Timers fire before an event of the same or a later time is processed, in order of deadline and key; so results do not
 *    depend on how the input was cut into batches.
 * 4. An entry whose state ends some day stands in an expiry bucket.
 */
export class KeyedEngine {
  readonly ruleSet: RuleSet;
  private readonly entries = new Map<string, KeyEntry>();
  private readonly timers = new MinHeap<Timer>(firesBefore);
  private readonly expiry: ExpiryBuckets;
  private readonly sink: RuleSetOutput;
  /** Keys whose state changed since `takeDirty`. */
  private dirty = new Set<string>();
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
    const widest = Math.max(...this.ruleSet.patterns.map((pattern) => pattern.windowMs));
    this.expiry = new ExpiryBuckets(Math.max(EXPIRY_WIDTH_MIN_MS, widest / EXPIRY_BUCKETS));
    this.sink = {
      slot: 0,
      onMatch: (match) => output.onMatch(rules[this.sink.slot]!, this.currentKey, match, this.currentTime),
      onRunsDropped: (runs) => output.onRunsDropped?.(rules[this.sink.slot]!, this.currentKey, runs),
      onSkipError: (error) => output.onSkipError?.(rules[this.sink.slot]!, this.currentKey, error),
    };
  }

  get keys(): number {
    return this.entries.size;
  }

  get runs(): number {
    return this.runsAlive;
  }

  /** Processes one event of a key; says whether it is now part of the key's state. */
  process(key: string, event: EngineEvent): boolean {
    const entry = this.entries.get(key);
    const before = entry?.state;
    this.currentKey = key;
    this.currentTime = event.time;
    const after = processKey(this.ruleSet, before, event, this.sink);
    if (after === before) return false;
    this.store(key, entry, after);
    return true;
  }

  /** Time of the earliest timer; infinity: none. */
  nextTimer(): number {
    return this.timers.peek()?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Fires the earliest timer. */
  fireNext(): void {
    const timer = this.timers.pop();
    if (timer !== undefined) this.fire(timer.key, timer.deadline);
  }

  /** Forgets keys whose last window ended before `time`. Changes no result; for memory alone. */
  sweep(time: number): void {
    this.expiry.sweep(time, (key) => this.lookAtExpired(key, time));
  }

  /** The keys that changed since the last call, with their states; `undefined`: the key is gone. */
  takeDirty(): ReadonlyMap<string, KeyState | undefined> {
    const changed = new Map<string, KeyState | undefined>();
    for (const key of this.dirty) {
      const entry = this.entries.get(key);
      if (entry !== undefined) entry.dirty = false;
      changed.set(key, entry?.state);
    }
    this.dirty = new Set();
    return changed;
  }

  /** Counts keys as changed, whatever they are now. */
  markDirty(keys: Iterable<string>): void {
    for (const key of keys) {
      const entry = this.entries.get(key);
      if (entry !== undefined) entry.dirty = true;
      this.dirty.add(key);
    }
  }

  /** Puts back the state of a key, as it was read from a store at a watermark. */
  restore(key: string, state: KeyState, watermark: number): void {
    this.currentTime = watermark;
    this.store(key, this.entries.get(key), state);
    this.entries.get(key)!.dirty = false;
    this.dirty.delete(key);
  }

  private fire(key: string, deadline: number): void {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.scheduled !== deadline) return;
    entry.scheduled = Number.POSITIVE_INFINITY;
    this.currentKey = key;
    this.currentTime = deadline;
    const after = advanceKey(this.ruleSet, entry.state, deadline, this.sink);
    if (after === entry.state) this.schedule(key, entry, entry.state!);
    else this.store(key, entry, after);
  }

  private lookAtExpired(key: string, time: number): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    const end = entry.changedAt + keyHorizon(this.ruleSet, entry.state!);
    if (end > time) {
      entry.expires = this.expiry.add(key, end);
    } else {
      entry.expires = false;
      this.currentKey = key;
      this.currentTime = time;
      this.store(key, entry, advanceKey(this.ruleSet, entry.state, time, this.sink));
    }
  }

  private store(key: string, known: KeyEntry | undefined, state: KeyState | undefined): void {
    const runs = countRuns(state);
    this.runsAlive += runs - (known?.runs ?? 0);
    if (state === undefined) {
      this.entries.delete(key);
      this.dirty.add(key);
      return;
    }
    const entry = known ?? {
      state,
      runs,
      scheduled: Number.POSITIVE_INFINITY,
      changedAt: 0,
      expires: false,
      dirty: false,
    };
    entry.state = state;
    entry.runs = runs;
    entry.changedAt = this.currentTime;
    if (known === undefined) this.entries.set(key, entry);
    if (!entry.expires) entry.expires = this.expiry.add(key, this.currentTime + keyHorizon(this.ruleSet, state));
    if (!entry.dirty) {
      entry.dirty = true;
      this.dirty.add(key);
    }
    this.schedule(key, entry, state);
  }

  private schedule(key: string, entry: KeyEntry, state: KeyState): void {
    const deadline = nextKeyDeadline(this.ruleSet, state);
    // A later deadline is found when the timer that is set fires.
    if (deadline >= entry.scheduled) return;
    entry.scheduled = deadline;
    this.timers.push({ deadline, key });
  }
}
