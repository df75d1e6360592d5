import {
  advanceKey,
  canMatter,
  type EngineEvent,
  HELD,
  type KeyState,
  processRead,
  takesAny,
  withFeatures,
} from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { Changes } from '../../keys/change-list.js';
import { type KeyMemory, sumOfMemory } from '../../keys/memory.js';
import { SlotsAhead } from '../../keys/states/slots-ahead.js';
import type { KeyWindows } from '../../keys/windows/key-windows.js';
import type { SourceEvent } from '../source-event.js';
import type { BegunRuns } from './begun-runs.js';
import type { Carried } from './carry-over.js';
import { type EngineInput, inputOf } from './engine-groups.js';
import { HandOver, handOverTo } from './hand-over.js';
import { keyMemory } from './key-memory.js';
import type { KeySource, Receive, Released } from './key-source.js';
import type { KeyedEngineOptions, KeyedOutput } from './keyed-options.js';
import { KnownKeys } from './known-keys.js';
import type { StoppedRule } from './quarantine.js';
import { RunCensus, type RunCount } from './run-census.js';
import type { Predecessor } from './succession.js';

export * from './keyed-options.js';

/**
 * The rules that share one key field, over all keys of a partition.
 *
 * Invariants, beside those of `KnownKeys`
 * 1. Timers fire before an event of the same or a later time is processed, in order of deadline and key (not slot); so
 *    results do not depend on how the input was cut into batches, nor on restarts.
 * 2. Results do not depend on which keys are hot, nor on what is kept beside their states.
 */
export class KeyedEngine extends KnownKeys {
  readonly input: EngineInput;
  /** `null`: no condition reads the key. */
  private readonly keyCell: { value: string } | null;
  private readonly ownsKey: ((key: string) => boolean) | undefined;
  private readonly ahead = new SlotsAhead();
  /** From where keys come, while there are any: engines that this one takes the place of, or what a store had. */
  private before: HandOver | null = null;
  /** Means nothing: it is there so that what it is made of is read. */
  protected warmth = 0;
  private readonly census: RunCensus;

  /**
   * Throws `PatternError` when a rule's pattern cannot be compiled. All rules must be of one `EngineGroup`, whose name is
   * `keyField`.
   */
  constructor(
    readonly keyField: string,
    readonly rules: readonly Rule[],
    output: KeyedOutput,
    private readonly options: KeyedEngineOptions = {},
  ) {
    super(rules, output, options);
    this.input = inputOf(rules[0], options.streams ?? []);
    const { key } = this.ruleSet.compiler.predicates;
    this.keyCell = key.isRead ? key : null;
    this.ownsKey = options.ownsKey;
    this.census = new RunCensus(this.ruleSet.ids, this.runsOf, this.states, this.freezer);
  }

  /** Rules that were stopped, in the order in which they were. */
  get stopped(): readonly StoppedRule[] {
    return this.sink.quarantine.stopped;
  }

  /** Rules that were stopped before, as a cut or the engine before has them. */
  resumeStopped(stopped: readonly StoppedRule[]): void {
    this.sink.quarantine.resume(stopped);
  }

  /** Keys with state. */
  get keys(): number {
    return this.keysAlive + (this.before?.keys ?? 0);
  }

  get runs(): number {
    return this.runsAlive + (this.before?.runs ?? 0);
  }

  readonly countRuns = (by: RunCount): void => this.census.add(by, this.table.capacity, this.runs);

  memory(): KeyMemory {
    const own = keyMemory(this.states, this.windows, [this.table, ...this.columns], this.keysAlive);
    return this.before === null ? own : sumOfMemory(own, this.before.memory());
  }

  /** Gives up what it has elsewhere than in memory; nothing of it is needed any more. */
  close(): void {
    this.windows?.close();
    this.before?.close();
  }

