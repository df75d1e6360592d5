import { type FeatureCell, FeatureTable } from '../aggregate/feature-table.js';
import { type PatternState, startRun } from '../buffer/run.js';
import { featuresOf, looksBack } from '../expression/analysis.js';
import type { EventTest } from '../expression/event-test.js';
import type { Expr } from '../expression/expression.js';
import type { Lists } from '../expression/lists.js';
import type { Pattern, Skip } from '../pattern/pattern.js';
import type { PatternProblem } from '../pattern/problem.js';
import { validateForm } from '../pattern/validate.js';
import { type CompiledWindow, compileWindow } from '../window/compile-window.js';
import type { Automaton } from './automaton.js';
import { type BuildOptions, buildAutomaton } from './build.js';
import { checkAutomaton } from './check.js';
import { type CompiledState, type CompiledTransition, IGNORE, PROCEED, TAKE } from './compiled-state.js';
import { type Guard, isNever, leavesOf } from './guard.js';
import { changeTerms, InterestTable, startTerms } from './interest.js';
import { completingSteps } from './one-short.js';
import {
  type EventMark,
  type Literal,
  literalTest,
  type OnTested,
  type PredicateScope,
  PredicateTable,
} from './predicate.js';
import { type KnownStates, shareStates } from './share-states.js';
import { UnsupportedPattern } from './state-set.js';

export interface CompiledPattern {
  readonly states: readonly CompiledState[];
  readonly start: CompiledState;
  /** Window of the whole match in ms; 0: none. */
  readonly windowMs: number;
  readonly hasGaps: boolean;
  /** Something happens when a window ends: an absence at the end completes a match, or near misses are told. */
  readonly hasPending: boolean;
  /** By state, see `completingSteps`; `null`: near misses are not told. */
  readonly oneShort: readonly (readonly string[] | null)[] | null;
  /** Some condition depends on events that the run has matched. */
  readonly looksBack: boolean;
  /** Features that its conditions read. */
  readonly features: readonly FeatureCell[];
  readonly steps: readonly string[];
  readonly skip: Skip;
  /** Index in `steps` of the step that is skipped to; -1: none. */
  readonly skipStep: number;
  /** Where any event that `start.interest` holds for begins a run, and nothing more; `null`: it is not so simple. */
  readonly plainStart: CompiledState | null;
  /** The take by which one event is a whole match, which is all that the pattern can do; `null`: it can do more. */
  readonly wholeMatch: CompiledTransition | null;
  /** The state of a key of which nothing is known: the start run alone. */
  readonly initial: PatternState;
  /** It emits when windows end, and has a state of its own kind; `null`: it does not. */
  readonly window: CompiledWindow | null;
  /** Must be moved on before each event: conditions remember their truth for the event under test. */
  readonly mark: EventMark;
}

export interface CompileOptions extends BuildOptions {
  /** Derived kind to the kind it derives from, for `subtype`. */
  readonly kindParents?: ReadonlyMap<string, string>;
  /** For coverage by tests: hears of each part of a condition that is evaluated. It makes everything slower. */
  readonly onTested?: OnTested;
  /** What conditions on reference lists ask. */
  readonly lists?: Lists;
  /**
   * An event that a run passes over from an optional step or a loop makes two of it at once, as in Flink; otherwise only when it
   * matters. Matches are the same; it decides the order of some that begin with the same event, and how often a time-out is told.
   */
  readonly splitsAtOnce?: boolean;
}

/** Thrown by `compilePattern`; `validatePattern` gives the same problems without throwing. */
export class PatternError extends Error {
  readonly code = 'PATTERN_INVALID';
  constructor(readonly problems: readonly PatternProblem[]) {
    super(problems.map((p) => `${p.path.join('.')}: ${p.message} [${p.code}]`).join('\n'));
  }
}

/** All problems of a pattern; none: it can be compiled. */
export function validatePattern(pattern: Pattern): readonly PatternProblem[] {
  const form = validateForm(pattern);
  if (form.length > 0) return form;
  try {
    return checkAutomaton(buildAutomaton(pattern), pattern);
  } catch (error) {
    if (error instanceof UnsupportedPattern) return [error.problem];
    throw error;
  }
}

