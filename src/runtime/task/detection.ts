import type { Match, NearMiss, SkipError } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import { type KeyMemory, sumOfMemory } from '../keys/memory.js';
import { type ConsideredKey, considerKey } from './consider.js';
import { engineGroups } from './keyed/engine-groups.js';
import { HandOver } from './keyed/hand-over.js';
import { KeyedEngine, type KeyedEngineOptions } from './keyed/keyed-engine.js';
import { OtherKeyEngine, otherKeyGroups } from './keyed/other-key-engine.js';
import type { QuarantineOutput, StoppedRule } from './keyed/quarantine.js';
import type { RunCount } from './keyed/run-census.js';
import { fillingOf, type Predecessor, type Succession, succession } from './keyed/succession.js';
import { type ClockState, EventClock, type EventClockOptions } from './order/event-clock.js';
import type { SourceEvent } from './source-event.js';

/** Events whose keys are looked at before the first of them is processed. */
const LOOK_AHEAD = 32;

type KeyedEngines = readonly KeyedEngine[];
/** Which engine came after which, and how. */
export type Successions = ReadonlyMap<KeyedEngine, readonly [KeyedEngine, Succession]>;
/** Reads an event anew, for the fields that the rules of now use; `null`: it cannot be read for them. */
export type Refresh = (event: SourceEvent) => SourceEvent | null;

/** See `Detection.succeed`. */
export interface ReadAnew {
  readonly below: number;
  readonly refresh: Refresh;
  readonly readsSame: boolean;
  /** Has processed the past up to here for these rules, which then go on with what it knows; `null`: none. */
  readonly filled: { readonly by: Detection; readonly ids: ReadonlySet<string> } | null;
}

/** Later than any event, and earlier than the timer of a key that has none. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

export interface DetectionOutput extends QuarantineOutput {
  /** `trigger`: the event that completed the match, or `null` when the end of a window did. */
  onMatch(rule: Rule, key: string, match: Match, at: number, trigger: SourceEvent | null): void;
  /** An event has had its turn, in order of event time; what it completed was told before. */
  onProcessed?(event: SourceEvent): void;
  /** Of rules that ask for it. */
  onNearMiss?(rule: Rule, key: string, nearMiss: NearMiss): void;
  onRunsDropped?(rule: Rule, key: string, runs: number): void;
  onMatchesDropped?(rule: Rule, key: string, matches: number): void;
  onSkipError?(rule: Rule, key: string, error: SkipError): void;
}

/** What a cut keeps of a partition besides its keys. */
export interface DetectionState extends ClockState {
  /** Place in the order of processing of the next event. */
  readonly nextSeq: number;
}

/**
 * Detection over one ordered input: event time, then the rules by key. It is pure computation: the same events give the
 * same matches in the same order, live, on recovery and in a back-test.
 */
export class Detection {
  private time: EventClock;
  private rules: KeyedEngines = [];
  /** Those of them that have the rules, and those that count features of other keys. */
  private finding: KeyedEngines = [];
  private counting: readonly OtherKeyEngine[] = [];
  /** Engines that no other has taken the place of, until their keys are gone. */
  private readonly leaving: HandOver[] = [];
  /** Events before this offset, held back since before the rules were changed, are read anew. */
  private refreshBelow = 0;
  private refresh: Refresh = (event) => event;
  private nextSeq = 1;
  private trigger: SourceEvent | null = null;
  /** See `DetectionOutput`. */
  onProcessed: ((event: SourceEvent) => void) | undefined;
  /** Scratch of `drain`. */
  private readonly ahead: SourceEvent[] = [];
  private readonly keysAhead: unknown[] = [];
  /** What `fetch` read; the number means nothing. */
  protected fetched = 0;

  constructor(
    rules: readonly Rule[],
    private clockOptions: EventClockOptions,
    private readonly output: DetectionOutput,
    options: KeyedEngineOptions = {},
  ) {
    this.time = new EventClock(clockOptions, options.streams);
    this.onProcessed = output.onProcessed;
    this.makeEngines(rules, options);
  }

  get clock(): EventClock {
    return this.time;
  }