  /**
   * Processes one event of a key; says whether it is now part of the key's state. This is where an event meets a key: most events
   * end here, at the event alone, at what no key waits for, or at the column that tells what this key waits for, with its state left as it lies.
   */
  process(key: string, event: EngineEvent): boolean {
    if (this.keyCell !== null) this.keyCell.value = key;
    if (!canMatter(this.ruleSet, event) || !this.mayConcern(event)) return false;
    if (this.ownsKey?.(key) === false) return false;
    if (this.before !== null) this.before.bring(key);
    let slot = this.windows === null ? this.table.find(key) : this.ahead.slotOf(this.table, key, event);
    if (!this.concerns(slot)) return false;
    this.sink.begin(key, event.time, event, -1);
    if (this.windows !== null) slot = this.readWindows(this.windows, key, slot, event);
    if (this.begun !== null && this.keepsBegun(this.begun, key, slot, event)) return false;
    const own = this.notes !== null && this.touches(slot) ? this.notes.own(event) : event;
    const before = this.stateAt(slot, event.time);
    const after = this.step(before, own);
    if (after === before) return false;
    if (own !== event) this.notes!.note(own, before, after);
    this.store(slot < 0 ? this.slotOf(key) : slot, this.rest(slot, before, after));
    return own === event;
  }

  /** Keeps an event that begins a run, and does nothing else to what is known of its key, beside the key's state; says whether it is such a one. */
  private keepsBegun(begun: BegunRuns, key: string, known: number, event: EngineEvent): boolean {
    const rule = begun.beginsOnly();
    if (rule < 0 || (known >= 0 && this.waits.has(known, this.ruleSet.index.mask | HELD))) return false;
    const state = known < 0 ? undefined : this.states.get(known);
    if (state?.slots.includes(rule) === true) return false;
    const length = begun.write(known, rule, event);
    if (length < 0) return false;
    try {
      begun.giveToWhole(event, this.sink);
    } catch (error) {
      this.sink.recover(error);
      return false;
    }
    const slot = known < 0 ? this.slotOf(key) : known;
    const isNew = !this.isKnown(slot);
    begun.add(slot, rule, event as SourceEvent, length);
    this.noteBegun(slot, isNew);
    const bounded = state && this.sink.bounded(state, event);
    if (bounded !== state) this.store(slot, bounded);
    return true;
  }

  private step(before: KeyState | undefined, event: EngineEvent): KeyState | undefined {
    for (;;) {
      try {
        const after = processRead(this.ruleSet, before, event, this.sink);
        return after === undefined ? after : this.sink.bounded(after, event);
      } catch (error) {
        this.sink.recover(error);
      }
    }
  }

  /** Gives the event to the windows of its key, and has its features read; answers the key's slot, which it may have only now. */
  private readWindows(windows: KeyWindows, key: string, known: number, event: EngineEvent): number {
    let slot = known;
    const { features } = this.ruleSet;
    if (takesAny(features!, event)) {
      if (slot < 0) slot = this.slotOf(key);
      if (this.tellsChanges) this.changes.mark(slot);
      if (!windows.has(slot)) this.beginWindows(slot, event.time);
      windows.add(slot, event);
    } else {
      windows.read(slot, event.time, event);
    }
    return slot;
  }

  /** Gives an event to the windows of its key alone, and has features read; `null`: it has no key, and they are as of one without events. */
  protected count(key: string | null, event: EngineEvent): void {
    const { compiler } = this.ruleSet;
    compiler.predicates.mark.next();
    if (this.keyCell !== null) this.keyCell.value = key ?? '';
    if (key === null) return void this.windows!.read(-1, event.time);
    if (this.before !== null) this.before.bring(key);
    this.readWindows(this.windows!, key, this.ahead.slotOf(this.table, key, event), event);
  }