/** Throws `PatternError` with all problems. */
export function compilePattern(pattern: Pattern, options: CompileOptions = {}): CompiledPattern {
  return new PatternCompiler(options).compile(pattern);
}

/**
 * Compiles patterns that run side by side: they share predicates, interests and features. A pattern that is the same as one
 * compiled before is not compiled again.
 */
export class PatternCompiler {
  readonly features = new FeatureTable();
  readonly predicates: PredicateTable;
  readonly interests = new InterestTable();
  /** Patterns compiled so far. */
  compiled = 0;
  private readonly states: KnownStates = new Map();
  /** By the very object, which is quicker to find than by what it says. */
  private readonly seen = new WeakMap<Pattern, CompiledPattern>();
  private readonly seenDraining = new WeakMap<Pattern, CompiledPattern>();
  private readonly known = new Map<string, CompiledPattern>();

  private readonly splitsAtOnce: boolean;

  constructor(readonly options: CompileOptions = {}) {
    this.splitsAtOnce = options.splitsAtOnce ?? false;
    this.predicates = new PredicateTable(this.features, options.lists, options.onTested);
  }

  /** Throws `PatternError` with all problems. `drains`: runs under way go on to their end, and no event begins another. */
  compile(pattern: Pattern, drains = false): CompiledPattern {
    const seen = drains ? this.seenDraining : this.seen;
    const compiled = seen.get(pattern) ?? this.compileUnseen(pattern, drains);
    seen.set(pattern, compiled);
    return compiled;
  }

  private compileUnseen(pattern: Pattern, drains: boolean): CompiledPattern {
    const text = textOf(pattern);
    const key = text !== null && drains ? `draining ${text}` : text;
    const known = key === null ? undefined : this.known.get(key);
    if (known !== undefined) return known;
    const problems = validatePattern(pattern);
    if (problems.length > 0) throw new PatternError(problems);
    const compiled = this.compileValid(pattern, drains);
    this.compiled++;
    if (key !== null) this.known.set(key, compiled);
    return compiled;
  }

  /** An expression that looks at the event alone, as a function that shares what it knows with the patterns. */
  testOf(expr: Expr): EventTest {
    const literal = this.predicates.ofGuard({ op: 'leaf', condition: expr }, this.scope([]));
    if (literal === null) return () => true;
    const test = literalTest(literal);
    return (event, fields) => test(event, fields, null);
  }

  /** The literal that stands for a condition or step of a pattern with these steps; `null`: always true. */
  literalOf(guard: Guard, steps: readonly string[]): Literal | null {
    return this.predicates.ofGuard(guard, this.scope(steps));
  }

  private scope(steps: readonly string[]): PredicateScope {
    return { steps, kindParents: this.options.kindParents ?? new Map() };
  }

  private compileValid(pattern: Pattern, drains: boolean): CompiledPattern {
    const automaton = buildAutomaton(pattern, this.options);
    const skip = pattern.skip ?? { strategy: 'noSkip' };
    const states = this.compileStates(automaton, skip.strategy === 'noSkip', drains);
    const guards = automaton.states.flatMap((state) => state.transitions.flatMap((t) => leavesOf(t.guard)));
    const having = pattern.window?.having;
    const conditions = having === undefined ? guards : [...guards, having];
    const window = this.windowOf(pattern, states[automaton.start.index]!);
    const tellsNearMisses = pattern.nearMisses === true && window === null;
    return {
      states,
      start: states[automaton.start.index]!,
      windowMs: window?.spanMs ?? automaton.windowMs,
      hasGaps: states.some((state) => state.gapMs > 0),
      hasPending: tellsNearMisses || states.some((state) => state.isPending),
      oneShort: tellsNearMisses ? states.map((state) => completingSteps(state, automaton.steps)) : null,
      looksBack: guards.some(looksBack),
      features: [...new Set(conditions.flatMap(featuresOf).map((feature) => this.features.cell(feature)))],
      steps: automaton.steps,
      skip,
      skipStep: 'step' in skip ? automaton.steps.indexOf(skip.step) : -1,
      plainStart: plainStart(states[automaton.start.index]!),
      wholeMatch: wholeMatch(states[automaton.start.index]!),
      initial: { partial: [startRun(automaton.start.index)], completed: [] },
      window,
      mark: this.predicates.mark,
    };
  }

