import { type EngineFunction, type Expr, FUNCTIONS } from '../../engine/index.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { suggest } from '../source/nearest.js';
import type { Span } from '../source/source-file.js';
import { type CelNode, nameSpan } from './cel.js';
import type { Checker } from './check-condition.js';
import { PICKS, STATISTICS } from './references.js';
import { type Checked, typed } from './typed.js';

/** Functions of CEL that conditions do not have, with what to do instead. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['matches', 'A regular expression can take for ever; use startsWith, endsWith, contains or in.'],
  ['exists', 'There are no lists to walk through; use count, min, max or another statistic of a step.'],
  ['exists_one', 'There are no lists to walk through; use count, min, max or another statistic of a step.'],
  ['all', 'There are no lists to walk through; use count, min, max or another statistic of a step.'],
  ['map', 'There are no lists to walk through; use sum, avg or another statistic of a step.'],
  ['filter', 'There are no lists to walk through; use a step of its own for the events you want.'],
  ['int', 'All numbers are of one type; use floor or ceil to round.'],
  ['uint', 'All numbers are of one type; use floor or ceil to round.'],
  ['double', 'All numbers are of one type: just leave it out.'],
  ['timestamp', 'Times are milliseconds since 1970: write the number.'],
]);

const SPECIAL = ['has', 'duration', ...PICKS, ...STATISTICS];

/** `name(arguments)`. */
export function checkCall(checker: Checker, node: Extract<CelNode, { op: 'call' }>): Checked {
  const [name, args] = node.args;
  const span: Span = { start: node.start, end: node.start + name.length };
  if (name === 'has') return checkHas(checker, node, args);
  if (name === 'duration') return checkDuration(checker, node, args);
  const statistic = STATISTICS.find((fn) => fn === name);
  if (statistic !== undefined) return checker.references.statistic(statistic, node, args);
  if ((PICKS as readonly string[]).includes(name)) {
    const hint = `Write ${name}(step).field.`;
    checker.reporter.error('step-without-field', node.range, 'An event of a step is not a value: name a field.', hint);
    return null;
  }
  return checkFunction(checker, name, span, node, args);
}

/** `value.name(arguments)`: the same as `name(value, arguments)`. */
export function checkMethod(checker: Checker, node: Extract<CelNode, { op: 'rcall' }>): Checked {
  const [name, receiver, args] = node.args;
  const span = nameSpan(node, name, receiver.end);
  const isStatistic = [...STATISTICS, ...PICKS].some((fn) => fn === name);
  if (isStatistic) {
    const hint = name === 'count' ? 'Write count(step).' : `Write ${name}(step.field).`;
    checker.reporter.error('unknown-function', span, `${name} is not written behind a dot.`, hint);
    return null;
  }
  return checkFunction(checker, name, span, node, [receiver, ...args]);
}

function checkFunction(checker: Checker, name: string, span: Span, node: CelNode, args: readonly CelNode[]): Checked {
  const refused = REFUSED.get(name);
  if (refused !== undefined) {
    checker.reporter.error('unsupported', span, `${name} is not part of conditions.`, refused);
    return null;
  }
  const fn = FUNCTIONS.get(name);
  if (fn === undefined) {
    const hint = suggest(name, [...FUNCTIONS.keys(), ...SPECIAL]);
    checker.reporter.error('unknown-function', span, `There is no function ${name}.`, hint);
    return null;
  }
  if (args.length !== fn.arity) {
    const message = `${name} takes ${fn.arity === 1 ? 'one argument' : `${fn.arity} arguments`}, not ${args.length}.`;
    checker.reporter.error('wrong-arguments', node.range, message, `Write ${usage(fn)}.`);
    return null;
  }
  const exprs: Expr[] = [];
  args.forEach((arg, i) => {
    const value = checker.value(arg);
    if (value !== null && checker.expect(value, fn.params[i]!, arg, `${name} takes`)) exprs.push(value.expr);
  });
  return exprs.length < args.length ? null : typed({ op: 'call', fn: name, args: exprs }, fn.result);
}

function usage(fn: EngineFunction): string {
  const params = fn.params.map((param) => (param === 'string' ? 'text' : 'number'));
  return `${fn.name}(${params.join(', ')})`;
}

function checkHas(checker: Checker, node: CelNode, args: readonly CelNode[]): Checked {
  const [arg] = args;
  if (arg === undefined || args.length > 1 || (arg.op !== 'id' && arg.op !== '.')) {
    checker.reporter.error('wrong-arguments', node.range, 'has takes a field.', 'Write has(field) or has(step.field).');
    return null;
  }
  const value = checker.value(arg);
  return value && typed({ op: 'present', arg: value.expr }, 'boolean');
}

function checkDuration(checker: Checker, node: CelNode, args: readonly CelNode[]): Checked {
  const [arg] = args;
  const text = arg?.op === 'value' && typeof arg.args === 'string' && args.length === 1 ? arg.args : null;
  const ms = text === null ? undefined : parseDuration(text);
  if (ms === undefined) {
    const span = text === null ? node.range : arg!.range;
    checker.reporter.error(
      'bad-duration',
      span,
      `duration takes ${DURATION_FORM}, in quotes.`,
      "Write duration('5m').",
    );
    return null;
  }
  return typed({ op: 'const', value: ms }, 'number');
}