  /** One engine for each key that the rules name, and for each choice of streams; one for each other key that features of theirs are of. */
  get engines(): KeyedEngines {
    return this.rules;
  }

  /** Those of them that tell events what features of other keys are. */
  get telling(): readonly OtherKeyEngine[] {
    return this.counting;
  }

  private makeEngines(rules: readonly Rule[], options: KeyedEngineOptions): void {
    const keyed = {
      ...this.output,
      onMatch: (rule: Rule, key: string, match: Match, at: number): void =>
        this.output.onMatch(rule, key, match, at, this.trigger),
    };
    const groups = engineGroups(rules, options.streams ?? []);
    this.finding = groups.map((group) => new KeyedEngine(group.name, group.rules, keyed, options));
    const uncounted = this.clockOptions.passedOn === true ? [] : rules;
    this.counting = otherKeyGroups([...uncounted, ...(options.countsFor ?? [])]).map(
      (others) => new OtherKeyEngine(others, options),
    );
    this.rules = [...this.finding, ...this.counting];
  }

  /**
   * Goes on under other rules, from here on. What is known of keys, and the events that are held back, go over one by one as they are
   * needed, read anew as if they had been stored and put back. Answers which engine came after which, and how.
   *
   * @param below offset from which on events will have been read for these rules.
   * @param readsSame what was read before has all that these rules look at.
   */
  succeed(
    rules: readonly Rule[],
    clock: EventClockOptions,
    options: KeyedEngineOptions,
    { below, refresh, readsSame, filled }: ReadAnew,
  ): Successions {
    if (filled !== null) this.nextSeq = Math.max(this.nextSeq, filled.by.nextSeq);
    this.setClock(clock, options.streams ?? []);
    const before = this.rules;
    this.makeEngines(rules, options);
    const after = new Map<KeyedEngine, readonly [KeyedEngine, Succession]>();
    for (const engine of before) {
      const next = this.rules.find(({ keyField }) => keyField === engine.keyField);
      if (next === undefined) this.leaving.push(new HandOver([engine], () => undefined));
      else after.set(engine, [next, succession(engine, next)]);
      next?.resumeStopped(engine.stopped);
    }
    for (const next of this.rules) {
      const from: Predecessor[] = [...after]
        .filter(([, [to]]) => to === next)
        .map(([engine, [, way]]) => ({ engine, way, readsSame }));
      const side = filled?.by.rules.find(({ keyField }) => keyField === next.keyField);
      if (side !== undefined) {
        next.resumeStopped(side.stopped.filter(({ id }) => filled!.ids.has(id)));
        from.push({ engine: side, way: fillingOf(side, next, filled!.ids), readsSame: true });
      }
      if (from.length > 0) next.takeOver(from, this.time.watermark);
    }
    // What was held back before an earlier change may still have to be read anew.
    if (!readsSame) this.refreshBelow = below;
    this.refresh = refresh;
    return after;
  }

  /** Has the keys of engines before go over, some of them at a time; says whether all have. */
  handOver(slots: number): boolean {
    while (this.leaving[0]?.bringSome(slots) === true) this.leaving.shift();
    let isOver = this.leaving.length === 0;
    for (const engine of this.rules) if (!engine.bringSome(slots)) isOver = false;
    return isOver;
  }

  /** Rules of these engines that were stopped stay so. */
  resumeStopped(engines: readonly { readonly keyField: string; readonly stopped?: readonly StoppedRule[] }[]): void {
    for (const { keyField, stopped = [] } of engines)
      for (const engine of this.rules) if (engine.keyField === keyField) engine.resumeStopped(stopped);
  }

  /** Nothing of it is needed any more. */
  close(): void {
    for (const engine of this.rules) engine.close();
    for (const leaving of this.leaving) leaving.close();
  }

  private setClock(options: EventClockOptions, streams: readonly string[]): void {
    this.time.readFrom(streams);
    if (JSON.stringify(options) === JSON.stringify(this.clockOptions)) return;
    const clock = new EventClock(options, streams);
    clock.restore(this.time.state());
    for (const event of this.time.heldBack()) clock.hold(event);
    this.time = clock;
    this.clockOptions = options;
  }