  /**
   * Looks at what is known of the keys of some events that come next, for no other effect than that it then is in the processor's
   * cache. Where every event touches its key, this waits for memory once instead of once an event.
   */
  warm(events: readonly EngineEvent[], from: number, to: number): void {
    if (this.windows === null || from === to) return;
    const { ahead } = this;
    ahead.clear();
    // Keys that have yet to come have no slot that could be known beforehand.
    if (this.before !== null) return;
    let sum = ahead.addAll(events, from, to, this.input, this.ownsKey);
    ahead.find(this.table);
    for (let i = 0; i < ahead.found; i++) if (this.changes.isMarked(ahead.slots[i]!)) sum++;
    this.warmth = sum + this.windows.touch(ahead.slots, ahead.found, events[to - 1]!.time);
  }

  /** Time of the earliest timer; infinity: none. */
  nextTimer(): number {
    return Math.min(this.timers.nextTime(), this.before?.nextTimer() ?? Number.POSITIVE_INFINITY);
  }

  /** Fires the earliest timer. */
  fireNext(): void {
    if (this.before !== null) {
      const due = this.nextTimer();
      this.before.bringDue(due);
      // A key that came may have nothing to wait for until later.
      if (this.timers.nextTime() > due) return;
    }
    const deadline = this.timers.nextTime();
    const slot = this.timers.pop();
    if (slot >= 0) this.fire(slot, deadline);
  }

  /** Forgets keys whose last window ended before `time`. Changes no result; for memory alone. */
  sweep(time: number): void {
    this.expiry.sweep(time, (slot) => this.lookAtExpired(slot, time));
  }

  /**
   * The keys that changed since the last call, with their states as of now, or the bytes of those; `undefined`: the key is
   * gone. To be read once, at leisure, while events are processed.
   */
  takeDirty(): Changes<KeyState | Uint8Array> {
    return this.changes.take();
  }

  get keysChanged(): number {
    return this.changes.size;
  }

  /**
   * Takes the place of others, all of whose keys come here: each when it is needed, the rest by `bringSome`. `watermark`: up to which
   * their events were processed. Of several no two have a slot that goes on in the same one here.
   */
  takeOver(from: readonly Predecessor[], watermark: number): void {
    const { codec, outline } = this.options;
    if (!from.every(({ engine }) => engine.isWhole)) throw new Error('the keys of the engine before have not all come');
    if (codec === undefined) throw new Error('an engine that cannot write states cannot take the place of another');
    const receive = (key: string, { state, bytes }: Carried): void => {
      this.putBack(key, state, watermark, () => bytes);
      this.markDirty([key]);
    };
    this.before = handOverTo({ to: this.ruleSet, codec, outline, watermark }, from, receive);
  }

  get isWhole(): boolean {
    return this.before === null;
  }

  /** Its keys are in `source`: each comes here when it is needed, the others by `bringSome`. `receive` restores one. */
  comesFrom(source: KeySource, receive: Receive): void {
    this.before = new HandOver([source], (key, [value]) => receive(key, value!));
  }

  /** Has some more keys come from where they were before; says whether none is left there. */
  bringSome(count: number): boolean {
    if (this.before?.bringSome(count) === true) this.before = null;
    return this.before === null;
  }

  /** What is known of a key, features and all, as a value of its own. */
  peek(key: string): KeyState | undefined {
    this.before?.bring(key);
    const slot = this.table.find(key);
    const value = slot < 0 ? undefined : this.valueAt(slot);
    return value instanceof Uint8Array ? this.freezer!.thaw(value) : value;
  }

  /** Takes out all that is known of a key, for an engine that comes after this one. */
  release(key: string): Released | undefined {
    const slot = this.table.find(key);
    return slot < 0 ? undefined : this.releaseSlot(slot);
  }

  private releaseSlot(slot: number): Released | undefined {
    if (!this.isKnown(slot)) return undefined;
    const value = this.valueAt(slot);
    this.changes.mark(slot);
    this.forget(slot);
    return value;
  }

  /** Takes out the keys whose timers are due at `time` or before. */
  releaseDue(time: number, take: Receive): void {
    while (this.timers.nextTime() <= time) this.releaseTo(this.timers.pop(), take);
  }

