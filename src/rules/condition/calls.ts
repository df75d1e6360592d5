import { type EngineFunction, type Expr, FUNCTIONS, fewest, most, paramOf } from '../../engine/index.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { nearestName, suggest } from '../source/nearest.js';
import type { Span } from '../source/source-file.js';
import { type CelNode, nameSpan } from './cel.js';
import type { Checking } from './checking.js';
import { checkLookup, LIST_FUNCTIONS } from './lists.js';
import { PICKS, STATISTICS } from './references.js';
import { type Checked, say, type Typed, typed } from './typed.js';

/** Functions of CEL that conditions do not have, with what to do instead. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['matches', 'A regular expression can take for ever; use startsWith, endsWith, contains, matchesGlob or in.'],
  ['exists', 'There are no lists to walk through; use count, min, max or another statistic of a step.'],
  ['exists_one', 'There are no lists to walk through; use count, min, max or another statistic of a step.'],
  ['all', 'There are no lists to walk through; use count, min, max or another statistic of a step.'],
  ['map', 'There are no lists to walk through; use sum, avg or another statistic of a step.'],
  ['filter', 'There are no lists to walk through; use a step of its own for the events you want.'],
  ['int', 'All numbers are of one type; use floor, ceil or round.'],
  ['uint', 'All numbers are of one type; use floor, ceil or round.'],
  ['double', 'All numbers are of one type: just leave it out.'],
  ['getHours', "Write hour(time, 'Europe/Berlin')."],
  ['getDayOfWeek', "Write weekday(time, 'Europe/Berlin'): 1 is Monday."],
  ['getDate', "Write dayOfMonth(time, 'Europe/Berlin')."],
  ['timestamp', 'Times are milliseconds since 1970: write the number.'],
]);

const SPECIAL = ['has', 'duration', ...LIST_FUNCTIONS, ...PICKS, ...STATISTICS];

/** `name(arguments)`. */
export function checkCall(checker: Checking, node: Extract<CelNode, { op: 'call' }>): Checked {
  const [name, args] = node.args;
  const span: Span = { start: node.start, end: node.start + name.length };
  if (name === 'has') return checkHas(checker, node, args);
  if (name === 'duration') return checkDuration(checker, node, args);
  const asked = LIST_FUNCTIONS.find((fn) => fn === name);
  if (asked !== undefined) return checkLookup(checker, asked, node);
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
export function checkMethod(checker: Checking, node: Extract<CelNode, { op: 'rcall' }>): Checked {
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

function checkFunction(checker: Checking, name: string, span: Span, node: CelNode, args: readonly CelNode[]): Checked {
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
  if (args.length < fewest(fn) || args.length > most(fn)) {
    const message = `${name} takes ${sayArguments(fn)}, not ${args.length}.`;
    checker.reporter.error('wrong-arguments', node.range, message, `Write ${usage(fn)}.`);
    return null;
  }
  const exprs: Expr[] = [];
  args.forEach((arg, i) => {
    const value = checker.value(arg);
    if (value !== null && fitsParam(checker, fn, i, value, arg)) exprs.push(value.expr);
  });
  if (exprs.length < args.length || !constantsFit(checker, fn, exprs, args)) return null;
  return typed({ op: 'call', fn: name, args: exprs }, fn.result);
}

function fitsParam(checker: Checking, fn: EngineFunction, index: number, value: Typed, arg: CelNode): boolean {
  const wanted = paramOf(fn, index);
  if (wanted !== 'any') return checker.expect(value, wanted, arg, `${fn.name} takes`);
  if (value.type !== 'other') return true;
  const message = `${fn.name} takes a single value, and this is ${say(value.type)}.`;
  checker.reporter.error('type-mismatch', arg.range, message);
  return false;
}

/** Whether the arguments that are constants mean something. */
function constantsFit(
  checker: Checking,
  fn: EngineFunction,
  exprs: readonly Expr[],
  args: readonly CelNode[],
): boolean {
  const problem = fn.check?.(exprs.map((expr) => (expr.op === 'const' ? expr.value : undefined)));
  if (problem === undefined) return true;
  const { index, message, names, hint } = problem;
  const given = exprs[index]!;
  const nearest = names !== undefined && given.op === 'const' ? nearestName(String(given.value), names) : undefined;
  const next = nearest === undefined ? hint : `Did you mean ${nearest}?`;
  checker.reporter.error('bad-argument', args[index]!.range, message, next);
  return false;
}

function sayArguments(fn: EngineFunction): string {
  const [from, to] = [fewest(fn), most(fn)];
  if (from < to) return `${from} to ${to} arguments`;
  return to === 1 ? 'one argument' : `${to} arguments`;
}

const PARAM_WORDS = { string: 'text', number: 'number', any: 'value' } as const;

function usage(fn: EngineFunction): string {
  const params = fn.params.map((param, i) => `${PARAM_WORDS[param]}${i >= fewest(fn) ? '?' : ''}`);
  return `${fn.name}(${params.join(', ')}${most(fn) > params.length ? ', …' : ''})`;
}

function checkHas(checker: Checking, node: CelNode, args: readonly CelNode[]): Checked {
  const [arg] = args;
  if (arg === undefined || args.length > 1 || (arg.op !== 'id' && arg.op !== '.')) {
    checker.reporter.error('wrong-arguments', node.range, 'has takes a field.', 'Write has(field) or has(step.field).');
    return null;
  }
  const value = checker.value(arg);
  return value && typed({ op: 'present', arg: value.expr }, 'boolean');
}

function checkDuration(checker: Checking, node: CelNode, args: readonly CelNode[]): Checked {
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
