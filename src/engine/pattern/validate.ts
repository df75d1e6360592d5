import type { GroupStep, Pattern, Step } from './pattern.js';
import type { PatternPath, PatternProblem, Report } from './problem.js';
import { validateWindow } from './validate-window.js';

const isNot = (step: Step): boolean => step.contiguity === 'notNext' || step.contiguity === 'notFollowedBy';

/** A step that a match can do without: `optional`, or a quantifier that begins at 0. */
export const isOptional = (step: Step): boolean => step.optional === true || step.quantifier?.from === 0;

/**
 * Finds what can be told from the pattern's form alone. Problems that only show once the automaton is built (empty
 * loops, windows that exceed the match window) are found by `compilePattern`, which calls this first.
 */
export function validateForm(pattern: Pattern): readonly PatternProblem[] {
  const problems: PatternProblem[] = [];
  const report: Report = (code, message, ...path) => problems.push({ code, message, path });
  if (pattern.steps.length === 0) report('no-steps', 'A pattern needs at least one step.', 'steps');
  checkSteps(pattern.steps, ['steps'], report);
  checkSize(pattern.steps, report);
  checkNames(pattern.steps, report);
  checkWindow(pattern.withinMs, ['within'], report);
  checkWindow(pattern.gapMs, ['gap'], report);
  checkSkip(pattern, report);
  problems.push(...validateWindow(pattern));
  return problems;
}

function checkSteps(steps: readonly Step[], path: PatternPath, report: Report): void {
  steps.forEach((step, i) => {
    const at = [...path, i];
    const previous = steps[i - 1];
    if (i === 0 && step.contiguity !== 'start') {
      report(
        'not-a-start',
        `The first step cannot be ${step.contiguity}: a match begins with an event.`,
        ...at,
        'contiguity',
      );
    }
    if (i > 0 && step.contiguity === 'start')
      report('start-not-first', 'Only the first step can begin.', ...at, 'contiguity');
    if (isNot(step)) checkNegation(step, previous, at, report);
    if (step.quantifier) checkQuantifier(step.quantifier.from, step.quantifier.to, at, report);
    checkModifiers(step, previous, at, report);
    if (step.kind === 'group') {
      checkGroup(step, at, report);
      checkSteps(step.steps, [...at, 'steps'], report);
    }
  });
}

/** Places for events that a pattern may have: each has states and transitions of its own, which are bounded as well (`StateSet`). */
const PLACES_MAX = 2000;

function checkSize(steps: readonly Step[], report: Report): void {
  const places = placesOf(steps);
  if (places <= PLACES_MAX) return;
  const message = `The pattern has places for ${places} events, each repetition counted; at most ${PLACES_MAX} can be.`;
  report('pattern-too-large', message, 'steps');
}

const placesOf = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => {
    const times = Math.max(1, step.quantifier?.to ?? step.quantifier?.from ?? 1);
    return sum + times * (step.kind === 'group' ? placesOf(step.steps) : 1);
  }, 0);

function checkNegation(step: Step, previous: Step | undefined, at: PatternPath, report: Report): void {
  if (step.kind === 'group') report('not-on-group', 'A group cannot be negated.', ...at, 'contiguity');
  if (step.quantifier) report('quantifier-on-not', 'A negated step cannot be quantified.', ...at, 'quantifier');
  if (step.greedy) report('quantifier-on-not', 'A negated step cannot be greedy.', ...at, 'greedy');
  if (step.optional) report('optional-not', 'A negated step cannot be optional.', ...at, 'optional');
  if (previous && isOptional(previous)) {
    report(
      'not-after-optional',
      'A negated step cannot follow an optional one: write two patterns, with and without it.',
      ...at,
      'contiguity',
    );
  }
}

