import type { Expr } from '../expression/expression.js';
import type { EventStep, GroupStep, Pattern, Quantifier, Step } from '../pattern/pattern.js';
import { stepPath } from '../pattern/step-path.js';
import { isOptional } from '../pattern/validate.js';
import type { Automaton, State, StateType } from './automaton.js';
import { and, conditionOf, type Guard, not, TRUE, unless } from './guard.js';
import { StateSet, UnsupportedPattern } from './state-set.js';

/**
 * Builds the automaton from the last step to the first: each step is turned into states that lead into the `sink`, the
 * first state of what follows. The constructions (and their order, which decides the order of matches) are those that the
 * conformance corpus observes of Flink CEP 2.3.
 *
 * Invariants
 * 1. `scope` is the list of steps that is being built and `at` the position in it; a group opens a scope of its own.
 * 2. A state's transitions are only ever appended to, except that a greedy loop narrows the guards of its sink.
 * 3. A negated step makes no state in between (`notFollowedBy`): it becomes proceeds to its one stop state.
 */
const END = '$end';
/** Deeper nesting of copies than any sensible pattern needs: the construction would not end. */
const COPY_DEPTH_MAX = 500;

interface Scope {
  readonly steps: readonly Step[];
  readonly group: GroupStep | null;
  at: number;
}

type Strategy = 'strict' | 'skipTillNext' | 'skipTillAny';

interface Occurrence {
  readonly take: Guard;
  /** `null`: an event that does not fit ends the run. */
  readonly ignore: Guard | null;
  readonly optional: boolean;
}

export interface BuildOptions {
  /**
   * What a quantifier's gap bounds. `flink` (default): the wait for each occurrence but the last possible one, and in a loop for
   * the mandatory ones. `every`: the wait for every occurrence after the first.
   */
  readonly quantifierGap?: 'flink' | 'every';
}

export function buildAutomaton(pattern: Pattern, options: BuildOptions = {}): Automaton {
  return new AutomatonBuilder(pattern, options.quantifierGap ?? 'flink').build();
}

class AutomatonBuilder {
  private readonly set: StateSet;
  private readonly stopStates = new Map<string, State>();
  /** For a greedy step with `until`: copies of its sink as it was before its guards were narrowed, by the sink's name. */
  private readonly ungreedySinks = new Map<string, State>();
  /** False while the repetitions of a quantified group are built, true for its first occurrence. */
  private readonly firstOfLoop = new Map<GroupStep, boolean>();
  private scope: Scope;
  private following: Step | null = null;
  private windowMs: number | null = null;

  constructor(
    private readonly pattern: Pattern,
    private readonly quantifierGap: 'flink' | 'every',
  ) {
    this.set = new StateSet(pattern);
    this.scope = { steps: pattern.steps, group: null, at: pattern.steps.length - 1 };
  }

  build(): Automaton {
    const end = this.set.add(END, 'final');
    // The window of the whole pattern is one given on its last step, in place of that step's own.
    this.narrowWindow(this.pattern.withinMs ?? this.step.withinMs);
    const start = this.convert(this.buildScope(end));
    this.checkWindows();
    return {
      states: this.set.states,
      start,
      windowMs: this.windowMs ?? 0,
      steps: eventSteps(this.pattern.steps),
    };
  }

  private checkWindows(): void {
    const last = this.pattern.steps.length - 1;
    const windowMs = this.windowMs;
    const wider = windowMs === null ? undefined : this.set.states.find((state) => state.gapMs > windowMs);
    if (wider !== undefined) {
      throw new UnsupportedPattern({
        code: 'gap-window-longer-than-match-window',
        message: `The gap of ${wider.gapMs} ms at ${wider.step} is longer than the window of ${windowMs} ms of the whole match.`,
        path: [...stepPath(this.pattern, wider.step), 'gap'],
      });
    }
    const step = this.pattern.steps[last]!;
    const gapMs = this.pattern.gapMs ?? step.gapMs ?? 0;
    if (step.contiguity === 'notFollowedBy' && gapMs <= 0 && (windowMs ?? 0) === 0) {
      throw new UnsupportedPattern({
        code: 'not-followed-by-last-without-within',
        message: 'notFollowedBy as the last step needs a window: without one, its absence is never certain.',
        path: ['steps', last],
      });
    }
  }

  private get step(): Step {
    return this.scope.steps[this.scope.at]!;
  }

  private narrowWindow(ms: number | undefined): void {
    if (ms !== undefined && (this.windowMs === null || ms < this.windowMs)) this.windowMs = ms;
  }

  // ---- steps ----------------------------------------------------------------------------------------------------------

