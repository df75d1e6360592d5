import {
  begunIsDue,
  begunMask,
  canBeKeptBegun,
  type EngineEvent,
  type KeyState,
  matchWhole,
  type RuleSet,
  type RuleSetOutput,
  type Scalar,
  withBegun,
} from '../../../engine/index.js';
import { type HeldRecord, SlotEvents } from '../../keys/states/slot-events.js';
import type { Notes } from '../notes.js';

/** Writes events as bytes that stay in this process. */
export interface HeldEvents {
  /** What the last `write` has written, at its beginning. */
  readonly written: Uint8Array;
  /** Writes all of the event but time, seq and offset, and what was noted at it; answers how many bytes; -1: it has what cannot be written. */
  write(event: EngineEvent, noted: readonly (Scalar | null)[]): number;
  /** @param ids of what was noted (`Noted.ids`). */
  read(record: HeldRecord, ids: readonly number[]): EngineEvent;
}

/** Events may be read back so many times for each that was written, and so many more. */
const READ_SHARE = 2;
const READ_FREE = 1000;

/** One rule whose begun runs are kept so. */
interface BegunRule {
  readonly rule: number;
  readonly events: SlotEvents;
  readonly mask: number;
  readonly windowMs: number;
  /** Events at which it counts more than this are kept as objects. */
  readonly countMax: number;
}

/**
 * Runs of one event each, of rules that hold every event that may begin a match, as one that looks back does. While no event comes that concerns them,
 * such runs are bytes beside the states of keys: most of them end with their window, and never were an object that the garbage collector
 * has to look at, to move and to give up.
 *
 * Invariants
 * 1. A key has runs of a rule here or in its state, never in both.
 * 2. `whole` is the state that the key would have if nothing were kept here, but for what its windows have ended, and its `held` and
 *    `added` are the same: so limits drop the same runs at the same event.
 * 3. What is here is below all limits, and of a rule that is not stopped when an event is added.
 */
export class BegunRuns {
  private readonly byRule: readonly (BegunRule | null)[];
  private readonly begun: readonly BegunRule[];
  /** By rule, 1: its matches are of one event each. */
  private readonly isWhole: Uint8Array;
  private written = 0;
  private readBack = 0;

  private constructor(
    private readonly ruleSet: RuleSet,
    private readonly notes: Notes | null,
    private readonly codec: HeldEvents,
  ) {
    const { slots, patterns } = ruleSet;
    this.byRule = slots.map(({ limits, pattern: { windowMs } }, rule) => {
      if (!canBeKeptBegun(ruleSet, rule)) return null;
      const countMax = Math.min(limits.runsMax, limits.eventsMax);
      return { rule, events: new SlotEvents(), mask: begunMask(ruleSet, rule), windowMs, countMax };
    });
    this.begun = this.byRule.filter((begun) => begun !== null);
    this.isWhole = Uint8Array.from(patterns, ({ wholeMatch }) => (wholeMatch === null ? 0 : 1));
  }

  /** `null`: there is no rule for it, or nobody to write events. */
  static of(ruleSet: RuleSet, notes: Notes | null, codec: HeldEvents | undefined): BegunRuns | null {
    const runs = codec === undefined ? null : new BegunRuns(ruleSet, notes, codec);
    return runs === null || runs.begun.length === 0 ? null : runs;
  }

  get bytes(): number {
    return this.begun.reduce((sum, { events }) => sum + events.bytes, 0);
  }

  /** Whether events are not read back too often for this to be worth it. */
  get isWorthIt(): boolean {
    return this.readBack <= READ_SHARE * this.written + READ_FREE;
  }

  reserve(slots: number): void {
    for (const { events } of this.begun) events.reserve(slots);
  }

  has(slot: number): boolean {
    const { begun } = this;
    for (let i = 0; i < begun.length; i++) if (begun[i]!.events.has(slot)) return true;
    return false;
  }

  clear(slot: number): void {
    for (const { events } of this.begun) if (events.has(slot)) events.delete(slot);
  }

