import type { MatchNode } from '../buffer/match-node.js';
import type { EngineEvent } from '../event.js';
import { type GenerateContext, generateTest } from '../expression/generate.js';
import { conditionRuntime } from '../expression/runtime.js';
import type { Pattern, Skip } from '../pattern/pattern.js';
import { type PatternProblem, validateForm } from '../pattern/validate.js';
import type { Automaton } from './automaton.js';
import { buildAutomaton, UnsupportedPattern } from './build.js';
import { checkAutomaton } from './check.js';
import { type Guard, guardLooksBack, isNever } from './guard.js';

/** A guard as a function. `fields` is `event.fields`, `head` the newest event of the run. */
export type Test = (event: EngineEvent, fields: Readonly<Record<string, unknown>>, head: MatchNode | null) => boolean;

export const TAKE = 0;
export const IGNORE = 1;
export const PROCEED = 2;

export interface CompiledTransition {
  readonly action: typeof TAKE | typeof IGNORE | typeof PROCEED;
  readonly target: CompiledState;
  /** `null`: holds for every event. */
  readonly test: Test | null;
}

export interface CompiledState {
  readonly index: number;
  readonly name: string;
  readonly isStart: boolean;
  readonly isFinal: boolean;
  readonly isStop: boolean;
  readonly isPending: boolean;
  /** Longest wait since the event before, in ms; 0: none. */
  readonly gapMs: number;
  /** Index in `steps` of the step whose events it takes; -1: takes none. */
  readonly step: number;
  readonly transitions: readonly CompiledTransition[];
  /** The final state can be reached from here by proceeds, guards apart. */
  readonly mayComplete: boolean;
}

export interface CompiledPattern {
  readonly states: readonly CompiledState[];
  readonly start: CompiledState;
  /** Window of the whole match in ms; 0: none. */
  readonly windowMs: number;
  readonly hasGaps: boolean;
  /** An absence at the end can complete a match when its window ends. */
  readonly hasPending: boolean;
  /** Some condition depends on events that the run has matched. */
  readonly looksBack: boolean;
  readonly steps: readonly string[];
  readonly skip: Skip;
  /** Index in `steps` of the step that is skipped to; -1: none. */
  readonly skipStep: number;
}

export interface CompileOptions {
  /** Derived kind to the kind it derives from, for `subtype`. */
  readonly kindParents?: ReadonlyMap<string, string>;
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
    return checkAutomaton(buildAutomaton(pattern));
  } catch (error) {
    if (error instanceof UnsupportedPattern) return [error.problem];
    throw error;
  }
}

/** Throws `PatternError` with all problems. */
export function compilePattern(pattern: Pattern, options: CompileOptions = {}): CompiledPattern {
  const problems = validatePattern(pattern);
  if (problems.length > 0) throw new PatternError(problems);
  const automaton = buildAutomaton(pattern);
  const skip = pattern.skip ?? { strategy: 'noSkip' };
  const states = compileStates(automaton, options.kindParents ?? new Map());
  return {
    states,
    start: states[automaton.start.index]!,
    windowMs: automaton.windowMs,
    hasGaps: states.some((state) => state.gapMs > 0),
    hasPending: states.some((state) => state.isPending),
    looksBack: automaton.states.some((state) => state.transitions.some((t) => guardLooksBack(t.guard))),
    steps: automaton.steps,
    skip,
    skipStep: 'step' in skip ? automaton.steps.indexOf(skip.step) : -1,
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function compileStates(automaton: Automaton, kindParents: ReadonlyMap<string, string>): CompiledState[] {
  const tests = new TestCompiler(automaton.steps, kindParents);
  const compiled: Mutable<CompiledState>[] = automaton.states.map((state) => ({
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
  }));
  const ids = automaton.states.map((state) =>
    state.transitions.filter((t) => !isNever(t.guard)).map((t) => ({ transition: t, id: tests.add(t.guard) })),
  );
  const functions = tests.compile();
  ids.forEach((list, i) => {
    compiled[i]!.transitions = list.map(({ transition, id }) => ({
      action: transition.action === 'take' ? TAKE : transition.action === 'ignore' ? IGNORE : PROCEED,
      target: compiled[transition.target.index]!,
      test: id === null ? null : functions[id]!,
    }));
  });
  markCompleting(compiled);
  return compiled;
}

function markCompleting(states: readonly Mutable<CompiledState>[]): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const state of states) {
      const completes = state.transitions.some(
        (t) => t.action === PROCEED && (t.target.isFinal || t.target.mayComplete),
      );
      if (completes && !state.mayComplete) {
        state.mayComplete = true;
        changed = true;
      }
    }
  }
}

/** Collects the guards of one pattern and compiles the distinct ones in one piece of generated code. */
class TestCompiler implements GenerateContext {
  private readonly constants: unknown[] = [];
  private readonly ids = new Map<string, number>();

  constructor(
    private readonly steps: readonly string[],
    private readonly kindParents: ReadonlyMap<string, string>,
  ) {}

  stepIndex(step: string): number {
    return this.steps.indexOf(step);
  }

  constant(value: unknown): string {
    let index = this.constants.indexOf(value);
    if (index < 0) index = this.constants.push(value) - 1;
    return `constants[${index}]`;
  }

  feature(): string {
    throw new Error('features need a rule set');
  }

  /** Id of the guard's function; `null`: always true. */
  add(guard: Guard): number | null {
    if (guard.op === 'true') return null;
    const text = this.textOf(guard);
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.ids.size;
      this.ids.set(text, id);
    }
    return id;
  }

  compile(): Test[] {
    const bodies = [...this.ids.keys()].map((text) => `(event, fields, head) => ${text}`);
    const make = new Function('rt', 'constants', `'use strict'; return [${bodies.join(',\n')}];`);
    return make(conditionRuntime(this.steps), this.constants) as Test[];
  }

  private textOf(guard: Guard): string {
    switch (guard.op) {
      case 'true':
        return 'true';
      case 'leaf':
        return generateTest(guard.condition, this);
      case 'kind':
        return this.kindTest(guard.subtype);
      case 'not':
        return `!(${this.textOf(guard.arg)})`;
      case 'and':
        return `(${this.textOf(guard.left)} && ${this.textOf(guard.right)})`;
    }
  }

  private kindTest(subtype: string): string {
    const kinds = [subtype];
    for (const kind of kinds) {
      for (const [derived, parent] of this.kindParents)
        if (parent === kind && !kinds.includes(derived)) kinds.push(derived);
    }
    return `(${kinds.map((kind) => `event.kind === ${JSON.stringify(kind)}`).join(' || ')})`;
  }
}