  /** Builds all steps of the scope but its first, and leaves `at` on the first. */
  private buildScope(end: State): State {
    let sink = end;
    while (this.scope.at > 0) {
      const step = this.step;
      if (step.contiguity === 'notFollowedBy') sink = this.convertNotFollowedBy(sink);
      else if (step.contiguity === 'notNext') sink = this.convertNotNext(sink);
      else sink = this.convert(sink);
      this.following = step;
      this.scope.at--;
      this.narrowWindow(this.step.withinMs);
    }
    return sink;
  }

  /** In between it becomes proceeds to a stop state (see `addStops`); as the last step, with a window, a pending state. */
  private convertNotFollowedBy(sink: State): State {
    const step = this.step;
    const last = this.scope.group === null && this.scope.at === this.scope.steps.length - 1;
    const gapMs = last ? (this.pattern.gapMs ?? step.gapMs) : step.gapMs;
    if (sink.type !== 'final' || (gapMs === undefined && (this.windowMs ?? 0) <= 0)) return sink;
    const pending = this.addTakingState('pending');
    const forbidden = this.takeGuard(step);
    this.set.link(pending, 'proceed', this.stopState(step, forbidden), forbidden);
    this.set.link(pending, 'ignore', pending, not(forbidden));
    return pending;
  }

  private convertNotNext(sink: State): State {
    const state = this.addTakingState('normal');
    const forbidden = this.takeGuard(this.step);
    const stop = this.stopState(this.step, forbidden);
    // An ignore into the end completes the match with this event; a proceed would complete it with the one before.
    this.set.link(state, sink.type === 'final' ? 'ignore' : 'proceed', sink, not(forbidden));
    this.set.link(state, 'proceed', stop, forbidden);
    return state;
  }

  private convert(sink: State): State {
    const quantifier = this.step.quantifier;
    let first: State;
    if (quantifier === undefined) {
      first = this.buildOccurrence(sink, sink, {
        take: this.takeGuard(this.step),
        ignore: this.ignoreGuard(this.step),
        optional: isOptional(this.step),
      });
    } else if (quantifier.to === null) {
      this.markFirstOfLoop(false);
      const loop = this.buildLoop(this.withoutEarlierNegations(sink));
      this.markFirstOfLoop(true);
      first = this.buildTimes(loop, sink, { from: quantifier.from, to: quantifier.from });
    } else {
      first = this.buildTimes(sink, sink, { from: Math.max(1, quantifier.from), to: quantifier.to });
    }
    this.addStops(first);
    return first;
  }

  /** A chain of `to` occurrences, the last `to - from` of which may be left out. */
  private buildTimes(sink: State, proceed: State, times: Quantifier & { readonly to: number }): State {
    const step = this.step;
    this.markFirstOfLoop(false);
    const take = unless(this.untilGuard(step), this.takeGuard(step));
    const again = and(take, this.gapGuard(step));
    const inner = this.innerIgnoreGuard(step);
    if (step.greedy && times.from !== times.to) {
      if (step.until) this.ungreedySinks.set(sink.name, this.copyOf(sink));
      narrow(sink, take);
    }
    let first = sink;
    for (let i = times.from; i < times.to; i++) {
      first = this.buildOccurrence(first, proceed, { take: again, ignore: inner, optional: true });
      this.addStopOfFollowing(first);
    }
    for (let i = 0; i < times.from - 1; i++) {
      first = this.buildOccurrence(first, null, { take: again, ignore: inner, optional: false });
      this.addStopOfFollowing(first);
    }
    this.markFirstOfLoop(true);
    return this.buildOccurrence(first, proceed, { take, ignore: this.ignoreGuard(step), optional: isOptional(step) });
  }

  private buildOccurrence(sink: State, proceed: State | null, occurrence: Occurrence): State {
    if (this.step.kind === 'group') return this.buildGroup(this.step, sink, occurrence.optional ? proceed : null);
    const { take, ignore, optional } = occurrence;
    const state = this.addTakingState('normal');
    // Once an event is taken, negations before the step no longer hold for what follows.
    const next = this.withoutEarlierNegations(sink);
    this.set.link(state, 'take', next, take);
    if (optional && proceed) this.linkProceed(state, proceed);
    if (ignore !== null) {
      let waiting = state;
      if (optional || this.isHeadOfOptionalGroup()) {
        waiting = this.set.add(this.step.name, 'normal');
        this.set.link(waiting, 'take', next, take);
        this.set.link(waiting, 'ignore', waiting, ignore);
        this.addStops(waiting);
      }
      this.set.link(state, 'ignore', waiting, ignore);
    }
    return state;
  }

  private linkProceed(state: State, proceed: State): void {
    const pass = this.passGuard();
    const until = this.step.greedy ? this.untilGuard(this.step) : null;
    if (until === null) {
      this.set.link(state, 'proceed', proceed, pass);
    } else {
      this.set.link(state, 'proceed', this.ungreedySinks.get(proceed.name) ?? proceed, and(pass, until));
      this.set.link(state, 'proceed', proceed, and(pass, not(until)));
    }
  }