  /** As `countRuns` counts them. */
  runs(slot: number): number {
    let runs = 0;
    for (const { events } of this.begun) runs += events.firstCount(slot) + events.secondCount(slot);
    return runs;
  }

  /** Bits of the interests that they wait for. */
  mask(slot: number): number {
    let mask = 0;
    for (const { events, mask: own } of this.begun) if (events.has(slot)) mask |= own;
    return mask;
  }

  /** Event time at which the last of their windows ends, in ms; negative infinity: there is none. */
  endOf(slot: number): number {
    let end = Number.NEGATIVE_INFINITY;
    for (const { events, windowMs } of this.begun)
      if (events.has(slot)) end = Math.max(end, events.newestTime(slot) + windowMs);
    return end;
  }

  /**
   * The only rule that the event begins a run of, beside those that it completes alone, after `canMatter` for the same event; -1: there
   * is no such rule, or its runs are not to be kept here.
   */
  beginsOnly(): number {
    const { stopped, index } = this.ruleSet;
    if (stopped.count > 0 || index.startCount === 0 || !this.isWorthIt) return -1;
    let found = -1;
    for (let rule = index.nextStart(0); rule !== Number.POSITIVE_INFINITY; rule = index.nextStart(rule + 1)) {
      if (this.isWhole[rule] === 1) continue;
      if (found >= 0 || this.byRule[rule] === null) return -1;
      found = rule;
    }
    return found;
  }

  /** Gives the event to the rules that it completes alone. */
  giveToWhole(event: EngineEvent, output: RuleSetOutput): void {
    const { ruleSet, isWhole } = this;
    const { index } = ruleSet;
    for (let rule = index.nextStart(0); rule !== Number.POSITIVE_INFINITY; rule = index.nextStart(rule + 1))
      if (isWhole[rule] === 1) matchWhole(ruleSet, rule, event, output);
  }

  /** Writes the event for `add`; -1: it cannot be kept here. `slot`: -1 of a key without one. */
  write(slot: number, rule: number, event: EngineEvent): number {
    const { events, countMax } = this.byRule[rule]!;
    if (slot >= 0 && events.firstCount(slot) + events.secondCount(slot) >= countMax) return -1;
    return this.codec.write(event, this.notes === null ? NOTHING : this.notes.read(rule, event));
  }

  /** Adds the event that was written last, in so many bytes: it begins a run of the rule. */
  add(slot: number, rule: number, event: EngineEvent & { readonly offset: number }, length: number): void {
    const { ruleSet } = this;
    const { events, windowMs } = this.byRule[rule]!;
    const isAlive = events.has(slot) && events.newestTime(slot) + windowMs > event.time;
    const held = isAlive ? events.firstCount(slot) : 0;
    const added = isAlive ? events.secondCount(slot) + 1 : 1;
    events.append(slot, event, this.codec.written, length, event.time - windowMs);
    if (begunIsDue(ruleSet, rule, held, added)) events.setCounts(slot, events.count(slot), 0);
    else events.setCounts(slot, held, added);
    ruleSet.steps[rule]!++;
    this.written++;
  }

  /** The state with what is kept here; of what its windows have ended at `time`, as little as possible. */
  whole(slot: number, state: KeyState | undefined, time: number): KeyState | undefined {
    let whole = state;
    for (const { rule, events, windowMs } of this.begun) {
      if (!events.has(slot)) continue;
      const ids = this.notes === null ? NOTHING : this.notes.idsOf(rule);
      const read: EngineEvent[] = [];
      events.forEachAfter(slot, time - windowMs, (record) => void read.push(this.codec.read(record, ids)));
      // Who looks at all keys, for a copy, does not count.
      if (time > Number.NEGATIVE_INFINITY) this.readBack += read.length;
      const [held, added] = [events.firstCount(slot), events.secondCount(slot)];
      whole = withBegun(this.ruleSet, whole, rule, { events: read, held, added });
    }
    return whole;
  }

  /** Rules that have runs of the slot here. */
  rulesOf(slot: number): readonly number[] {
    return this.begun.filter(({ events }) => events.has(slot)).map(({ rule }) => rule);
  }
}

const NOTHING: readonly never[] = [];
