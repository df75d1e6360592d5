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
import { type Truths, type WindowEngine, WindowTruths } from './window-truths.js';

/** A part of a step's condition, and what no test has shown of it. */
export interface Uncovered {
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
  private runner: PatternRunner | null = null;

  constructor(
    private readonly rule: Rule,
    engine: WindowEngine = {},
  ) {
    const { having } = rule.pattern.window ?? {};
    this.windows =
      having === undefined ? null : new WindowTruths(rule, [...atomsOf(having), ...alternativesOf(having)], engine);
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

  /** To be called for each event of a test, and once after its last one without an event: when windows end, they are looked at. */
  lookAtWindows(key: string, event: EngineEvent | null, lists?: Lists): void {
    if (event === null) this.windows?.end();
    else this.windows?.feed(key, event, lists);
  }

  result(): RuleCoverage {
    const steps = this.rule.pattern.steps.flatMap(eventSteps);
    const taken = steps.filter((step) => this.isTaken(step)).map(({ name }) => name);
    const never: Uncovered[] = [];
    const alternatives: Uncovered[] = [];
    let of = 0;
    for (const step of steps) {
      for (const condition of [step.where, step.until]) {
        if (condition === undefined || condition.op === 'function') continue;
        for (const atom of atomsOf(condition)) {
          of++;
          const missing = this.missing(atom, ['true', 'false']);
          if (missing !== null) never.push({ step: step.name, condition: this.say(atom), never: missing });
        }
        for (const alternative of alternativesOf(condition)) {
          const missing = this.missing(alternative, ['true']);
          if (missing !== null)
            alternatives.push({ step: step.name, condition: this.say(alternative), never: missing });
        }
      }
    }
    if (this.windows !== null) {
      const having = this.rule.pattern.window!.having!;
      for (const atom of atomsOf(having)) {
        of++;
        const missing = missingOf(this.windows.of(atom), ['true', 'false']);
        if (missing !== null) never.push({ step: HAVING, condition: this.say(atom), never: missing });
      }
      for (const alternative of alternativesOf(having)) {
        const missing = missingOf(this.windows.of(alternative), ['true']);
        if (missing !== null) alternatives.push({ step: HAVING, condition: this.say(alternative), never: missing });
      }
    }
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

function missingOf(truths: Truths, wanted: readonly (keyof Truths)[]): Uncovered['never'] | null {
  if (!truths.true && !truths.false) return 'tested';
  return wanted.find((truth) => !truths[truth]) ?? null;
}

type EventStep = Extract<Step, { kind: 'event' }>;

const NEGATED: ReadonlySet<string> = new Set(['notNext', 'notFollowedBy']);

const eventSteps = (step: Step): readonly EventStep[] =>
  step.kind === 'group' ? step.steps.flatMap(eventSteps) : [step];

/** What is left when `and`, `or` and `not` are taken apart; constants show nothing. */
function atomsOf(expr: Expr): readonly Expr[] {
  if (expr.op === 'and' || expr.op === 'or') return expr.args.flatMap(atomsOf);
  if (expr.op === 'not') return atomsOf(expr.arg);
  return expr.op === 'const' ? [] : [expr];
}

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