  private buildGroup(group: GroupStep, sink: State, proceed: State | null): State {
    return this.inGroup(
      group,
      () => this.convert(this.buildScope(sink)),
      (first) => {
        if (proceed) this.set.link(first, 'proceed', proceed, this.passGuard());
      },
    );
  }

  private buildLoop(sink: State): State {
    if (this.step.kind === 'group') return this.buildGroupLoop(this.step, sink);
    const step = this.step;
    const until = this.untilGuard(step);
    const take = and(unless(until, this.takeGuard(step)), this.gapGuard(step));
    const ignore = this.innerIgnoreGuard(step);
    const pass = this.passGuard();
    const loop = this.addTakingState('normal');
    if (step.greedy) {
      if (until !== null) {
        const ungreedy = this.copyOf(sink);
        this.set.link(loop, 'proceed', ungreedy, and(pass, until));
        this.ungreedySinks.set(sink.name, ungreedy);
      }
      this.set.link(loop, 'proceed', sink, until === null ? pass : and(pass, not(until)));
      narrow(sink, this.takeGuard(step));
    } else {
      this.set.link(loop, 'proceed', sink, pass);
    }
    this.set.link(loop, 'take', loop, take);
    this.addStopOfFollowing(loop);
    if (ignore !== null) {
      const waiting = this.set.add(step.name, 'normal');
      this.set.link(waiting, 'take', loop, take);
      this.set.link(waiting, 'ignore', waiting, ignore);
      this.set.link(loop, 'ignore', waiting, ignore);
      this.addStopOfFollowing(waiting);
    }
    return loop;
  }

  private buildGroupLoop(group: GroupStep, sink: State): State {
    const back = this.addTakingState('normal');
    return this.inGroup(
      group,
      () => this.convert(this.buildScope(back)),
      (first) => {
        this.set.link(first, 'proceed', sink, this.passGuard());
        this.set.link(back, 'proceed', first, this.passGuard());
      },
    );
  }

  /** Runs `build` with the group's steps as scope, and `finish` in the scope around it again. */
  private inGroup(group: GroupStep, build: () => State, finish: (first: State) => void): State {
    const { scope, following } = this;
    this.scope = { steps: group.steps, group, at: group.steps.length - 1 };
    const first = build();
    this.scope = scope;
    this.following = following;
    finish(first);
    return first;
  }

  // ---- negations ------------------------------------------------------------------------------------------------------

  /** The `notFollowedBy` steps right before the step, nearest first; optional steps between them do not matter. */
  private earlierNegations(): EventStep[] {
    const found: EventStep[] = [];
    for (let i = this.scope.at - 1; i >= 0; i--) {
      const step = this.scope.steps[i]!;
      if (step.contiguity === 'notFollowedBy') found.push(step as EventStep);
      else if (!isOptional(step)) break;
    }
    return found;
  }

  private addStops(state: State): void {
    for (const negation of this.earlierNegations()) {
      const forbidden = this.takeGuard(negation);
      this.set.link(state, 'proceed', this.stopState(negation, forbidden), forbidden);
    }
  }

  private addStopOfFollowing(state: State): void {
    const next = this.following;
    if (next?.contiguity !== 'notFollowedBy') return;
    const forbidden = this.takeGuard(next);
    this.set.link(state, 'proceed', this.stopState(next, forbidden), forbidden);
  }

  private stopState(step: Step, forbidden: Guard): State {
    const name = stepName(step);
    let stop = this.stopStates.get(name);
    if (stop === undefined) {
      stop = this.set.add(name, 'stop');
      this.set.link(stop, 'take', stop, forbidden);
      this.stopStates.set(name, stop);
    }
    return stop;
  }

  /** After an optional step has taken an event, what follows must no longer stop at the negations before that step. */
  private withoutEarlierNegations(sink: State, depth = 0): State {
    const negations = this.earlierNegations();
    if (negations.length === 0 || !isOptional(this.step)) return sink;
    if (depth > COPY_DEPTH_MAX) {
      throw new UnsupportedPattern({
        code: 'negation-beside-loop',
        message: `notFollowedBy ${negations[0]!.name} stands beside a loop or an optional group in a way that has no meaning; put a step between them.`,
        path: ['steps'],
      });
    }
    const copy = this.set.add(sink.name, sink.type);
    for (const t of sink.transitions) {
      if (t.action === 'proceed') {
        const stops = t.target.type === 'stop';
        if (stops && negations.some((n) => n.name === t.target.name)) continue;
        this.set.link(copy, 'proceed', stops ? t.target : this.withoutEarlierNegations(t.target, depth + 1), t.guard);
      } else {
        this.set.link(copy, t.action, t.target === sink ? copy : t.target, t.guard);
      }
    }
    return copy;
  }

