import {
  type EngineEvent,
  type Expr,
  FeatureTable,
  type Lists,
  type PatternRunner,
  type Step,
} from '../../engine/index.js';
import { sayExpr } from '../condition/say-expr.js';
import type { Rule } from '../rule.js';
import { atomsOf, EventTruths } from './event-truths.js';
import { type Truths, type WindowEngine, WindowTruths } from './window-truths.js';

/** A part of a condition, and what no test has shown of it. */
export interface Uncovered {
  /** Whose condition it is: a step's, a feature's, an aggregate's (by its name), or `having`. */
  readonly step: string;
  readonly condition: string;
  /** `tested`: it was never looked at. Of an alternative of `or`: `true`, it has never been the one that held. */
  readonly never: 'true' | 'false' | 'tested';
}

/** What the tests of a rule have shown of it. */
export interface RuleCoverage {
  readonly rule: string;
  /** Names of steps: those that took an event in some test (of one that must not happen: that met one), and the others. */
  readonly steps: { readonly taken: readonly string[]; readonly never: readonly string[] };
  /** Comparisons and other parts that are true or false by themselves. `seen`: so many of them were both, in some test. */
  readonly conditions: { readonly of: number; readonly seen: number; readonly never: readonly Uncovered[] };
  /** Alternatives of `or` and `||` that never held when they were asked. */
  readonly alternatives: readonly Uncovered[];
}

/** What a part of `having` is said to be of. */
const HAVING = 'having';

/** Notes what happens while the tests of one rule run. */
export class CoverageRecorder {
  private readonly tested = new Map<string, Truths>();
  private readonly held = new Set<string>();
  private readonly windows: WindowTruths | null;
  /** Of the conditions of features and of aggregates. */
  private readonly ofEvents: readonly EventConditions[];
  private runner: PatternRunner | null = null;

  constructor(
    private readonly rule: Rule,
    engine: WindowEngine = {},
  ) {
    const { having } = rule.pattern.window ?? {};
    this.windows =
      having === undefined ? null : new WindowTruths(rule, [...atomsOf(having), ...alternativesOf(having)], engine);
    this.ofEvents = eventConditions(rule, engine);
  }

  readonly onTested = (key: string, truth: boolean): void => {
    let truths = this.tested.get(key);
    if (truths === undefined) {
      truths = { true: false, false: false };
      this.tested.set(key, truths);
    }
    truths[truth ? 'true' : 'false'] = true;
  };

  /** To be called after each event, with the steps of the matches that it completed. */
  after(runner: PatternRunner, matched: Iterable<string>): void {
    this.runner = runner;
    for (const events of runner.held()) for (const { step } of events) this.held.add(step);
    for (const step of matched) this.held.add(step);
  }

  /** To be called for each event of a test. */
  before(key: string, event: EngineEvent, lists?: Lists): void {
    this.windows?.feed(key, event, lists);
    for (const { truths, ofAll } of this.ofEvents) if (!ofAll) truths.feed(key, event, lists);
  }

  /** To be called once for each event of a test, before what it does for the rule's keys. */
  seen(event: EngineEvent, lists?: Lists): void {
    for (const { truths, ofAll } of this.ofEvents) if (ofAll) truths.feed('', event, lists);
  }

  /** To be called after the last event of a test. */
  end(): void {
    this.windows?.end();
    for (const { truths } of this.ofEvents) truths.end();
  }

  result(): RuleCoverage {
    const steps = this.rule.pattern.steps.flatMap(eventSteps);
    const taken = steps.filter((step) => this.isTaken(step)).map(({ name }) => name);
    const never: Uncovered[] = [];
    const alternatives: Uncovered[] = [];
    let of = 0;
    const tell = (step: string, condition: Expr, missing: Missing): void => {
      for (const atom of atomsOf(condition).filter(isWritten)) {
        of++;
        const gap = missing(atom, ['true', 'false']);
        if (gap !== null) never.push({ step, condition: this.say(atom), never: gap });
      }
      for (const alternative of alternativesOf(condition)) {
        const gap = missing(alternative, ['true']);
        if (gap !== null) alternatives.push({ step, condition: this.say(alternative), never: gap });
      }
    };
    for (const { truths, named } of this.ofEvents)
      for (const { name, where } of named) tell(name, where, (part, wanted) => missingOf(truths.of(part), wanted));
    for (const step of steps) {
      for (const condition of [step.where, step.until]) {
        if (condition === undefined || condition.op === 'function') continue;
        tell(step.name, condition, (part, wanted) => this.missing(part, wanted));
      }
    }
    const { windows } = this;
    if (windows !== null)
      tell(HAVING, this.rule.pattern.window!.having!, (part, wanted) => missingOf(windows.of(part), wanted));
    return {
      rule: this.rule.id,
      steps: { taken, never: steps.map(({ name }) => name).filter((name) => !taken.includes(name)) },
      conditions: { of, seen: of - never.length, never },
      alternatives,
    };
  }

