import type { MessagePart } from '../rule.js';
import { suggest } from '../source/nearest.js';
import type { Reporter, Span } from '../source/source-file.js';
import { type CelNode, parseCel } from './cel.js';
import { fieldNames, fieldOf, ofStep, type Scope } from './scope.js';

/** A message may refer to every step of the pattern, so it has no place of its own among them. */
export type MessageScope = Pick<Scope, 'schema' | 'steps' | 'fields'>;

const FORMS =
  'Write {{ step.field }}, {{ first(step).field }}, {{ count(step) }}, {{ sum(step.field) }}, {{ key }} or {{ duration }}.';
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
  if (node.op === 'id') return word(node, scope, reporter);
  if (node.op === '.') return fieldPart(node, scope, reporter);
  if (node.op === 'call') return statistic(node, scope, reporter);
  reporter.error('message-syntax', node.range, 'A message shows values; it does not compute.', FORMS);
  return null;
}

function word(node: Extract<CelNode, { op: 'id' }>, scope: MessageScope, reporter: Reporter): MessagePart | null {
  const name = node.args;
  if (name === 'key' || name === 'duration') return { kind: name };
  const isField = scope.schema?.fields.has(name) ?? false;
  const message = isField ? `${name} of which event?` : `${name} is no value of a match.`;
  reporter.error('message-syntax', node.range, message, isField ? `Write step.${name}.` : FORMS);
  return null;
}

function fieldPart(node: Extract<CelNode, { op: '.' }>, scope: MessageScope, reporter: Reporter): MessagePart | null {
  const [target, field] = node.args;
  const place = eventOf(target, reporter);
  if (place === null) return null;
  const known = stepIsThere(place.step, place.span, scope, reporter);
  const named = fieldIsThere(place.step, field, { start: node.pos, end: node.end }, scope, reporter);
  return known && named ? { kind: 'field', step: place.step, index: place.index, field } : null;
}

/** `step`, `first(step)`, `last(step)` or `step[0]`. */
function eventOf(node: CelNode, reporter: Reporter): { step: string; index: 0 | -1; span: Span } | null {
  if (node.op === 'id') return { step: node.args, index: -1, span: node.range };
  if (node.op === 'call' && (node.args[0] === 'first' || node.args[0] === 'last')) {
    const [arg] = node.args[1];
    if (arg?.op === 'id') return { step: arg.args, index: node.args[0] === 'first' ? 0 : -1, span: arg.range };
  }
  if (node.op === '[]' && node.args[0].op === 'id' && node.args[1].op === 'value' && node.args[1].args === 0n) {
    return { step: node.args[0].args, index: 0, span: node.args[0].range };
  }
  reporter.error('message-syntax', node.range, 'A message shows the first or last event of a step.', FORMS);
  return null;
}

function statistic(
  node: Extract<CelNode, { op: 'call' }>,
  scope: MessageScope,
  reporter: Reporter,
): MessagePart | null {
  const [name, args] = node.args;
  const fn = STATISTICS.find((candidate) => candidate === name);
  const [arg] = args;
  if (fn === undefined) {
    const span = { start: node.start, end: node.start + name.length };
    reporter.error('unknown-function', span, `A message has no function ${name}.`, suggest(name, STATISTICS));
    return null;
  }
  if (fn === 'count' && arg?.op === 'id' && args.length === 1) {
    return stepIsThere(arg.args, arg.range, scope, reporter) ? { kind: 'aggregate', fn, step: arg.args } : null;
  }
  if (fn !== 'count' && arg?.op === '.' && arg.args[0].op === 'id' && args.length === 1) {
    const step = arg.args[0];
    const field = arg.args[1];
    const known = stepIsThere(step.args as string, step.range, scope, reporter);
    const named = fieldIsThere(step.args as string, field, { start: arg.pos, end: arg.end }, scope, reporter);
    return known && named ? { kind: 'aggregate', fn, step: step.args as string, field } : null;
  }
  const form = fn === 'count' ? 'count(step)' : `${fn}(step.field)`;
  reporter.error('wrong-arguments', node.range, `${fn} takes one argument.`, `Write ${form}.`);
  return null;
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
