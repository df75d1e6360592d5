import type { EngineEvent, Match, RuleSet } from '../../engine/index.js';
import type { Rule } from '../../rules/index.js';
import { Detection } from '../../runtime/task/detection.js';
import { KeyedEngine } from '../../runtime/task/keyed/keyed-engine.js';
import { SourceEvent } from '../../runtime/task/source-event.js';
import type { Row } from '../stream/generate.js';
import type { Pass } from './passes.js';

/** `in-order`: sorted by time, straight to the rules. `watermark`: as events arrive, through the order buffer of the service. */
export type Mode = 'in-order' | 'watermark';

/** `read`: every event of every match is looked at. `unread`: matches are not even written out, where they come as a set. */
export type Reading = 'read' | 'unread';

/** How late an event may be behind the watermark. The stream is at most 2 s out of order, so none is too late. */
export const OUT_OF_ORDERNESS_MS = 5000;

/** As many events as the service decodes between two looks at the watermark, roughly. */
const BATCH = 1000;
/** Events whose keys are looked at in advance. */
const AHEAD = 32;
const NOTHING = new Uint8Array(0);

/** Rows as the events that the service makes of records. The record's bytes are left out, so none are copied either. */
export function eventsOf(rows: readonly Row[]): readonly SourceEvent[] {
  return rows.map((row, i) => new SourceEvent(row.eventTime, row.type, row, i, NOTHING, null, true));
}

/** Rows as events that are in order already: what the engine itself needs, and no more. */
export function orderedEventsOf(rows: readonly Row[]): readonly EngineEvent[] {
  return rows.map((row, i) => ({ time: row.eventTime, seq: i + 1, kind: row.type, fields: row }));
}

/** By event time, and within one time in order of arrival. */
export function inOrder<T>(items: readonly T[], timeOf: (item: T) => number): readonly T[] {
  return items.toSorted((a, b) => timeOf(a) - timeOf(b));
}

/** Counts matches. What is read is kept in sums, so that no reading can be left out. */
class Counter {
  matches = 0;
  events = 0;

  onMatch = (_rule: Rule, _key: string, match: Match): void => {
    this.matches++;
    for (const step of match.steps) this.events += step.events.length;
  };
}

/** Takes matches as sets, and asks them nothing. */
class SetCounter extends Counter {
  sets = 0;

  onMatches = (): void => void this.sets++;
}

/** A pass of the engine, and what it holds at the end of the stream. */
export interface EnginePass extends Pass {
  readonly keys: number;
  readonly runs: number;
}

/** Events straight into the rules, sorted: `KeyedEngine` with its timers, as `Detection` drives it. */
export class InOrderPass implements EnginePass {
  private readonly counter: Counter;
  private readonly engine: KeyedEngine;

  /** All rules have the same key. `events`: in order of time. */
  constructor(
    rules: readonly Rule[],
    private readonly events: readonly EngineEvent[],
    reading: Reading,
  ) {
    this.counter = reading === 'read' ? new Counter() : new SetCounter();
    this.engine = new KeyedEngine(rules[0]!.key, rules, this.counter);
  }

  get matches(): number {
    return this.counter.matches;
  }

  get keys(): number {
    return this.engine.keys;
  }

  get runs(): number {
    return this.engine.runs;
  }

  get ruleSet(): RuleSet {
    return this.engine.ruleSet;
  }

  run(): void {
    const { engine, events } = this;
    const { field } = engine.input;
    for (let i = 0; i < events.length; i++) {
      // As `Detection` does.
      if (i % AHEAD === 0) engine.warm(events, i, Math.min(i + AHEAD, events.length));
      const event = events[i]!;
      while (engine.nextTimer() <= event.time) engine.fireNext();
      engine.process(event.fields[field!] as string, event);
      if (i % BATCH === 0) engine.sweep(event.time);
    }
  }

  finish(): void {
    while (this.engine.nextTimer() < Number.POSITIVE_INFINITY) this.engine.fireNext();
  }
}

/** Events in order of arrival through the whole of `Detection`: order buffer, watermark, timers, rules. */
export class WatermarkPass implements EnginePass {
  private readonly counter: Counter;
  private readonly detection: Detection;
  /** Events that were behind the watermark. */
  late = 0;

  /** `events`: in order of arrival. */
  constructor(
    rules: readonly Rule[],
    private readonly events: readonly SourceEvent[],
    reading: Reading,
  ) {
    this.counter = reading === 'read' ? new Counter() : new SetCounter();
    const clock = { mode: 'event-time', outOfOrdernessMs: OUT_OF_ORDERNESS_MS } as const;
    this.detection = new Detection(rules, clock, this.counter);
  }

  get matches(): number {
    return this.counter.matches;
  }

  get keys(): number {
    return this.detection.keys;
  }

  get runs(): number {
    return this.detection.runs;
  }

  run(): void {
    const { detection, events } = this;
    const { clock } = detection;
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!;
      if (clock.isLate(event.time)) this.late++;
      else clock.accept(event);
      if (i % BATCH === BATCH - 1) detection.drain();
    }
  }

  finish(): void {
    this.detection.finish();
  }
}
