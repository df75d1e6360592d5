import { suggest } from '../source/nearest.js';
import type { Span } from '../source/source-file.js';
import type { CelNode } from './cel.js';
import type { Checking } from './checking.js';
import { type Checked, say, type Typed, typed } from './typed.js';

/** What asks a reference list: `value in list('name')`, `list('name', key)`, `listNumber('name', key)`. */
export const LIST_FUNCTIONS = ['list', 'listNumber'] as const;

type Call = Extract<CelNode, { op: 'call' }>;

export const isListCall = (node: CelNode): node is Call => node.op === 'call' && node.args[0] === 'list';

/** `value in list('name')`; `left` is `null` when it is wrong already. */
export function checkMember(checker: Checking, left: Typed | null, leftNode: CelNode, node: Call): Checked {
  const [, args] = node.args;
  const [name] = args;
  if (args.length !== 1 || name === undefined) {
    const hint = "Write field in list('name').";
    checker.reporter.error('wrong-arguments', node.range, 'After in, list takes the name of a list alone.', hint);
    return null;
  }
  const list = nameOf(checker, name);
  if (list === null || left === null || !isSingle(checker, left, leftNode)) return null;
  return typed({ op: 'inList', list, value: left.expr }, 'boolean');
}

/** `list('name', key)` and `listNumber('name', key)`. */
export function checkLookup(checker: Checking, fn: (typeof LIST_FUNCTIONS)[number], node: Call): Checked {
  const [, args] = node.args;
  const [name, key] = args;
  if (args.length !== 2 || name === undefined || key === undefined) {
    const hint =
      fn === 'list' && args.length === 1
        ? "Write field in list('name') for a set, list('name', key) for a map."
        : `Write ${fn}('name', key).`;
    checker.reporter.error('wrong-arguments', node.range, `${fn} takes the name of a list and a key.`, hint);
    return null;
  }
  const list = nameOf(checker, name);
  const value = checker.value(key);
  if (list === null || value === null || !isSingle(checker, value, key)) return null;
  if (checker.scope.lists?.known?.get(list) === 'set') {
    const hint = `Ask field in list('${list}'), or set lists.${list}.kind to map.`;
    checker.reporter.error('not-a-map', name.range, `${list} is a set: it has no values.`, hint);
    return null;
  }
  const as = fn === 'list' ? 'string' : 'number';
  return typed({ op: 'lookup', list, key: value.expr, as }, as);
}

function isSingle(checker: Checking, value: Typed, node: CelNode): boolean {
  if (value.type !== 'other') return true;
  const message = `A list is asked for a single value, and this is ${say(value.type)}.`;
  checker.reporter.error('type-mismatch', node.range, message);
  return false;
}

function nameOf(checker: Checking, node: CelNode): string | null {
  const span: Span = node.range;
  if (node.op !== 'value' || typeof node.args !== 'string') {
    checker.reporter.error('wrong-arguments', span, 'The name of a list is a constant.', "Write list('name').");
    return null;
  }
  const name = node.args;
  const lists = checker.scope.lists;
  const known = lists?.known ?? null;
  if (known !== null && !known.has(name)) {
    const next = known.size === 0 ? `Name its file in the settings: lists.${name}.file.` : suggest(name, known.keys());
    checker.reporter.error('unknown-list', span, `There is no list ${name}.`, next);
    return null;
  }
  lists?.used.add(name);
  return name;
}
