import {
  awaitedBy,
  type EngineEvent,
  type EventStep,
  type Expr,
  eventsOfStep,
  type Feature,
  type FeatureValues,
  type Lists,
  type MatchNode,
  type Scalar,
  type Step,
} from '../../engine/index.js';
import { conditionOf, kindsBelow } from '../logic/step-condition.js';
import type { Rule } from '../rule.js';
import { explainingOf, type Seen } from './evaluator.js';
import { type ConditionPart, explainCondition, farOff } from './explain-condition.js';
import { eventSteps, featureNames } from './operands.js';
import type { EndedWindow, Moment, Partial, PartialEnd, PartialsRecord } from './partials.js';

/** A condition at an event. */
export interface ToldEvent<E> {
  readonly event: E;
  /** What the features that the rule reads were at it; `null`: missing. Absent: it reads none. */
  readonly features?: Readonly<Record<string, Scalar | null>>;
  /** The condition that was asked of it; `null`: there is none, and every event fits. */
  readonly condition: ConditionPart | null;
}

/** An event that a step has taken. */
export interface TakenEvent<E> extends ToldEvent<E> {
  readonly step: string;
}

/** A step that was waited for. */
export interface AwaitedStep<E> {
  readonly step: string;
  /** How many more of its events are needed, and how many it needs in all. */
  readonly missing: number;
  readonly needs: number;
  /** Events that came meanwhile and were passed over. */
  readonly passed: number;
  /** Of these the one that came nearest to its condition; `null`: there were none. */
  readonly nearest: ToldEvent<E> | null;
}

/** How a partial match ended. */
export interface RunEnd<E> {
  /**
   * `within`, `gap`: time ran out. `negation`: an event of a step that must not happen. `until`: an event ended the loop. `broken`: the
   * event was not the one asked for, and none may come between. `skipped`: another match made it void. `limit`: one run too many.
   * `open`: it still waits. `matched`: it is the match of an alert.
   */
  readonly why: 'within' | 'gap' | 'negation' | 'until' | 'broken' | 'skipped' | 'limit' | 'open' | 'matched';
  /** Event time in ms; of `open`, when its time will run out, or `null`: never. */
  readonly at: number | null;
  /** The step that it was: of a negation, of the loop, or that was asked for. */
  readonly step?: string;
  /** The event that ended it, with the condition in question. */
  readonly event?: ToldEvent<E>;
}

/** A partial match: how far it came, what it waited for, and how it ended. */
export interface ToldRun<E> {
  /** Place of its farthest step among those of the pattern that take events, from 1 on; and how many there are. */
  readonly reached: number;
  readonly of: number;
  readonly taken: readonly TakenEvent<E>[];
  readonly awaited: readonly AwaitedStep<E>[];
  /** Steps that must not have happened while it waited. */
  readonly forbidden: readonly string[];
  readonly end: RunEnd<E>;
}

/** A window that ended, and what it came to. */
export interface ToldWindow {
  readonly start: number;
  readonly end: number;
  readonly events: number;
  readonly values: Readonly<Record<string, Scalar | null>>;
  readonly features?: Readonly<Record<string, Scalar | null>>;
  /** `null`: every window gives an alert. */
  readonly having: ConditionPart | null;
}

export interface StoryOptions<E> {
  readonly rule: Rule;
  readonly key: string;
  readonly lists?: Lists;
  readonly kindParents?: ReadonlyMap<string, string>;
  /** What is told of an event. */
  readonly tell: (event: EngineEvent) => E;
}

/** What is told of one rule and key, of a record of what happened. */
export class RuleStory<E> {
  private readonly steps: ReadonlyMap<string, EventStep>;
  private readonly kinds: (subtype: string) => readonly string[];
  private readonly nameOf: (feature: Feature) => string;

  constructor(
    private readonly record: PartialsRecord,
    private readonly options: StoryOptions<E>,
  ) {
    const { rule, kindParents = new Map() } = options;
    this.steps = new Map(rule.pattern.steps.flatMap(eventSteps).map((step) => [step.name, step]));
    this.kinds = kindsBelow(kindParents);
    this.nameOf = featureNames(rule);
  }