  get keys(): number {
    return this.engines.reduce((n, e) => n + e.keys, 0);
  }

  get runs(): number {
    return this.engines.reduce((n, e) => n + e.runs, 0);
  }

  /** Adds how often each rule was stepped since the last call: what it costs. `runs`: to which its partial matches are added. */
  takeSteps(by: Map<string, number>, runs?: RunCount): void {
    if (runs !== undefined) for (const engine of this.engines) engine.countRuns(runs);
    for (const { ruleSet } of this.engines) {
      const { ids, steps } = ruleSet;
      for (const [slot, id] of ids.entries()) if (steps[slot]! > 0) by.set(id, (by.get(id) ?? 0) + steps[slot]!);
      steps.fill(0);
    }
  }

  memory(): KeyMemory {
    const none: KeyMemory = { hotKeys: 0, coldKeys: 0, coldBytes: 0, tableBytes: 0 };
    return this.engines.map((engine) => engine.memory()).reduce(sumOfMemory, none);
  }

  /** Processes everything that the watermark has passed. */
  drain(): void {
    const { ahead } = this;
    // Not empty only if processing has thrown.
    ahead.length = 0;
    while (this.takeNext() > 0) {
      for (let i = 0; i < ahead.length; i++) {
        const event = ahead[i]!;
        this.advance(event.time);
        this.process(event);
      }
      ahead.length = 0;
    }
    this.advance(this.clock.watermark);
    for (const engine of this.engines) engine.sweep(this.clock.watermark);
  }

  /**
   * Tells what an event would do if it came next, after those that are held back: nothing is changed. Answers how many events of its
   * keys are held back. It must not be late.
   */
  consider(asked: SourceEvent, considered: ConsideredKey): number {
    const waiting = new Set<SourceEvent>();
    this.tellAsIfNext(asked);
    for (const engine of this.finding) {
      for (const key of keysIn(engine, asked)) {
        const own = this.heldBackUpTo(asked.time, (event) => countsFor(engine, event, key));
        for (const event of own) this.tellAsIfNext(event);
        for (const [place, event] of [...own, asked].entries()) event.seq = this.nextSeq + place;
        for (const event of own) waiting.add(event);
        considerKey(engine, key, [...own, asked], considered);
      }
    }
    return waiting.size;
  }

  /** Tells an event what features of other keys would be at it, after the events before it that are held back. */
  private tellAsIfNext(event: SourceEvent): void {
    for (const engine of this.telling) {
      const [key] = engine.input.keysOf(event);
      const isOfKey = (held: SourceEvent): boolean => key !== undefined && engine.input.keysOf(held)[0] === key;
      const held = this.heldBackUpTo(event.time, isOfKey);
      const place = held.findIndex(({ offset }) => offset === event.offset);
      const before = place < 0 ? held : held.slice(0, place);
      event.tell(engine.toldAfter(key ?? null, [...before, event]));
    }
  }

  /** The earliest event time that something waits for: an event that is held back, or the end of a window. Infinity: nothing. */
  nextDue(): number {
    return Math.min(this.clock.nextTime(), this.earliest()?.nextTimer() ?? Number.POSITIVE_INFINITY);
  }

  /** Ends a bounded input: lets everything out, and all windows end. */
  finish(): void {
    this.clock.moveTo(END_OF_TIME);
    this.drain();
  }

  state(): DetectionState {
    return { ...this.clock.state(), nextSeq: this.nextSeq };
  }

  /** All but the keys. */
  restore(state: DetectionState): void {
    this.clock.restore(state);
    this.nextSeq = state.nextSeq;
  }

  /** Takes the next events that the watermark has passed, some of them together, and brings their keys into the cache. */
  private takeNext(): number {
    const { ahead, clock } = this;
    while (ahead.length < LOOK_AHEAD) {
      const event = clock.next();
      if (event === null) break;
      const known = this.asOfNow(event);
      if (known !== null) ahead.push(known);
    }
    this.fetch(ahead);
    for (const engine of this.engines) engine.warm(ahead, 0, ahead.length);
    return ahead.length;
  }

