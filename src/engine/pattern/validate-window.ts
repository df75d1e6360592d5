import type { Pattern } from './pattern.js';
import type { PatternProblem, Report } from './problem.js';
import {
  greatestCommonDivisor,
  WINDOW_EVENTS_MAX,
  WINDOW_FIELDS,
  WINDOW_PARTS_MAX,
  type WindowAggregate,
  type WindowForm,
} from './window.js';

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