  private windowOf({ window, steps }: Pattern, start: CompiledState): CompiledWindow | null {
    if (window === undefined) return null;
    const [step] = steps;
    const [take] = start.transitions;
    // Without the transition, nothing ever counts.
    const test = take === undefined ? () => false : take.test;
    return compileWindow(window, step?.kind === 'event' ? step.name : '', test, {
      testOf: (expr) => this.testOf(expr),
      exprOf: (expr) => this.predicates.valueOf(expr, []),
    });
  }

  private compileStates(automaton: Automaton, noSkip: boolean, drains: boolean): readonly CompiledState[] {
    const scope = this.scope(automaton.steps);
    const states: Mutable<CompiledState>[] = automaton.states.map((state) => ({
      index: state.index,
      name: state.name,
      isStart: state === automaton.start,
      isFinal: state.type === 'final',
      isStop: state.type === 'stop',
      isPending: state.type === 'pending',
      gapMs: state.gapMs,
      step: automaton.steps.indexOf(state.step),
      transitions: [],
      mayComplete: false,
      interest: this.interests.always,
      windowMs: automaton.windowMs,
      startRun: startRun(automaton.start.index),
      noSkip,
    }));
    for (const state of automaton.states) {
      if (drains && state === automaton.start) continue;
      states[state.index]!.transitions = state.transitions
        .filter((t) => !isNever(t.guard))
        .map((t) => {
          const literal = this.predicates.ofGuard(t.guard, scope);
          const action = t.action === 'take' ? TAKE : t.action === 'ignore' ? IGNORE : PROCEED;
          return { action, target: states[t.target.index]!, literal, test: literal && literalTest(literal) };
        });
    }
    markCompleting(states);
    for (const state of states) {
      state.interest = this.interests.of(state.isStart ? startTerms(state) : changeTerms(state, this.splitsAtOnce));
    }
    return shareStates(states, this.states);
  }
}

/** A take that completes nothing. */
export const isPlainTake = ({ action, target }: CompiledTransition): boolean =>
  action === TAKE && !target.mayComplete && !target.isFinal && !target.isStop && !target.isPending;

function plainStart({ transitions, interest }: CompiledState): CompiledState | null {
  const [take] = transitions;
  if (take === undefined || transitions.length > 1 || !isPlainTake(take)) return null;
  // The interest is the take's condition itself unless something had to be left out of it.
  const exact =
    take.literal === null || (take.literal.predicate.dependsOn === 'event' && (interest.terms[0]?.length ?? 0) > 0);
  return exact ? take.target : null;
}

function wholeMatch({ transitions, noSkip }: CompiledState): CompiledTransition | null {
  const [take] = transitions;
  return noSkip && transitions.length === 1 && take!.action === TAKE && take!.target.isFinal ? take! : null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Equal for equal patterns; `null` for one with functions in it. */
function textOf(pattern: Pattern): string | null {
  let hasFunction = false;
  const text = JSON.stringify(pattern, (_, value: unknown) => {
    if (typeof value === 'function') hasFunction = true;
    return value;
  });
  return hasFunction ? null : text;
}

function markCompleting(states: readonly Mutable<CompiledState>[]): void {
  const before = new Map<CompiledState, Mutable<CompiledState>[]>();
  for (const state of states) {
    for (const { action, target } of state.transitions) {
      if (action !== PROCEED) continue;
      const sources = before.get(target);
      if (sources === undefined) before.set(target, [state]);
      else sources.push(state);
    }
  }
  const reached = states.filter((state) => state.isFinal) as CompiledState[];
  for (const target of reached) {
    for (const state of before.get(target) ?? []) {
      if (state.mayComplete) continue;
      state.mayComplete = true;
      reached.push(state);
    }
  }
}
