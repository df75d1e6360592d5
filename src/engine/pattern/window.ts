import type { Expr } from '../expression/expression.js';
import type { FeatureFn } from '../expression/feature.js';
import type { Pattern } from './pattern.js';
import type { PatternProblem } from './validate.js';

/**
 * How a key's time is cut into windows; all durations are ms of event time. As in Apache Flink, windows of a fixed length are aligned
 * to the epoch, moved on by `offsetMs`, and their end is not in them. A session ends `gapMs` after its newest event, and at the
 * latest `maxMs` after its first one; an event at that very time begins another.
 */
export type WindowForm =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs?: number }
  | { readonly kind: 'hopping'; readonly sizeMs: number; readonly everyMs: number; readonly offsetMs?: number }
  | { readonly kind: 'session'; readonly gapMs: number; readonly maxMs?: number };

/** See `FeatureFn`: the same over the events of a window. */
export type WindowFn = Exclude<FeatureFn, 'since'>;

/** A statistic over the events of a window. */
export interface WindowAggregate {
  readonly name: string;
  readonly fn: WindowFn;
  /** Absent for `count` alone. Events without it are left out. */
  readonly field?: string;
  /** For `quantile` alone: 0 to 1. */
  readonly q?: number;
  /** Which events of the window count; absent: all. Must look at the event alone. */
  readonly where?: Expr;
}

/**
 * Makes a pattern of one step one that emits by itself: the step says which events count, and each window that has any gives one match
 * when it ends. Expressions speak of what came out by the names of `aggregates` and `WINDOW_FIELDS`, as fields of one event.
 */
export interface PatternWindow {
  readonly form: WindowForm;
  readonly aggregates: readonly WindowAggregate[];
  /** Which windows give a match; absent: all. */
  readonly having?: Expr;
  /** How many of its newest events a match has; default 1. */
  readonly events?: number;
}

/** What every window tells beside its aggregates: when it begins and ends, and the times of its first and last event, in ms. */
export const WINDOW_FIELDS = ['windowStart', 'windowEnd', 'firstTime', 'lastTime'] as const;

/** The step that a window pattern has, unless its author gives it another name. */
export const WINDOW_STEP = 'window';

/** Most events that a match shows. */
export const WINDOW_EVENTS_MAX = 100;
/** Most parts that a window is put together of: it is as many times longer than the greatest common divisor of its length and pace. */
export const WINDOW_PARTS_MAX = 2000;

type Report = (code: string, message: string, ...path: (string | number)[]) => void;

/** What is wrong with a window; nothing for a pattern without one. */
export function validateWindow(pattern: Pattern): readonly PatternProblem[] {
  const { window } = pattern;
  const problems: PatternProblem[] = [];
  if (window === undefined) return problems;
  const report: Report = (code, message, ...path) => problems.push({ code, message, path: ['window', ...path] });
  checkStep(pattern, report);
  checkForm(window.form, report);
  checkAggregates(window.aggregates, report);
  const { events } = window;
  if (events !== undefined && !(Number.isInteger(events) && events >= 1 && events <= WINDOW_EVENTS_MAX)) {
    report('bad-window-events', `A match shows 1 to ${WINDOW_EVENTS_MAX} events of its window.`, 'events');
  }
  return problems;
}

function checkStep(pattern: Pattern, report: Report): void {
  const [step, second] = pattern.steps;
  const isPlain = step?.kind === 'event' && second === undefined && !step.quantifier && step.optional !== true;
  const { withinMs, gapMs, skip } = pattern;
  if (isPlain && withinMs === undefined && gapMs === undefined && skip === undefined) return;
  report('window-beside-steps', 'A window has one plain step, which says which events count, and nothing else.');
}

function checkForm(form: WindowForm, report: Report): void {
  const isTime = (ms: number): boolean => Number.isInteger(ms) && ms > 0;
  if (form.kind === 'session') {
    if (!isTime(form.gapMs)) report('window-not-positive', 'The gap of a session is at least 1 ms.', 'session');
    if (form.maxMs !== undefined && !(isTime(form.maxMs) && form.maxMs >= form.gapMs)) {
      report('bad-session-max', 'The longest session cannot be shorter than its gap.', 'max');
    }
    return;
  }
  if (!isTime(form.sizeMs)) {
    report('window-not-positive', 'A window is at least 1 ms long.', form.kind);
    return;
  }
  const pace = form.kind === 'hopping' ? form.everyMs : form.sizeMs;
  if (form.kind === 'hopping' && !(isTime(pace) && pace <= form.sizeMs)) {
    report('bad-window-pace', 'Windows cannot come at longer intervals than they are long.', 'every');
  } else if (form.sizeMs / greatestCommonDivisor(form.sizeMs, pace) > WINDOW_PARTS_MAX) {
    const message = `The window is put together of more than ${WINDOW_PARTS_MAX} parts.`;
    report('window-too-fine', message, 'every');
  }
  const { offsetMs = 0 } = form;
  if (!(Number.isInteger(offsetMs) && offsetMs >= 0 && offsetMs < pace)) {
    report('bad-window-offset', 'An offset is at least 0, and shorter than the time from window to window.', 'offset');
  }
}

function checkAggregates(aggregates: readonly WindowAggregate[], report: Report): void {
  const seen = new Set<string>(WINDOW_FIELDS);
  aggregates.forEach(({ name, fn, field, q }, i) => {
    if (seen.has(name)) report('duplicate-aggregate-name', `${name} means something already.`, 'aggregates', i, 'name');
    seen.add(name);
    const hasField = (fn === 'count') === (field === undefined);
    const hasShare = fn === 'quantile' ? q !== undefined && q >= 0 && q <= 1 : q === undefined;
    if (hasField && hasShare) return;
    report('bad-aggregate', `The aggregate ${name} is not whole, or says too much.`, 'aggregates', i);
  });
}

export function greatestCommonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}