  /** Events that are held back, up to and at a time, in the order in which they will be processed. */
  private heldBackUpTo(time: number, isWanted: (event: SourceEvent) => boolean): readonly SourceEvent[] {
    const own: SourceEvent[] = [];
    for (const held of this.clock.heldBackUnordered()) {
      const event = held.time <= time ? this.asOfNow(held) : null;
      if (event !== null && isWanted(event)) own.push(event);
    }
    return own.sort((a, b) => a.time - b.time || a.offset - b.offset);
  }

  /** An event that was held back, as the rules of now read it; `null`: they cannot. */
  private asOfNow(event: SourceEvent): SourceEvent | null {
    return event.offset < this.refreshBelow ? this.refresh(event) : event;
  }

  /**
   * Reads the events and their fields, for no other effect than that they then are in the processor's cache: those that have
   * waited for the watermark are not, and here the waits for memory run side by side.
   */
  private fetch(events: readonly SourceEvent[]): void {
    const { engines, keysAhead } = this;
    let sum = 0;
    for (let i = 0; i < events.length; i++) sum += events[i]!.seq;
    for (let k = 0; k < engines.length; k++) {
      const { field } = engines[k]!.input;
      if (field === null) continue;
      for (let i = 0; i < events.length; i++) keysAhead[i] = events[i]!.fields[field];
      for (let i = 0; i < events.length; i++) if (typeof keysAhead[i] === 'string') sum++;
    }
    for (let i = 0; i < events.length; i++) sum += events[i]!.time;
    this.fetched = sum;
  }

  private advance(time: number): void {
    this.trigger = null;
    for (let next = this.earliest(); next !== null && next.nextTimer() <= time; next = this.earliest()) next.fireNext();
  }

  /** The engine whose timer is due first: the order must not depend on how far one call advances. */
  private earliest(): KeyedEngine | null {
    let first: KeyedEngine | null = null;
    for (const engine of this.engines) if (first === null || engine.nextTimer() < first.nextTimer()) first = engine;
    return first;
  }

  private process(event: SourceEvent): void {
    event.seq = this.nextSeq++;
    this.trigger = event;
    for (const engine of this.counting) engine.tell(event);
    let kept = false;
    for (const engine of this.finding) {
      const { field, streams } = engine.input;
      if (streams !== null && !streams.has(event.stream)) continue;
      if (field === null || event.forKey !== null) {
        kept = this.processKeys(engine, event) || kept;
        continue;
      }
      const key = event.fields[field];
      // A record without this key has no part in these rules; the stream's own key was checked when it was decoded.
      if (key === null || key === undefined) continue;
      kept = engine.process(typeof key === 'string' ? key : String(key), event) || kept;
    }
    if (kept) event.detach();
    this.onProcessed?.(event);
  }

  /** An event that was forwarded counts for the key that it was forwarded for; for its other keys it was forwarded again. */
  private processKeys(engine: KeyedEngine, event: SourceEvent): boolean {
    if (event.forKey !== null) return engine.process(event.forKey, event);
    let kept = false;
    for (const key of engine.input.keysOf(event)) kept = engine.process(key, event) || kept;
    return kept;
  }
}

/** The keys that an event counts for in an engine: none where it does not see the event's stream. */
function keysIn({ input }: KeyedEngine, event: SourceEvent): readonly string[] {
  const { field, streams, keysOf } = input;
  if (streams !== null && !streams.has(event.stream)) return [];
  if (event.forKey !== null) return [event.forKey];
  if (field === null) return keysOf(event);
  const key = event.fields[field];
  return key === null || key === undefined ? [] : [String(key)];
}

/** Whether the key is one of `keysIn`: of many events, few are. */
function countsFor(engine: KeyedEngine, event: SourceEvent, key: string): boolean {
  const { field } = engine.input;
  const value = field === null || event.forKey !== null ? null : event.fields[field];
  if (typeof value === 'string' && value !== key) return false;
  return keysIn(engine, event).includes(key);
}