  /** Partial matches that were there at some time from `from` to `to`, the farthest first, of these the latest. */
  partials(from: number, to: number): readonly Partial[] {
    const { ended, waiting } = this.record;
    const all = [...ended, ...waiting.filter(({ goesOn, completed }) => !goesOn && !completed)];
    const overlapping = all.filter(({ began, end }) => began <= to && (end === null || end.at >= from));
    const reached = (partial: Partial): number => this.reachedBy(partial);
    // One that has only just begun says less.
    const isNew = ({ began }: Partial): number => (began === to ? 1 : 0);
    return overlapping.sort(
      (a, b) => reached(b) - reached(a) || b.taken.length - a.taken.length || isNew(a) - isNew(b) || b.began - a.began,
    );
  }

  /** Those that were complete at some time, the latest first. */
  get completed(): readonly Partial[] {
    return [...this.record.completed].reverse();
  }

  run(partial: Partial): ToldRun<E> {
    const { compiled } = this.record.tracer;
    const awaited = [...partial.states].map((state) => awaitedBy(compiled, { state }));
    const takes = [...new Set(awaited.flatMap((of) => of.takes))].filter((step) => this.mayTake(step));
    const isPending = awaited.some((of) => of.isPending);
    return {
      reached: this.reachedBy(partial),
      of: compiled.steps.length,
      taken: this.takenBy(partial),
      awaited: isPending ? [] : takes.map((step) => this.awaited(step, partial)),
      forbidden: [...new Set(awaited.flatMap((of) => of.stops))],
      end: this.endOf(partial, takes),
    };
  }

  /** The events at which nothing began, up to a time: the nearest of them for each step that can begin. */
  begins(from: number, to: number): readonly AwaitedStep<E>[] {
    const { compiled } = this.record.tracer;
    const moments = this.record.unbegun.filter(({ event }) => event.time >= from && event.time <= to);
    const { takes } = awaitedBy(compiled, { state: compiled.start.index });
    return takes.map((step) => this.nearest(step, moments, moments.length, null));
  }

  /** Windows that ended from `from` on, or in which `to` is; the nearest to an alert first. */
  windows(from: number, to: number): readonly ToldWindow[] {
    const inside = this.record.windows.filter(({ match: { window } }) => window!.end > from && window!.start <= to);
    const told = inside.map((window) => this.window(window));
    const far = ({ having }: ToldWindow): number => (having === null ? 0 : farOff(having));
    return told.sort((a, b) => far(a) - far(b) || b.end - a.end);
  }

  private window({ match, features }: EndedWindow): ToldWindow {
    const { start, end, fields } = match.window!;
    const { having } = this.options.rule.pattern.window!;
    const seen = { event: { time: end, seq: 0, kind: '', fields }, features };
    return {
      ...{ start, end, events: match.steps.reduce((sum, { events }) => sum + events.length, 0) },
      values: fields,
      ...this.featuresOf(features),
      having: having === undefined ? null : explainCondition(having, explainingOf(this.seen(seen))),
    };
  }

  private reachedBy({ head }: Partial): number {
    let farthest = 0;
    for (let node: MatchNode | null = head; node !== null; node = node.previous)
      farthest = Math.max(farthest, node.step + 1);
    return farthest;
  }

  private takenBy({ head, taken }: Partial): readonly TakenEvent<E>[] {
    const told: TakenEvent<E>[] = [];
    let node: MatchNode | null = head;
    for (const moment of [...taken].reverse()) {
      if (node === null) break;
      const step = this.record.tracer.compiled.steps[node.step]!;
      told.push({ step, ...this.told(moment, this.asked(step), node.previous) });
      node = node.previous;
    }
    return told.reverse();
  }

  /** A step that must not happen takes nothing. */
  private mayTake(step: string): boolean {
    const contiguity = this.steps.get(step)?.contiguity;
    return contiguity !== 'notNext' && contiguity !== 'notFollowedBy';
  }

  private awaited(step: string, { passed, passedCount, head }: Partial): AwaitedStep<E> {
    return this.nearest(step, passed, passedCount, head);
  }

