import {
  compileFeatures,
  type FeatureSet,
  type FeatureState,
  readFeatures,
  updateFeatures,
} from '../aggregate/feature-set.js';
import type { FeatureCell } from '../aggregate/feature-table.js';
import type { PatternState, Run } from '../buffer/run.js';
import { type CompiledPattern, type CompileOptions, PatternCompiler } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import type { Feature, Scalar } from '../expression/expression.js';
import { cellValue } from '../expression/scalar-code.js';
import { type Match, type Output, SkipError } from '../nfa/output.js';
import { heapAdd } from '../nfa/run-heap.js';
import { addResults, advanceTime, dropOldestRuns, expand, expiredAt, nextDeadline, settle } from '../nfa/step.js';
import { closeWindows, stepWindow, type WindowedState } from '../nfa/windows.js';
import type { Pattern } from '../pattern/pattern.js';

/** Values of features as of a moment, by feature; missing: `null`. */
export type FeatureValues = ReadonlyMap<Feature, Scalar | null>;

/** Hears of all that happens to the runs of a pattern. */
export interface TraceOutput {
  /** An event is looked at; what it does is told next. */
  onEvent?(event: EngineEvent, features: FeatureValues): void;
  /** What a run becomes at an event; `null`: it stays just as it is. */
  onRun?(run: Run, event: EngineEvent, results: readonly Run[] | null): void;
  /** A window of a run ended at `time`. An absence that is complete by that is a match, and told as such. */
  onExpired?(run: Run, time: number, by: 'within' | 'gap'): void;
  /** The end of a window completes the run: what must not come has not come. */
  onAbsence?(run: Run, time: number): void;
  /** A match has made the run void, or a limit was reached. */
  onDropped?(run: Run, time: number, by: 'match' | 'limit'): void;
  /** Of a window pattern: every window that ends, whatever its `having` says. */
  onWindow?(match: Match, features: FeatureValues): void;
  onMatch?(match: Match, time: number): void;
}

export interface TracerOptions extends CompileOptions {
  /** The key that all events are counted for. */
  readonly key?: string;
  /** Features whose values are wanted, beside those that conditions read. */
  readonly features?: readonly Feature[];
  /** Most runs; beyond it the oldest are dropped. Default 10,000. */
  readonly runsMax?: number;
}

/**
 * One pattern over one key, as `PatternRunner`, with every run in sight: for explanations. It steps with the very functions that
 * step live, run by run, and so is slower.
 */
export class PatternTracer {
  readonly compiler: PatternCompiler;
  compiled: CompiledPattern;
  private readonly cells: readonly FeatureCell[];
  private readonly features: FeatureSet;
  private featureState: FeatureState | undefined;
  private state: PatternState | undefined;
  private windows: WindowedState | undefined;
  private time = Number.NEGATIVE_INFINITY;
  private readonly runsMax: number;

  /** Throws `PatternError` with all problems of the pattern. */
  constructor(
    readonly pattern: Pattern,
    options: TracerOptions,
    private readonly output: TraceOutput,
  ) {
    this.compiler = new PatternCompiler(options);
    this.compiled = this.compiler.compile(pattern);
    const told = (options.features ?? []).map((feature) => this.compiler.features.cell(feature));
    this.cells = [...new Set([...this.compiled.features, ...told])];
    this.features = compileFeatures(this.cells, (where) => this.compiler.testOf(where));
    this.compiler.predicates.key.value = options.key ?? '';
    this.runsMax = options.runsMax ?? 10_000;
  }

  /** Advances to the event's time and processes it. Times must not fall. */
  feed(event: EngineEvent): void {
    this.advance(event.time);
    this.compiled.mark.next();
    this.featureState = updateFeatures(this.features, this.featureState, event);
    readFeatures(this.features, this.featureState, event.time, event);
    this.output.onEvent?.(event, this.values());
    const { window } = this.compiled;
    if (window === null) this.state = this.guarded(() => this.step(event));
    else this.windows = stepWindow({ ...window, having: null }, this.windows, event, this.windowOutput);
  }

