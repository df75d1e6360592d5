import {
  type EngineEvent,
  type FeatureValues,
  type Match,
  type MatchNode,
  PatternTracer,
  type Run,
  type TracerOptions,
} from '../../engine/index.js';
import type { Rule } from '../rule.js';

/** An event of the key, and the features as of then. */
export interface Moment {
  readonly event: EngineEvent;
  readonly features: FeatureValues;
}

/** How a partial match ended. */
export type PartialEnd =
  /** `within` or `gap` ran out at `at`, in ms. */
  | { readonly why: 'within' | 'gap'; readonly at: number }
  /** An event did what must not happen (`step`). */
  | { readonly why: 'negation'; readonly at: number; readonly moment: Moment; readonly step: string }
  /** An event was neither what was asked for nor one that may be passed over. */
  | { readonly why: 'broken'; readonly at: number; readonly moment: Moment }
  /** It is a match. */
  | { readonly why: 'matched'; readonly at: number }
  /** Another match made it void, by the rule's `skip`; or it was one run too many. */
  | { readonly why: 'skipped' | 'limit'; readonly at: number };

/** A partial match: the events that some runs have taken, which are the same. */
export interface Partial {
  readonly head: MatchNode;
  /** Event time of its first and last event, in ms. */
  readonly began: number;
  readonly since: number;
  /** The moments at which its events came, oldest first. */
  readonly taken: readonly Moment[];
  /** States of the compiled pattern that its runs are in, or were last. */
  states: ReadonlySet<number>;
  /** Moments that it let pass. */
  readonly passed: Moment[];
  passedCount: number;
  /** Another event was taken. */
  goesOn: boolean;
  completed: boolean;
  /** `null`: it was still waiting when the record ended. */
  end: PartialEnd | null;
}

/** A window that ended. */
export interface EndedWindow {
  readonly match: Match;
  readonly features: FeatureValues;
}

/** Moments that a partial match let pass and that are kept of it. */
const PASSED_MAX = 2000;
/** Partial matches that are told of are few; of so many more the oldest that ended are forgotten. */
const PARTIALS_MAX = 20_000;

/** Keeps what happens to the partial matches of one rule and key while its events are given to the engine. */
export class PartialsRecord {
  readonly tracer: PatternTracer;
  readonly ended: Partial[] = [];
  /** Those that are complete; a skip strategy may have given out another match instead. */
  readonly completed: Partial[] = [];
  readonly windows: EndedWindow[] = [];
  readonly matches: { readonly match: Match; readonly time: number }[] = [];
  /** Moments at which nothing began. */
  readonly unbegun: Moment[] = [];
  events = 0;
  private readonly alive = new Map<MatchNode, Partial>();
  private readonly endings = new Map<MatchNode, PartialEnd>();
  private now: Moment | null = null;

  constructor(rule: Pick<Rule, 'pattern' | 'features'>, options: TracerOptions) {
    const features = (rule.features ?? []).map(({ feature }) => feature);
    this.tracer = new PatternTracer(
      rule.pattern,
      { ...options, features },
      {
        onEvent: (event, values) => {
          this.now = { event, features: values };
        },
        onRun: (run, _event, results) => this.stepped(run, results),
        onExpired: (run, at, why) => void this.endings.set(run.head!, { why, at }),
        onAbsence: (run, at) => this.complete(run.head!, at),
        onDropped: (run, at, by) => void this.endings.set(run.head!, { why: by === 'limit' ? 'limit' : 'skipped', at }),
        onWindow: (match, values) => void this.windows.push({ match, features: values }),
        onMatch: (match, time) => void this.matches.push({ match, time }),
      },
    );
  }

  feed(event: EngineEvent): void {
    this.advance(event.time);
    this.events++;
    this.tracer.feed(event);
    this.settle(event.time);
  }

  advance(time: number): void {
    this.tracer.advance(time);
    this.settle(time);
  }

  /** Those that still wait. */
  get waiting(): readonly Partial[] {
    return [...this.alive.values()];
  }

  private stepped(run: Run, results: readonly Run[] | null): void {
    const moment = this.now!;
    const { states } = this.tracer.compiled;
    const before = run.head === null ? null : this.alive.get(run.head)!;
    const taken = results?.filter(({ head }) => head !== run.head) ?? [];
    if (before === null && taken.length === 0) this.unbegun.push(moment);
    const stop = results?.find(({ state }) => states[state]!.isStop);
    for (const { head, state } of results ?? [])
      if (head === run.head && head !== null && states[state]!.isFinal) this.complete(head, moment.event.time);
    for (const { head, state } of taken) {
      if (states[state]!.isStop || (stop !== undefined && !states[state]!.isFinal)) continue;
      const known = this.alive.get(head!) ?? this.begin(head!, before, moment);
      if (states[state]!.isFinal) this.complete(known.head, moment.event.time);
      if (before !== null) before.goesOn = true;
    }
    if (before === null) return;
    if (stop !== undefined) {
      const step = states[stop.state]!.name.split(':')[0]!;
      this.endings.set(run.head!, { why: 'negation', at: moment.event.time, moment, step });
    } else if (results?.length === 0) {
      this.endings.set(run.head!, { why: 'broken', at: moment.event.time, moment });
    } else if (taken.length === 0) this.pass(before, moment);
  }

  private complete(head: MatchNode, at: number): void {
    const partial = this.alive.get(head)!;
    partial.completed = true;
    this.completed.push({ ...partial, end: { why: 'matched', at } });
  }

  private begin(head: MatchNode, before: Partial | null, moment: Moment): Partial {
    const { time } = moment.event;
    const partial: Partial = {
      head,
      began: before?.began ?? time,
      since: time,
      taken: [...(before?.taken ?? []), moment],
      states: new Set(),
      passed: [],
      passedCount: 0,
      ...{ goesOn: false, completed: false, end: null },
    };
    this.alive.set(head, partial);
    return partial;
  }

  private pass(partial: Partial, moment: Moment): void {
    if (partial.passed.at(-1) === moment) return;
    partial.passedCount++;
    partial.passed.push(moment);
    if (partial.passed.length > PASSED_MAX) partial.passed.shift();
  }

  /** What no run has any more has ended. */
  private settle(time: number): void {
    const now = new Map<MatchNode, Set<number>>();
    for (const { head, state } of this.tracer.runs) {
      const of = now.get(head!) ?? new Set();
      now.set(head!, of.add(state));
    }
    for (const [head, partial] of this.alive) {
      const states = now.get(head);
      if (states !== undefined) {
        partial.states = states;
        continue;
      }
      this.alive.delete(head);
      partial.end = this.endings.get(head) ?? { why: 'skipped', at: time };
      // What went on, or is complete, is told of as what it became.
      if (!partial.goesOn && !partial.completed) this.ended.push(partial);
    }
    for (const list of [this.ended, this.completed])
      if (list.length > PARTIALS_MAX) list.splice(0, list.length - PARTIALS_MAX);
    this.endings.clear();
    this.now = null;
  }
}
