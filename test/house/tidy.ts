import { isSpec } from './architecture.js';
import { type Finding, isNode, type Source, Syntax, type SyntaxNode } from './source.js';

export const LINES_MAX = 500;

interface Rule {
  readonly name: string;
  readonly applies: (path: string) => boolean;
  readonly breaks: (node: SyntaxNode, syntax: Syntax) => boolean;
}

/** Which code may not look at the machine's clock or dice: what it computes must come out the same again. */
const isPure = (path: string): boolean => /^src\/(engine|rules|runtime)\//.test(path) && !isSpec(path);
const isTest = (path: string): boolean => isSpec(path) || path.startsWith('test/');

const timers = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const impureMembers = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'process.hrtime',
  'crypto.randomUUID',
  'crypto.getRandomValues',
]);
const timerModules = new Set(['node:timers', 'node:timers/promises', 'timers', 'timers/promises']);
const testNames = new Set(['describe', 'it', 'test', 'each']);

const rules: readonly Rule[] = [
  {
    name: 'reads the clock: take a Clock, or event time',
    applies: isPure,
    breaks: (node) => isNewDateNow(node) || (isMember(node) && impureMembers.has(memberName(node)) && !isDice(node)),
  },
  {
    name: 'throws dice: take a seeded generator',
    applies: isPure,
    breaks: (node) => isMember(node) && impureMembers.has(memberName(node)) && isDice(node),
  },
  { name: 'sets a timer: take a Clock', applies: isPure, breaks: (node) => usesTimer(node) },
  { name: 'sleeps: wait for a condition', applies: isSpec, breaks: sleeps },
  {
    name: 'has the type any',
    applies: () => true,
    breaks: (node) => node.type === 'TsKeywordType' && node.kind === 'any',
  },
  { name: 'leaves tests out', applies: isTest, breaks: leavesTestsOut },
  { name: 'swallows an error: handle it, or say in a comment why not', applies: () => true, breaks: swallowsError },
];

/** Breaches of the habits of the house within one source. */
export function checkTidy(source: Source): readonly Finding[] {
  const { path, text } = source;
  const syntax = new Syntax(source);
  const active = rules.filter(({ applies }) => applies(path));
  const found = syntax
    .nodes()
    .flatMap((node) =>
      active
        .filter(({ breaks }) => breaks(node, syntax))
        .map(({ name }) => ({ path, line: syntax.line(node), rule: name })),
    );
  return [...found, ...checkText(path, text)];
}

function checkText(path: string, text: string): readonly Finding[] {
  const lines = text.split('\n');
  const open = lines.flatMap((line, i) =>
    /(\/\/|\*).*\b(TO[D]O|FIX[M]E|X[X]X|HAC[K])\b/.test(line) ? [{ path, line: i + 1, rule: 'puts work off' }] : [],
  );
  const count = text.endsWith('\n') ? lines.length - 1 : lines.length;
  return count > LINES_MAX
    ? [...open, { path, line: count, rule: `has ${count} lines; ${LINES_MAX} is the most` }]
    : open;
}

function isNewDateNow(node: SyntaxNode): boolean {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return false;
  const isDate = isNode(node.callee) && node.callee.type === 'Identifier' && node.callee.value === 'Date';
  const given = (node.arguments as readonly unknown[] | null)?.length ?? 0;
  return isDate && (node.type === 'CallExpression' || given === 0);
}

function isMember(node: SyntaxNode): boolean {
  return node.type === 'MemberExpression';
}

function isDice(node: SyntaxNode): boolean {
  return memberName(node).includes('andom');
}

/** `a.b` for a member of a plain name, also behind `globalThis`. */
function memberName(node: SyntaxNode): string {
  const object = node.object;
  const owner = isNode(object) && object.type === 'MemberExpression' ? object.property : object;
  const name = (part: unknown) => (isNode(part) && part.type === 'Identifier' ? String(part.value) : '');
  return `${name(owner)}.${name(node.property)}`;
}

function usesTimer(node: SyntaxNode): boolean {
  return importsTimers(node) || callsTimer(node);
}

/** A promise that a timer fulfils. A timer that produces load or sounds an alarm is none, nor is a turn of the event loop. */
function sleeps(node: SyntaxNode, syntax: Syntax): boolean {
  const isPromise = node.type === 'NewExpression' && isNode(node.callee) && node.callee.value === 'Promise';
  return importsTimers(node) || (isPromise && /\bsetTimeout\(/.test(syntax.text(node)));
}

function importsTimers(node: SyntaxNode): boolean {
  return node.type === 'ImportDeclaration' && isNode(node.source) && timerModules.has(String(node.source.value));
}

function callsTimer(node: SyntaxNode): boolean {
  return node.type === 'CallExpression' && isNode(node.callee) && timers.has(lastName(node.callee));
}

function lastName(node: SyntaxNode): string {
  if (node.type === 'Identifier') return String(node.value);
  return node.type === 'MemberExpression' && isNode(node.property) ? String(node.property.value) : '';
}

function leavesTestsOut(node: SyntaxNode): boolean {
  if (node.type === 'CallExpression') {
    const callee = isNode(node.callee) && node.callee.type === 'Identifier' ? String(node.callee.value) : '';
    return ['fdescribe', 'fit', 'xdescribe', 'xit', 'xtest'].includes(callee);
  }
  if (!isMember(node) || !isNode(node.object) || !isNode(node.property)) return false;
  return testNames.has(lastName(node.object)) && ['only', 'skip', 'todo', 'failing'].includes(lastName(node.property));
}

/**
 * `catch {}`, and `.catch(() => {})` as a statement, without a comment that says why. A value to go on with is no
 * swallowing, nor is a promise kept only to wait for its end: what failed is told by the one it was made from.
 */
function swallowsError(node: SyntaxNode, syntax: Syntax): boolean {
  if (node.type === 'CatchClause') {
    return isNode(node.body) && isEmptyBlock(node.body, syntax);
  }
  if (node.type !== 'ExpressionStatement') return false;
  let call = node.expression;
  while (isNode(call) && (call.type === 'AwaitExpression' || call.type === 'UnaryExpression')) call = call.argument;
  if (!isNode(call) || call.type !== 'CallExpression') return false;
  if (!isNode(call.callee) || lastName(call.callee) !== 'catch') return false;
  if (/^(\/\/|\*)/.test(syntax.lineBefore(node).trim())) return false;
  const [first] = call.arguments as readonly { readonly expression: SyntaxNode }[];
  const handler = first?.expression;
  return handler?.type === 'ArrowFunctionExpression' && isNode(handler.body) && isEmptyBlock(handler.body, syntax);
}

function isEmptyBlock(node: SyntaxNode, syntax: Syntax): boolean {
  const isBlock = node.type === 'BlockStatement' || node.type === 'FunctionBody';
  const isEmpty = isBlock && Array.isArray(node.stmts) && node.stmts.length === 0;
  return isEmpty && !/\/[/*]/.test(syntax.text(node));
}
