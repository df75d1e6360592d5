import {
  type Automaton,
  buildAutomaton,
  type Condition,
  type EventStep,
  type Expr,
  type Feature,
  FeatureTable,
  type Guard,
  partsOf,
  type Quantifier,
  type Step,
} from '../../engine/index.js';
import { type Diagnostic, type Rule, type RuleStatus, type Severity, sayExpr } from '../../rules/index.js';

/** A step as people read it. */
export interface StepOutline {
  readonly name: string;
  /** Its condition, as conditions are written; `null`: any event. */
  readonly where: string | null;
  readonly subtype: string | null;
  readonly contiguity: string;
  /** `3`, `3..5`, `3+`; `null`: once. */
  readonly times: string | null;
  readonly optional: boolean;
  /** Fields of the event under test that its condition reads; sorted. */
  readonly fields: readonly string[];
}

export interface StateOutline {
  readonly name: string;
  readonly step: string;
  readonly type: 'normal' | 'final' | 'stop' | 'pending';
  /** Longest wait since the event before, milliseconds; 0: none. */
  readonly gapMs: number;
}

export interface TransitionOutline {
  /** Indexes of states. */
  readonly from: number;
  readonly to: number;
  readonly action: 'take' | 'ignore' | 'proceed';
  /** Its condition; empty: every event. */
  readonly when: string;
}

/** The automaton that a pattern becomes, to be drawn. */
export interface AutomatonOutline {
  readonly start: number;
  /** Window of the whole match, milliseconds; 0: none. */
  readonly windowMs: number;
  readonly states: readonly StateOutline[];
  readonly transitions: readonly TransitionOutline[];
}

export interface RuleOutline {
  readonly id: string;
  readonly title: string;
  readonly status: RuleStatus;
  readonly key: string;
  readonly revision: string;
  readonly severity: Severity;
  readonly steps: readonly StepOutline[];
}

/** The text of a rule, looked at: what it is, and what is wrong with it. */
export interface Outline {
  /** `null`: the text has errors. */
  readonly rule: RuleOutline | null;
  readonly automaton: AutomatonOutline | null;
  readonly diagnostics: readonly Diagnostic[];
}

export function outlineOf(rule: Rule | null, diagnostics: readonly Diagnostic[]): Outline {
  if (rule === null) return { rule: null, automaton: null, diagnostics };
  const { id, title, status, key, revision, alert, pattern } = rule;
  const speaker = new Speaker(rule);
  const steps = eventSteps(pattern.steps).map((step) => speaker.step(step));
  return {
    rule: { id, title, status, key, revision, severity: alert.severity, steps },
    automaton: pattern.window === undefined ? automatonOf(buildAutomaton(pattern), speaker) : null,
    diagnostics,
  };
}

const eventSteps = (steps: readonly Step[]): readonly EventStep[] =>
  steps.flatMap((step) => (step.kind === 'group' ? eventSteps(step.steps) : [step]));

/** Only states that can be reached from the start: the others are never in the way of an event. */
function automatonOf({ states, start, windowMs }: Automaton, speaker: Speaker): AutomatonOutline {
  const reached = [start];
  for (const state of reached)
    for (const { target } of state.transitions) if (!reached.includes(target)) reached.push(target);
  const shown = states.filter((state) => reached.includes(state)).reverse();
  return {
    start: shown.indexOf(start),
    windowMs,
    states: shown.map(({ name, step, type, gapMs }) => ({ name, step, type, gapMs })),
    transitions: shown.flatMap((state, from) =>
      state.transitions
        .map(({ action, target, guard }) => ({ from, to: shown.indexOf(target), action, when: speaker.guard(guard) }))
        .filter(({ when }) => when !== NEVER),
    ),
  };
}

const NEVER = 'never';

/** Says conditions of one rule, with its own names for features. */
class Speaker {
  private readonly table = new FeatureTable();
  private readonly names: ReadonlyMap<unknown, string>;

  constructor({ features = [] }: Rule) {
    this.names = new Map(features.map(({ name, feature }) => [this.table.cell(feature), name]));
  }

  step({ name, where, subtype, contiguity, quantifier, optional }: EventStep): StepOutline {
    return {
      name,
      where: where === undefined ? null : this.condition(where),
      subtype: subtype ?? null,
      contiguity,
      times: quantifier === undefined ? null : timesOf(quantifier),
      optional: optional === true || quantifier?.from === 0,
      fields: where === undefined || where.op === 'function' ? [] : [...new Set(fieldsOf(where))].sort(),
    };
  }

  guard(guard: Guard): string {
    switch (guard.op) {
      case 'true':
        return '';
      case 'leaf':
        return this.condition(guard.condition);
      case 'kind':
        return `kind is ${guard.subtype}`;
      case 'not':
        return guard.arg.op === 'true' ? NEVER : `not (${this.guard(guard.arg)})`;
      case 'and': {
        const [left, right] = [this.guard(guard.left), this.guard(guard.right)];
        return left === NEVER || right === NEVER ? NEVER : `${left} and ${right}`;
      }
    }
  }

  private condition(condition: Condition): string {
    return condition.op === 'function' ? 'a function' : sayExpr(condition, (feature) => this.nameOf(feature));
  }

  private nameOf(feature: Feature): string {
    return this.names.get(this.table.cell(feature)) ?? feature.fn;
  }
}

const timesOf = ({ from, to }: Quantifier): string =>
  to === null ? `${from}+` : from === to ? String(from) : `${from}..${to}`;

const fieldsOf = (expr: Expr): readonly string[] =>
  expr.op === 'field' ? [expr.name] : partsOf(expr).flatMap(fieldsOf);