  private isTaken(step: EventStep): boolean {
    if (this.held.has(step.name)) return true;
    if (this.runner === null || !NEGATED.has(step.contiguity)) return false;
    return this.truthsOf(this.runner.literalOfStep(step)).true;
  }

  private missing(expr: Expr, wanted: readonly (keyof Truths)[]): Uncovered['never'] | null {
    return this.runner === null ? 'tested' : missingOf(this.truthsOf(this.runner.literalOf(expr)), wanted);
  }

  private truthsOf(literal: { readonly key: string; readonly negated: boolean } | null): Truths {
    const truths = (literal && this.tested.get(literal.key)) ?? { true: literal === null, false: false };
    return literal?.negated === true ? { true: truths.false, false: truths.true } : truths;
  }

  private say(expr: Expr): string {
    const table = new FeatureTable();
    const names = new Map((this.rule.features ?? []).map(({ name, feature }) => [table.cell(feature), name]));
    return sayExpr(expr, (feature) => names.get(table.cell(feature)) ?? feature.fn);
  }
}

type Missing = (part: Expr, wanted: readonly (keyof Truths)[]) => Uncovered['never'] | null;

/** Conditions of the event alone, asked of the same events. */
interface EventConditions {
  readonly truths: EventTruths;
  /** They are asked of all events, whatever the rule's key is of them. */
  readonly ofAll: boolean;
  readonly named: readonly { readonly name: string; readonly where: Expr }[];
}

/** Those of features, asked of every event of the key, or of any; and of aggregates, of what the window takes. */
function eventConditions({ pattern, features = [] }: Rule, engine: WindowEngine): readonly EventConditions[] {
  const { window, steps } = pattern;
  const [step] = steps;
  const { where, subtype } = step?.kind === 'event' ? step : {};
  const ofFeatures = (ofOther: boolean) =>
    features
      .filter(({ feature }) => (feature.of !== undefined) === ofOther)
      .map(({ name, feature }) => ({ name, where: feature.where }));
  return [
    { taken: {}, all: ofFeatures(false) },
    { taken: {}, all: ofFeatures(true), ofAll: true },
    { taken: { ...(where && { where }), ...(subtype && { subtype }) }, all: window?.aggregates ?? [] },
  ].flatMap(({ taken, all, ofAll = false }) => {
    const named = all.flatMap((each) => (each.where === undefined ? [] : [{ name: each.name, where: each.where }]));
    if (named.length === 0) return [];
    const conditions = named.map((each) => each.where);
    return [{ truths: new EventTruths(taken, conditions, engine), ofAll, named }];
  });
}

function missingOf(truths: Truths, wanted: readonly (keyof Truths)[]): Uncovered['never'] | null {
  if (!truths.true && !truths.false) return 'tested';
  return wanted.find((truth) => !truths[truth]) ?? null;
}

type EventStep = Extract<Step, { kind: 'event' }>;

const NEGATED: ReadonlySet<string> = new Set(['notNext', 'notFollowedBy']);

const eventSteps = (step: Step): readonly EventStep[] =>
  step.kind === 'group' ? step.steps.flatMap(eventSteps) : [step];

/** Not what `from` asks of an event, which no rule writes as a condition. */
const isWritten = (atom: Expr): boolean => {
  const term = atom.op === 'compare' || atom.op === 'in' ? atom.left : atom;
  return term.op !== 'meta' || term.name !== 'stream';
};

/** Alternatives that are put together of several parts; single ones are told of as parts. */
function alternativesOf(expr: Expr): readonly Expr[] {
  if (expr.op === 'or')
    return expr.args.flatMap((arg) => (arg.op === 'or' ? alternativesOf(arg) : [arg, ...alternativesOf(arg)]));
  if (expr.op === 'and') return expr.args.flatMap(alternativesOf);
  return expr.op === 'not' ? alternativesOf(expr.arg) : [];
}

/** The coverage of a rule for people; one line, and one for each gap. */
export function formatCoverage({ rule, steps, conditions, alternatives }: RuleCoverage): string {
  const all = steps.taken.length + steps.never.length;
  const lines = [
    `${rule}: ${steps.taken.length} of ${all} steps taken, ${conditions.seen} of ${conditions.of} conditions seen true and false`,
    ...steps.never.map((step) => `    ${step} has never taken an event`),
    ...conditions.never.map(({ step, condition, never }) => `    ${step}: ${condition} was never ${never}`),
    ...alternatives.map(
      ({ step, condition }) => `    ${step}: the alternative ${condition} was never the one that held`,
    ),
  ];
  return lines.join('\n');
}
