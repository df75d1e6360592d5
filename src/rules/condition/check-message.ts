import type { MessagePart } from '../rule.js';
import { suggest } from '../source/nearest.js';
import type { Reporter, Span } from '../source/source-file.js';
import { type CelNode, parseCel } from './cel.js';
import { checkValue, type RuleValues, type ValueScope } from './check-value.js';
import { fieldNames, fieldOf, isKey, isMeta, ofStep } from './scope.js';

/** `values`: where expressions are put, of which the message shows the values. */
export type MessageScope = ValueScope & { readonly values: RuleValues };

const FORMS =
  'Write {{ step.field }}, {{ count(step) }}, {{ feature }}, {{ key }}, {{ duration }} or another expression.';
const STATISTICS = ['count', 'sum', 'avg', 'min', 'max'] as const;

/** The parts of a message such as `{{ large.amount }} left {{ key }}`. What is wrong is reported at its place. */
export function checkMessage(text: string, scope: MessageScope, reporter: Reporter): readonly MessagePart[] {
  const parts: MessagePart[] = [];
  let from = 0;
  for (let open = text.indexOf('{{'); open >= 0; open = text.indexOf('{{', from)) {
    const close = text.indexOf('}}', open);
    if (close < 0) {
      reporter.error(
        'message-syntax',
        { start: open, end: open + 2 },
        'This {{ is never closed.',
        'Write }} after it.',
      );
      return parts;
    }
    if (open > from) parts.push({ kind: 'text', text: text.slice(from, open) });
    const part = reference(text.slice(open + 2, close), open + 2, scope, reporter);
    if (part !== null) parts.push(part);
    from = close + 2;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return parts;
}

/** Reports at `offset` further on: a placeholder is parsed on its own. */
function shifted(reporter: Reporter, offset: number): Reporter {
  const move = (span: Span): Span => ({ start: span.start + offset, end: span.end + offset });
  return {
    error: (code, span, message, hint) =>
      reporter.error(code === 'condition-syntax' ? 'message-syntax' : code, move(span), message, hint),
    warning: (code, span, message, hint) => reporter.warning(code, move(span), message, hint),
  };
}

function reference(text: string, offset: number, scope: MessageScope, outer: Reporter): MessagePart | null {
  const reporter = shifted(outer, offset);
  if (text.trim() === '') {
    reporter.error('message-syntax', { start: 0, end: text.length }, 'There is nothing between {{ and }}.', FORMS);
    return null;
  }
  const node = parseCel(text, reporter);
  if (node === null) return null;
  if (node.op === 'id' && node.args === 'duration') return { kind: 'duration' };
  if (node.op === 'id' && isKey(scope, node.args)) return { kind: 'key' };
  const place = fieldOfStep(node, scope);
  if (place !== null) return fieldPart(place, scope, reporter);
  const statistic = statisticOf(node, scope);
  if (statistic !== null) return statisticPart(statistic, scope, reporter);
  const value = checkValue(node, scope, reporter);
  return value && { kind: 'value', index: scope.values.add(value.expr) };
}

interface StepField {
  readonly step: string;
  readonly stepSpan: Span;
  readonly index: 0 | -1;
  readonly field: string;
  readonly span: Span;
}

/** `step.field`, `first(step).field`, `last(step).field` or `step[0].field`; `null`: it is something else. */
function fieldOfStep(node: CelNode, scope: MessageScope): StepField | null {
  if (node.op !== '.') return null;
  const [target, field] = node.args;
  const place = eventOf(target);
  if (place === null || isMeta(ofStep(scope, place.step), field)) return null;
  return { ...place, field, span: { start: node.pos, end: node.end } };
}

function eventOf(node: CelNode): Pick<StepField, 'step' | 'stepSpan' | 'index'> | null {
  if (node.op === 'id') return { step: node.args, stepSpan: node.range, index: -1 };
  if (node.op === 'call' && (node.args[0] === 'first' || node.args[0] === 'last')) {
    const [arg, more] = node.args[1];
    if (arg?.op !== 'id' || more !== undefined) return null;
    return { step: arg.args, stepSpan: arg.range, index: node.args[0] === 'first' ? 0 : -1 };
  }
  if (node.op !== '[]' || node.args[0].op !== 'id' || node.args[1].op !== 'value' || node.args[1].args !== 0n)
    return null;
  return { step: node.args[0].args, stepSpan: node.args[0].range, index: 0 };
}

function fieldPart(place: StepField, scope: MessageScope, reporter: Reporter): MessagePart | null {
  const { step, stepSpan, index, field, span } = place;
  const known = stepIsThere(step, stepSpan, scope, reporter);
  return fieldIsThere(step, field, span, scope, reporter) && known ? { kind: 'field', step, index, field } : null;
}

type StatisticFn = (typeof STATISTICS)[number];
type Statistic = { readonly fn: StatisticFn; readonly step: string; readonly stepSpan: Span } & (
  | { readonly field?: undefined }
  | { readonly field: string; readonly span: Span }
);

/** `count(step)`, `sum(step.field)` and the like; `null`: it is something else. */
function statisticOf(node: CelNode, scope: MessageScope): Statistic | null {
  if (node.op !== 'call' || node.args[1].length !== 1) return null;
  const fn = STATISTICS.find((candidate) => candidate === node.args[0]);
  const [arg] = node.args[1];
  if (fn === 'count' && arg!.op === 'id') return { fn, step: arg!.args, stepSpan: arg!.range };
  if (fn === undefined || fn === 'count' || arg!.op !== '.' || arg!.args[0].op !== 'id') return null;
  const [step, field] = arg!.args;
  if (isMeta(ofStep(scope, step.args as string), field)) return null;
  return { fn, step: step.args as string, stepSpan: step.range, field, span: { start: arg!.pos, end: arg!.end } };
}

function statisticPart(statistic: Statistic, scope: MessageScope, reporter: Reporter): MessagePart | null {
  const { fn, step, stepSpan, field } = statistic;
  const known = stepIsThere(step, stepSpan, scope, reporter);
  if (field === undefined) return known ? { kind: 'aggregate', fn, step } : null;
  return fieldIsThere(step, field, statistic.span, scope, reporter) && known
    ? { kind: 'aggregate', fn, step, field }
    : null;
}

function stepIsThere(name: string, span: Span, scope: MessageScope, reporter: Reporter): boolean {
  const step = scope.steps.find((candidate) => candidate.name === name);
  if (step === undefined) {
    const names = scope.steps.map((candidate) => candidate.name);
    reporter.error('unknown-step', span, `There is no step ${name}.`, suggest(name, names));
    return false;
  }
  if (step.negated) {
    reporter.warning('always-empty', span, `${name} is a step that must not happen: it never has events.`);
  }
  return true;
}

function fieldIsThere(step: string, name: string, span: Span, scope: MessageScope, reporter: Reporter): boolean {
  const own = ofStep(scope, step);
  if (fieldOf(own, name) === null) {
    reporter.error('unknown-field', span, `There is no field ${name}.`, suggest(name, fieldNames(own)));
    return false;
  }
  scope.fields.add(name);
  return true;
}
