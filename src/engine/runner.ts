import {
  compileFeatures,
  type FeatureSet,
  type FeatureState,
  readFeatures,
  updateFeatures,
} from './aggregate/feature-set.js';
import type { PatternState } from './buffer/run.js';
import { type CompiledPattern, type CompileOptions, PatternCompiler } from './compiler/compile.js';
import { conditionOf } from './compiler/guard.js';
import type { Literal } from './compiler/predicate.js';
import type { EngineEvent } from './event.js';
import type { Condition } from './expression/expression.js';
import type { Match, Timeout } from './nfa/output.js';
import { advanceTime, nextDeadline, processEvent } from './nfa/step.js';
import { closeWindows, stepWindow, type WindowedState } from './nfa/windows.js';
import type { Pattern, Step } from './pattern/pattern.js';
import { compileTelling, type Telling, type Told, tell } from './ruleset/telling.js';

export interface HeldEvent {
  readonly step: string;
  readonly event: EngineEvent;
}

/** See `PatternRunner.literalOf`. */
export interface TestedLiteral {
  readonly key: string;
  readonly negated: boolean;
}

const tested = (literal: Literal | null): TestedLiteral | null =>
  literal && { key: literal.predicate.key, negated: literal.negated };

/**
 * One pattern over one key, for tests and for embedding where events already come in order of time. Holds the state that
 * the pure functions of `nfa/step.ts` give back.
 */
export class PatternRunner {
  readonly compiled: CompiledPattern;
  private readonly compiler: PatternCompiler;
  private readonly telling: Telling | null;
  private readonly features: FeatureSet;
  private featureState: FeatureState | undefined;
  private state: PatternState | undefined;
  private windows: WindowedState | undefined;
  /** What `onMatch` tells of: the event under test, if any, and the time. */
  private event: EngineEvent | null = null;
  private time = Number.NEGATIVE_INFINITY;
  private matches: Match[] = [];
  private timeouts: Timeout[] = [];
  private readonly output = {
    onMatch: (match: Match): void => {
      const { telling, event, time } = this;
      this.matches.push(telling === null ? match : tell(telling, match, event, time));
    },
    onTimeout: (timeout: Timeout): void => void this.timeouts.push(timeout),
    onWindowEnd: (time: number): void => readFeatures(this.features, this.featureState, time),
  };

  /** `key`: the key that all events are counted for. Throws `PatternError` with all problems of the pattern. */
  constructor(pattern: Pattern, options: CompileOptions & Told & { readonly key?: string } = {}) {
    const compiler = new PatternCompiler(options);
    this.compiler = compiler;
    this.compiled = compiler.compile(pattern);
    this.telling = compileTelling(compiler, this.compiled, options);
    const cells = new Set([...this.compiled.features, ...(this.telling?.cells ?? [])]);
    this.features = compileFeatures([...cells], (where) => compiler.testOf(where));
    compiler.predicates.key.value = options.key ?? '';
  }

  /** Advances to the event's time and processes it. Times must not fall. */
  feed(event: EngineEvent): readonly Match[] {
    this.passTime(event.time);
    this.compiled.mark.next();
    this.event = event;
    this.featureState = updateFeatures(this.features, this.featureState, event);
    readFeatures(this.features, this.featureState, event.time, event);
    const { window } = this.compiled;
    if (window === null) this.state = processEvent(this.compiled, this.state, event, this.output);
    else this.windows = stepWindow(window, this.windows, event, this.output);
    this.event = null;
    return this.takeMatches();
  }

  /** Moves event time on without an event. */
  advance(time: number): readonly Match[] {
    this.passTime(time);
    return this.takeMatches();
  }

  /** Where something is told of matches, time stops at each end of a window, so that features are read as of then. */
  private passTime(time: number): void {
    if (this.telling !== null) {
      for (let next = this.deadline(); next <= time && next > this.time; next = this.deadline()) this.moveTo(next);
    }
    this.moveTo(time);
  }

  private deadline(): number {
    return this.state === undefined ? Number.POSITIVE_INFINITY : nextDeadline(this.compiled, this.state);
  }

  private moveTo(time: number): void {
    this.time = time;
    const { window } = this.compiled;
    if (window !== null && this.windows !== undefined)
      this.windows = closeWindows(window, this.windows, time, this.output);
    if (this.telling !== null) readFeatures(this.features, this.featureState, time);
    this.state = advanceTime(this.compiled, this.state, time, this.output);
  }

  /** Partial matches whose window ended since the last call. */
  takeTimeouts(): readonly Timeout[] {
    const taken = this.timeouts;
    this.timeouts = [];
    return taken;
  }

  /** What partial matches hold now: the events of each with their steps, oldest first. */
  held(): readonly (readonly HeldEvent[])[] {
    if (this.windows !== undefined) {
      return [this.windows.newest.map((event) => ({ step: this.compiled.window!.step, event }))];
    }
    return [...(this.state?.partial ?? []), ...(this.state?.completed ?? [])].map(({ head }) => {
      const events: HeldEvent[] = [];
      for (let node = head; node !== null; node = node.previous)
        events.push({ step: this.compiled.steps[node.step]!, event: node.event });
      return events.reverse();
    });
  }

  /** By what key `onTested` speaks of a condition, and whether of its negation. */
  literalOf(condition: Condition): TestedLiteral {
    return tested(this.compiler.literalOf({ op: 'leaf', condition }, this.compiled.steps))!;
  }

  /** The same of all that a step asks of an event; `null`: nothing. */
  literalOfStep(step: Step): TestedLiteral | null {
    return tested(this.compiler.literalOf(conditionOf(step), this.compiled.steps));
  }

  /** Partial matches under way. */
  get runs(): number {
    if (this.windows !== undefined) return this.windows.panes.length;
    return this.state === undefined ? 0 : this.state.partial.length - 1;
  }

  private takeMatches(): readonly Match[] {
    const taken = this.matches;
    this.matches = [];
    return taken;
  }
}