  /** Takes out the keys of some slots from `from` on; answers the slot to go on with, or -1: there are no more. */
  releaseSome(from: number, count: number, take: Receive): number {
    const end = Math.min(this.table.capacity, from + count);
    for (let slot = from; slot < end; slot++) this.releaseTo(slot, take);
    return end === this.table.capacity ? -1 : end;
  }

  private releaseTo(slot: number, take: Receive): void {
    if (!this.isKnown(slot)) return;
    const key = this.table.keyAt(slot);
    const value = this.releaseSlot(slot);
    if (value !== undefined) take(key, value);
  }

  /** What is known of every key, in no order: each is to be looked at before the next is asked for. */
  *known(): Generator<readonly [key: string, KeyState | Uint8Array]> {
    for (let slot = 0; slot < this.rows && slot < this.table.capacity; slot++) {
      const value = this.isKnown(slot) ? this.valueAt(slot) : undefined;
      if (value !== undefined) yield [this.table.keyAt(slot), value];
    }
  }

  /** Counts keys as changed, whatever they are now. */
  markDirty(keys: Iterable<string>): void {
    for (const key of keys) this.changes.mark(this.slotOf(key));
  }

  /**
   * Puts back the state of a key of which nothing is known, as it was read from a store at a watermark. The key is cold: of a
   * million that are restored, few are used next.
   *
   * @param bytes what `state` was read from, if this very rule set wrote it.
   */
  restore(key: string, state: KeyState, watermark: number, bytes?: Uint8Array): void {
    const written = state.features === undefined ? bytes : undefined;
    this.putBack(key, state, watermark, (rest) => written ?? this.freezer?.freeze(rest));
  }

  /** `frozen`: the bytes of the state without features, if it is to be cold. */
  private putBack(key: string, state: KeyState, at: number, frozen: (rest: KeyState) => Uint8Array | undefined): void {
    this.sink.time = at;
    const slot = this.slotOf(key);
    if (this.windows !== null && state.features !== undefined) {
      this.beginWindows(slot, at);
      this.windows.put(slot, state.features);
    }
    const rest = withFeatures(state, undefined);
    if (rest !== undefined) this.keep(slot, rest, frozen(rest));
  }

  /** Whether the event that was just looked at can begin something, or change what is known of any key. */
  private mayConcern(event: EngineEvent): boolean {
    const { index, features } = this.ruleSet;
    if (index.startCount > 0 || features !== null || this.before !== null) return true;
    return this.waits.isAwaited(index.mask, event.time);
  }

  /** Whether it can begin something, or change what is known of the key; -1: nothing is. */
  private concerns(slot: number): boolean {
    return this.ruleSet.features !== null || this.touches(slot);
  }

  private touches(slot: number): boolean {
    return this.ruleSet.index.startCount > 0 || (slot >= 0 && this.waits.has(slot, this.ruleSet.index.mask));
  }

  private fire(slot: number, deadline: number): void {
    const before = this.states.get(slot);
    if (before === undefined) {
      this.releaseIfUnused(slot);
      return;
    }
    const key = this.table.keyAt(slot);
    this.sink.begin(key, deadline, null, slot);
    if (this.keyCell !== null) this.keyCell.value = key;
    const after = this.moveOn(before, deadline);
    if (after === before) this.schedule(slot, before);
    else this.store(slot, after);
  }

  private moveOn(before: KeyState, time: number): KeyState | undefined {
    for (;;) {
      try {
        return advanceKey(this.ruleSet, before, time, this.sink);
      } catch (error) {
        this.sink.recover(error);
      }
    }
  }

  /** State that has ended cannot matter, so it need not be looked at. An event at `time` itself may still come. */
  private lookAtExpired(slot: number, time: number): void {
    const end = this.endOf(slot);
    if (!this.isKnown(slot)) this.releaseIfUnused(slot);
    else if (end >= time) this.expiry.add(slot, end);
    else {
      if (this.tellsChanges) this.changes.mark(slot);
      this.forget(slot);
    }
  }
}
