import type { KeyState, Match, SkipError } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { KeyMemory } from '../detector.js';
import { EventClock, type EventClockOptions } from './event-clock.js';
import { KeyedEngine, type KeyedEngineOptions } from './keyed-engine.js';
import type { SourceEvent } from './source-event.js';

/** Events whose keys are looked at before the first of them is processed. */
const LOOK_AHEAD = 32;

/** Later than any event, and earlier than the timer of a key that has none. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

export interface DetectionOutput {
  /** `trigger`: the event that completed the match, or `null` when the end of a window did. */
  onMatch(rule: Rule, key: string, match: Match, at: number, trigger: SourceEvent | null): void;
  onRunsDropped?(rule: Rule, key: string, runs: number): void;
  onMatchesDropped?(rule: Rule, key: string, matches: number): void;
  onSkipError?(rule: Rule, key: string, error: SkipError): void;
}

/** What a cut keeps of a partition besides its keys. */
export interface DetectionState {
  readonly maxTime: number;
  readonly watermark: number;
  /** Place in the order of processing of the next event. */
  readonly nextSeq: number;
}

/**
 * Detection over one ordered input: event time, then the rules by key. It is pure computation: the same events give the
 * same matches in the same order, live, on recovery and in a back-test.
 */
export class Detection {
  readonly clock: EventClock;
  /** One engine for each key field that the rules name. */
  readonly engines: readonly KeyedEngine[];
  private nextSeq = 1;
  private trigger: SourceEvent | null = null;

  constructor(
    rules: readonly Rule[],
    clock: EventClockOptions,
    output: DetectionOutput,
    options: KeyedEngineOptions = {},
  ) {
    this.clock = new EventClock(clock);
    const byKey = new Map<string, Rule[]>();
    for (const rule of rules) byKey.set(rule.key, [...(byKey.get(rule.key) ?? []), rule]);
    const keyed = {
      ...output,
      onMatch: (rule: Rule, key: string, match: Match, at: number): void =>
        output.onMatch(rule, key, match, at, this.trigger),
    };
    this.engines = [...byKey].map(([field, group]) => new KeyedEngine(field, group, keyed, options));
  }

  get keys(): number {
    return this.engines.reduce((n, e) => n + e.keys, 0);
  }

  get runs(): number {
    return this.engines.reduce((n, e) => n + e.runs, 0);
  }

  memory(): KeyMemory {
    const sum = { hotKeys: 0, coldKeys: 0, coldBytes: 0, tableBytes: 0 };
    for (const engine of this.engines) {
      const memory = engine.memory();
      for (const name of Object.keys(sum) as (keyof KeyMemory)[]) sum[name] += memory[name];
    }
    return sum;
  }

  /** Processes everything that the watermark has passed. */
  drain(): void {
    for (let events = this.nextEvents(); events.length > 0; events = this.nextEvents()) {
      let time = Number.NEGATIVE_INFINITY;
      for (const event of events) {
        if (event.time > time) {
          time = event.time;
          this.advance(time);
        }
        this.process(event);
      }
    }
    this.advance(this.clock.watermark);
    for (const engine of this.engines) engine.sweep(this.clock.watermark);
  }

  /** Ends a bounded input: lets everything out, and all windows end. */
  finish(): void {
    this.clock.moveTo(END_OF_TIME);
    this.drain();
  }

  state(): DetectionState {
    return { ...this.clock.state(), nextSeq: this.nextSeq };
  }

  restore(
    state: DetectionState,
    keys: Iterable<{ readonly engine: number; readonly key: string; readonly state: KeyState }>,
  ): void {
    this.clock.restore(state);
    this.nextSeq = state.nextSeq;
    for (const k of keys) this.engines[k.engine]!.restore(k.key, k.state, state.watermark);
  }

  /** The next events that the watermark has passed, some of them together, with their keys brought into the cache. */
  private nextEvents(): readonly SourceEvent[] {
    const ahead: SourceEvent[] = [];
    while (ahead.length < LOOK_AHEAD) {
      const events = this.clock.next();
      if (events === null) break;
      for (const event of events) ahead.push(event);
    }
    for (const engine of this.engines) engine.warm(ahead, 0, ahead.length);
    return ahead;
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
    let kept = false;
    for (const engine of this.engines) {
      const key = event.fields[engine.keyField];
      // A record without this key has no part in these rules; the stream's own key was checked when it was decoded.
      if (key === null || key === undefined) continue;
      kept = engine.process(typeof key === 'string' ? key : String(key), event) || kept;
    }
    if (kept) event.detach();
  }
}
