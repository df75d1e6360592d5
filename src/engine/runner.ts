import {
  compileFeatures,
  type FeatureSet,
  type FeatureState,
  readFeatures,
  updateFeatures,
} from './aggregate/feature-set.js';
import type { PatternState } from './buffer/run.js';
import { type CompiledPattern, type CompileOptions, PatternCompiler } from './compiler/compile.js';
import type { EngineEvent } from './event.js';
import type { Match, Timeout } from './nfa/output.js';
import { advanceTime, processEvent } from './nfa/step.js';
import type { Pattern } from './pattern/pattern.js';

/**
 * One pattern over one key, for tests and for embedding where events already come in order of time. Holds the state that
 * the pure functions of `nfa/step.ts` give back.
 */
export class PatternRunner {
  readonly compiled: CompiledPattern;
  private readonly features: FeatureSet;
  private featureState: FeatureState | undefined;
  private state: PatternState | undefined;
  private matches: Match[] = [];
  private timeouts: Timeout[] = [];
  private readonly output = {
    onMatch: (match: Match): void => void this.matches.push(match),
    onTimeout: (timeout: Timeout): void => void this.timeouts.push(timeout),
  };

  /** `key`: the key that all events are counted for. Throws `PatternError` with all problems of the pattern. */
  constructor(pattern: Pattern, options: CompileOptions & { readonly key?: string } = {}) {
    const compiler = new PatternCompiler(options);
    this.compiled = compiler.compile(pattern);
    this.features = compileFeatures(this.compiled.features, (where) => compiler.testOf(where));
    compiler.predicates.key.value = options.key ?? '';
  }

  /** Advances to the event's time and processes it. Times must not fall. */
  feed(event: EngineEvent): readonly Match[] {
    this.compiled.mark.next();
    this.featureState = updateFeatures(this.features, this.featureState, event);
    readFeatures(this.features, this.featureState, event.time, event);
    this.state = advanceTime(this.compiled, this.state, event.time, this.output);
    this.state = processEvent(this.compiled, this.state, event, this.output);
    return this.takeMatches();
  }

  /** Moves event time on without an event. */
  advance(time: number): readonly Match[] {
    this.state = advanceTime(this.compiled, this.state, time, this.output);
    return this.takeMatches();
  }

  /** Partial matches whose window ended since the last call. */
  takeTimeouts(): readonly Timeout[] {
    const taken = this.timeouts;
    this.timeouts = [];
    return taken;
  }

  /** Partial matches under way. */
  get runs(): number {
    return this.state === undefined ? 0 : this.state.partial.length - 1;
  }

  private takeMatches(): readonly Match[] {
    const taken = this.matches;
    this.matches = [];
    return taken;
  }
}
