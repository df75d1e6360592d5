import {
  advanceKey,
  compileRuleSet,
  countRuns,
  type EngineEvent,
  type KeyState,
  type Match,
  nextKeyDeadline,
  processKey,
  type RuleSet,
  type RuleSetOutput,
  type SkipError,
} from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
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
}

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
 */
export class KeyedEngine {
  readonly ruleSet: RuleSet;
  private readonly entries = new Map<string, KeyEntry>();
  private readonly timers = new MinHeap<Timer>(firesBefore);
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

  /** The keys that changed since the last call, with their states; `undefined`: the key is gone. */
  takeDirty(): ReadonlyMap<string, KeyState | undefined> {
    const changed = new Map<string, KeyState | undefined>();
    for (const key of this.dirty) changed.set(key, this.entries.get(key)?.state);
    this.dirty = new Set();
    return changed;
  }

  /** Counts keys as changed, whatever they are now. */
  markDirty(keys: Iterable<string>): void {
    for (const key of keys) this.dirty.add(key);
  }

  /** Puts back the state of a key, as it was read from a store. */
  restore(key: string, state: KeyState): void {
    this.store(key, this.entries.get(key), state);
    this.dirty.delete(key);
  }

  state(key: string): KeyState | undefined {
    return this.entries.get(key)?.state;
  }

  private fire(key: string, deadline: number): void {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.scheduled !== deadline) return;
    entry.scheduled = Number.POSITIVE_INFINITY;
    this.currentKey = key;
    this.currentTime = deadline;
    const after = advanceKey(this.ruleSet, entry.state, deadline, this.sink);
    if (after === entry.state) this.schedule(key, entry, nextKeyDeadline(this.ruleSet, entry.state!));
    else this.store(key, entry, after);
  }

  private store(key: string, known: KeyEntry | undefined, state: KeyState | undefined): void {
    this.dirty.add(key);
    const runs = countRuns(state);
    this.runsAlive += runs - (known?.runs ?? 0);
    if (state === undefined) {
      this.entries.delete(key);
      return;
    }
    const entry = known ?? { state, runs, scheduled: Number.POSITIVE_INFINITY };
    if (known === undefined) this.entries.set(key, entry);
    entry.state = state;
    entry.runs = runs;
    this.schedule(key, entry, nextKeyDeadline(this.ruleSet, state));
  }

  private schedule(key: string, entry: KeyEntry, deadline: number): void {
    // A later deadline is found when the timer that is set fires.
    if (deadline >= entry.scheduled) return;
    entry.scheduled = deadline;
    this.timers.push({ deadline, key });
  }
}