  private copyOf(state: State): State {
    const copy = this.set.add(state.step, state.type);
    for (const t of state.transitions) this.set.link(copy, t.action, t.target === state ? copy : t.target, t.guard);
    return copy;
  }

  // ---- guards ---------------------------------------------------------------------------------------------------------

  private takeGuard(step: Step): Guard {
    return unless(this.groupUntil(), conditionOf(step));
  }

  private passGuard(): Guard {
    return unless(this.groupUntil(), TRUE);
  }

  private untilGuard(step: Step): Guard | null {
    return step.until ? { op: 'leaf', condition: step.until } : null;
  }

  private groupUntil(): Guard | null {
    return this.scope.group?.until ? { op: 'leaf', condition: this.scope.group.until } : null;
  }

  /** What may be passed over before the first occurrence. */
  private ignoreGuard(step: Step): Guard | null {
    const group = this.scope.group;
    let strategy = strategyOf(step);
    if (group !== null && this.scope.at === 0)
      strategy = this.isFirstOfLoop(group) ? strategyOf(group) : insideStrategyOf(group);
    return this.ignoreGuardOf(strategy, conditionOf(step));
  }

  /** What may be passed over between the occurrences. */
  private innerIgnoreGuard(step: Step): Guard | null {
    const group = this.scope.group;
    const strategy = insideStrategyOf(group !== null && this.scope.at === 0 ? group : step);
    const guard = this.ignoreGuardOf(strategy, and(conditionOf(step), this.gapGuard(step)));
    return guard && unless(this.untilGuard(step), guard);
  }

  /** With `quantifierGap: every`: the occurrence comes soon enough after the one before. */
  private gapGuard(step: Step): Guard {
    const gapMs = step.quantifier?.gapMs ?? 0;
    if (this.quantifierGap === 'flink' || gapMs === 0 || step.kind === 'group') return TRUE;
    const before: Expr = { op: 'aggregate', fn: 'last', step: step.name, field: '$time' };
    const wait: Expr = { op: 'arith', fn: '-', left: { op: 'meta', name: 'time' }, right: before };
    return {
      op: 'leaf',
      condition: { op: 'compare', cmp: '<', left: wait, right: { op: 'const', value: gapMs } },
    };
  }

  private ignoreGuardOf(strategy: Strategy, fits: Guard): Guard | null {
    if (strategy === 'strict') return null;
    const guard = strategy === 'skipTillAny' ? TRUE : not(fits);
    return unless(this.groupUntil(), guard);
  }

  private markFirstOfLoop(first: boolean): void {
    if (this.step.kind === 'group') this.firstOfLoop.set(this.step, first);
  }

  private isFirstOfLoop(group: GroupStep): boolean {
    return this.firstOfLoop.get(group) ?? true;
  }

  private isHeadOfOptionalGroup(): boolean {
    const group = this.scope.group;
    return group !== null && this.scope.at === 0 && this.isFirstOfLoop(group) && isOptional(group);
  }

  // ---- states ---------------------------------------------------------------------------------------------------------

  /** A state that waits for an event of the step, and so is subject to its gap windows. */
  private addTakingState(type: StateType): State {
    const step = this.step;
    const state = this.set.add(stepName(step), type);
    const isLast = this.scope.group === null && this.scope.at === this.scope.steps.length - 1;
    if (step.quantifier === undefined) state.gapMs = (isLast ? this.pattern.gapMs : undefined) ?? step.gapMs ?? 0;
    // The state made first is the one of the last occurrence: the gap does not bound that one.
    else if (this.quantifierGap === 'flink' && state.name !== stepName(step)) state.gapMs = step.quantifier.gapMs ?? 0;
    return state;
  }
}

/** Greedy: what follows neither takes nor passes over an event that the loop could take. */
function narrow(sink: State, take: Guard): void {
  for (const t of sink.transitions) t.guard = and(t.guard, not(take));
}

function strategyOf(step: Step): Strategy {
  if (step.contiguity === 'followedBy') return 'skipTillNext';
  return step.contiguity === 'followedByAny' ? 'skipTillAny' : 'strict';
}

function insideStrategyOf(step: Step): Strategy {
  if (step.inside === 'consecutive') return 'strict';
  return step.inside === 'combinations' ? 'skipTillAny' : 'skipTillNext';
}

const stepName = (step: Step): string => (step.kind === 'group' ? '$group' : step.name);

function eventSteps(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === 'group') return eventSteps(step.steps);
    return step.contiguity === 'notNext' || step.contiguity === 'notFollowedBy' ? [] : [step.name];
  });
}