  /** Of two that are as near, the later one. */
  private nearest(step: string, moments: readonly Moment[], passed: number, head: MatchNode | null): AwaitedStep<E> {
    const asked = this.asked(step);
    let nearest: ToldEvent<E> | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const moment of moments) {
      const told = this.told(moment, asked, head);
      const far = told.condition === null ? 0 : farOff(told.condition);
      if (far > least) continue;
      least = far;
      nearest = told;
    }
    const needs = Math.max(1, this.steps.get(step)?.quantifier?.from ?? 1);
    return { step, missing: Math.max(1, needs - this.countOf(step, head)), needs, passed, nearest };
  }

  private countOf(step: string, head: MatchNode | null): number {
    return eventsOfStep(head, this.record.tracer.compiled.steps.indexOf(step)).length;
  }

  private endOf({ end, states, head, began }: Partial, takes: readonly string[]): RunEnd<E> {
    if (end === null) return { why: 'open', at: this.timeLimit(states, head, began) };
    if (end.why === 'negation') {
      const { at, moment, step } = end;
      return { why: 'negation', at, step, event: this.told(moment, this.asked(step), head) };
    }
    return end.why === 'broken' ? this.brokenBy(end, takes, head) : { why: end.why, at: end.at };
  }

  private brokenBy(
    { moment, at }: Extract<PartialEnd, { why: 'broken' }>,
    takes: readonly string[],
    head: MatchNode,
  ): RunEnd<E> {
    for (const step of takes) {
      const until = this.untilOf(step);
      if (until === undefined) continue;
      const event = this.told(moment, until, head);
      if (event.condition?.holds === true) return { why: 'until', at, step, event };
    }
    if (takes.length === 0) return { why: 'broken', at, event: this.told(moment, null, head) };
    const { step, nearest } = takes
      .map((name) => this.nearest(name, [moment], 1, head))
      .reduce((a, b) => (farOff(b.nearest!.condition ?? FITS) < farOff(a.nearest!.condition ?? FITS) ? b : a));
    return { why: 'broken', at, step, event: nearest! };
  }

  /** When its time runs out; `null`: never. */
  private timeLimit(states: ReadonlySet<number>, head: MatchNode, began: number): number | null {
    const { compiled } = this.record.tracer;
    const gaps = [...states].map((state) => compiled.states[state]!.gapMs).filter((gapMs) => gapMs > 0);
    const limits = gaps.length === states.size ? gaps.map((gapMs) => head.event.time + gapMs) : [];
    const last = Math.min(
      limits.length > 0 ? Math.max(...limits) : Number.POSITIVE_INFINITY,
      compiled.windowMs > 0 ? began + compiled.windowMs : Number.POSITIVE_INFINITY,
    );
    return Number.isFinite(last) ? last : null;
  }

  private asked(name: string): Expr | null {
    const step = this.steps.get(name);
    if (step === undefined || (step.where === undefined && step.subtype === undefined)) return null;
    return conditionOf(step, this.kinds);
  }

  private untilOf(name: string): Expr | undefined {
    const until = this.steps.get(name)?.until ?? groupUntil(this.options.rule.pattern.steps, name);
    return until?.op === 'function' ? undefined : until;
  }

  private told({ event, features }: Moment, asked: Expr | null, head: MatchNode | null): ToldEvent<E> {
    const condition = asked && explainCondition(asked, explainingOf(this.seen({ event, head, features })));
    return { event: this.options.tell(event), ...this.featuresOf(features), condition };
  }

  private seen(of: Pick<Seen, 'event' | 'head' | 'features'>): Seen {
    const { key, lists } = this.options;
    const { steps } = this.record.tracer.compiled;
    return { ...of, steps, key, nameOf: this.nameOf, ...(lists === undefined ? {} : { lists }) };
  }

  private featuresOf(values: FeatureValues): Pick<ToldEvent<E>, 'features'> {
    const named = [...values].map(([feature, value]) => [this.nameOf(feature), value] as const);
    return named.length === 0 ? {} : { features: Object.fromEntries(named) };
  }
}

const FITS: ConditionPart = { condition: 'true', holds: true, kind: 'test', said: 'every event fits' };

/** The `until` of the innermost group around a step. */
function groupUntil(steps: readonly Step[], name: string): Step['until'] {
  for (const step of steps) {
    if (step.kind !== 'group') continue;
    const inner = groupUntil(step.steps, name);
    if (inner !== undefined) return inner;
    if (eventSteps(step).some((of) => of.name === name)) return step.until;
  }
  return undefined;
}