  /** Moves event time on without an event, from one end of a window to the next. */
  advance(time: number): void {
    for (let next = this.deadline(); next <= time && next > this.time; next = this.deadline()) this.moveTo(next);
    this.moveTo(time);
  }

  /** Runs under way. */
  get runs(): readonly Run[] {
    return this.state?.partial.filter(({ first }) => first !== null) ?? [];
  }

  private deadline(): number {
    if (this.windows !== undefined) return this.windows.closesAt;
    return this.state === undefined ? Number.POSITIVE_INFINITY : nextDeadline(this.compiled, this.state);
  }

  private moveTo(time: number): void {
    this.time = time;
    const { window } = this.compiled;
    if (window !== null && this.windows !== undefined)
      this.windows = closeWindows({ ...window, having: null }, this.windows, time, this.windowOutput);
    const before = this.state;
    if (before === undefined || nextDeadline(this.compiled, before) > time) return;
    this.compiled.mark.next();
    readFeatures(this.features, this.featureState, time);
    const expired = new Set<Run>();
    for (const run of before.partial) {
      const state = this.compiled.states[run.state]!;
      const end = expiredAt(this.compiled, state, run, time);
      if (end === null) continue;
      expired.add(run);
      const byGap = state.gapMs > 0 && end === run.head!.event.time + state.gapMs;
      if (state.isPending) this.output.onAbsence?.(run, end);
      else this.output.onExpired?.(run, end, byGap ? 'gap' : 'within');
    }
    this.state = this.guarded(() => advanceTime(this.compiled, before, time, this.matchOutput));
    this.tellDropped(
      before.partial.filter((run) => !expired.has(run)),
      time,
    );
  }

  private step(event: EngineEvent): PatternState | undefined {
    const { compiled } = this;
    const before = this.state ?? compiled.initial;
    const partial: Run[] = [];
    let found: Run[] | null = null;
    for (const run of before.partial) {
      const results = expand(compiled, run, event);
      this.output.onRun?.(run, event, results);
      if (results === null) heapAdd(partial, run);
      else found = addResults(compiled, results, partial, found);
    }
    const expected = partial.slice();
    let after = settle(compiled, partial, before, found, this.matchOutput);
    this.state = after;
    this.tellDropped(expected, event.time);
    const over = this.runs.length - this.runsMax;
    if (after !== undefined && over > 0) {
      const held = after.partial;
      after = dropOldestRuns(after, over);
      this.state = after;
      this.tellDropped(held, event.time, 'limit');
    }
    return after;
  }

  private tellDropped(expected: readonly Run[], time: number, by: 'match' | 'limit' = 'match'): void {
    const kept = new Set(this.runs);
    for (const run of expected) if (run.first !== null && !kept.has(run)) this.output.onDropped?.(run, time, by);
  }

  /** A skip strategy that ends a pattern's run in an error leaves nothing of it. */
  private guarded(act: () => PatternState | undefined): PatternState | undefined {
    try {
      return act();
    } catch (error) {
      if (error instanceof SkipError) return undefined;
      throw error;
    }
  }

  private readonly matchOutput: Output = {
    onMatch: (match) => this.output.onMatch?.(match, this.time),
  };

  private readonly windowOutput = {
    onMatch: (match: Match): void => {
      const { having } = this.compiled.window!;
      const { window } = match;
      this.output.onWindow?.(match, this.values());
      const result: EngineEvent = { time: window!.end, seq: 0, kind: '', fields: window!.fields };
      if (having === null || having(result, result.fields, null) === true) this.output.onMatch?.(match, window!.end);
    },
    onWindowEnd: (time: number): void => {
      this.compiled.mark.next();
      readFeatures(this.features, this.featureState, time);
    },
  };

  private values(): FeatureValues {
    return new Map(this.cells.map((cell) => [cell.feature, cellValue(cell) ?? null]));
  }
}