function checkQuantifier(from: number, to: number | null, at: PatternPath, report: Report): void {
  const range = to === null ? `${from}+` : to === from ? `${from}` : `${from}..${to}`;
  if (!Number.isInteger(from) || from < 0 || (to !== null && !Number.isInteger(to))) {
    report('times-not-positive', `times needs whole numbers of at least 1, not ${range}.`, ...at, 'quantifier');
  } else if (to !== null && to < from) {
    report('times-range-inverted', `The range ${range} ends before it begins.`, ...at, 'quantifier');
  } else if (from === 0 && (to === null || to === 0)) {
    report(
      'times-not-positive',
      'times needs at least one occurrence; use optional for a step that may be absent.',
      ...at,
      'quantifier',
    );
  }
}

function checkModifiers(step: Step, previous: Step | undefined, at: PatternPath, report: Report): void {
  const looping = step.quantifier !== undefined && step.quantifier.to === null;
  if (step.inside === 'consecutive' && !step.quantifier) {
    report('consecutive-on-single', 'inside: consecutive needs a quantifier.', ...at, 'inside');
  }
  if (step.inside === 'combinations' && !step.quantifier) {
    report('combinations-on-single', 'inside: combinations needs a quantifier.', ...at, 'inside');
  }
  if (step.greedy && !isNot(step)) checkGreedy(step, at, report);
  if (step.until && !looping) {
    report(
      'until-without-loop',
      'until needs a step that repeats without bound (oneOrMore, times: n+).',
      ...at,
      'until',
    );
  }
  if (step.optional && step.quantifier?.from === 0) {
    report('optional-twice', 'The step is optional already: its range begins at 0.', ...at, 'optional');
  }
  if (step.optional && previous?.greedy) {
    report('optional-after-greedy', 'An optional step cannot follow a greedy one.', ...at, 'optional');
  }
  checkWindow(step.withinMs, [...at, 'within'], report);
  checkWindow(step.gapMs, [...at, 'gap'], report);
  checkWindow(step.quantifier?.gapMs, [...at, 'quantifier', 'gap'], report);
}

function checkGreedy(step: Step, at: PatternPath, report: Report): void {
  if (step.kind === 'group') report('greedy-on-group', 'A group cannot be greedy.', ...at, 'greedy');
  else if (!step.quantifier) report('greedy-on-single', 'greedy needs a quantifier.', ...at, 'greedy');
  else if (step.inside === 'combinations')
    report('greedy-with-combinations', 'greedy and inside: combinations exclude each other.', ...at, 'greedy');
}

function checkGroup(step: GroupStep, at: PatternPath, report: Report): void {
  if (step.steps.length === 0) report('no-steps', 'A group needs at least one step.', ...at, 'steps');
  const stray: { readonly where?: unknown; readonly subtype?: unknown } = step as object;
  if (stray.where)
    report('where-on-group', 'A group has no condition of its own: put it on its steps.', ...at, 'where');
  if (stray.subtype) report('subtype-on-group', 'A group has no subtype: put it on its steps.', ...at, 'subtype');
}

function checkWindow(ms: number | undefined, path: PatternPath, report: Report): void {
  if (ms !== undefined && (!Number.isFinite(ms) || ms < 0)) {
    report('window-not-positive', `A window is a time of at least 0 ms, not ${ms}.`, ...path);
  }
}

function checkNames(steps: readonly Step[], report: Report): void {
  const seen = new Set<string>();
  const visit = (list: readonly Step[], path: PatternPath): void =>
    list.forEach((step, i) => {
      if (step.kind === 'group') visit(step.steps, [...path, i, 'steps']);
      else if (seen.has(step.name))
        report('duplicate-step-name', `Two steps are called ${step.name}.`, ...path, i, 'name');
      else seen.add(step.name);
    });
  visit(steps, ['steps']);
}

function checkSkip(pattern: Pattern, report: Report): void {
  const skip = pattern.skip;
  if (skip === undefined || !('step' in skip)) return;
  if (!pattern.steps.some((step) => step.kind === 'event' && step.name === skip.step)) {
    report(
      'skip-target-unknown',
      `No step of the top level is called ${skip.step}; a step inside a group cannot be skipped to.`,
      'skip',
      'step',
    );
  }
}
