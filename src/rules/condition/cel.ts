import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import type { Reporter, Span } from '../source/source-file.js';

export type CelNode = ASTNode;

/** Larger conditions than anyone writes; they keep parsing cheap and the tree shallow. */
const environment = new Environment({
  limits: { maxAstNodes: 2000, maxDepth: 64, maxListElements: 1000, maxMapEntries: 1, maxCallArguments: 8 },
});

/** The parser takes one call of itself for each of these signs, and does not count them. */
const SIGNS_MAX = /(?:[!-]\s*){64}/;
const LENGTH_MAX = 100_000;
const SPLIT = 'Split it into several steps or alternatives (or:), or keep the values in a list.';

const HINTS: Readonly<Record<string, string>> = {
  '=': 'Write == to compare.',
  '&': 'Write && for and.',
  '|': 'Write || for or.',
};

const TOKEN_NAMES: readonly (readonly [RegExp, string])[] = [
  [/\bEOF\b/g, 'end of the condition'],
  [/\bRPAREN\b/g, '")"'],
  [/\bLPAREN\b/g, '"("'],
  [/\bRBRACKET\b/g, '"]"'],
  [/\bLBRACKET\b/g, '"["'],
  [/\bRBRACE\b/g, '"}"'],
  [/\bLBRACE\b/g, '"{"'],
  [/\bCOLON\b/g, '":"'],
  [/\bQUESTION\b/g, '"?"'],
  [/\bCOMMA\b/g, '","'],
  [/\bIDENTIFIER\b/g, 'a name'],
  [/\bNUMBER\b/g, 'a number'],
  [/\bSTRING\b/g, 'text'],
  [/\bDOT\b/g, '"."'],
];

/** The tree of a CEL expression, or `null` when its syntax is wrong (which is reported). */
export function parseCel(text: string, reporter: Reporter): CelNode | null {
  if (text.length > LENGTH_MAX || SIGNS_MAX.test(text)) {
    const span = { start: 0, end: text.length };
    reporter.error('condition-too-large', span, 'The condition is too long, or nested too deep.', SPLIT);
    return null;
  }
  try {
    return environment.parse(text).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const range = error.range ?? { start: 0, end: text.length };
    const span = { start: Math.min(range.start, text.trimEnd().length), end: range.end };
    const code = error.code === 'limit_exceeded' ? 'condition-too-large' : 'condition-syntax';
    if (code === 'condition-too-large')
      reporter.error(code, span, 'The condition is too long, or nested too deep.', SPLIT);
    else reporter.error(code, span, describe(error.summary, text, span), hintFor(text, span));
    return null;
  }
}

function describe(summary: string, text: string, span: Span): string {
  if (text.trim() === '') return 'The condition is empty.';
  if (/^Unexpected token: (?!EOF)/.test(summary))
    return `Unexpected ${JSON.stringify(text.slice(span.start, span.end))}.`;
  if (summary.startsWith('Unexpected character'))
    return `Unexpected ${JSON.stringify(text.slice(span.start, span.end))}.`;
  const words = TOKEN_NAMES.reduce((said, [token, name]) => said.replace(token, name), summary);
  return `${words.replace('Unexpected token:', 'Unexpected')}.`;
}

function hintFor(text: string, span: Span): string | undefined {
  const at = text.slice(span.start, span.end);
  if (/^(and|or|not)$/i.test(wordAt(text, span.start))) return 'Write && for and, || for or, ! for not.';
  if (/^(ms|s|m|h|d)$/.test(wordAt(text, span.start)) && /\d$/.test(text.slice(0, span.start)))
    return "Write duration('5m') for a length of time.";
  return HINTS[at];
}

function wordAt(text: string, at: number): string {
  return /^\w*/.exec(text.slice(at))![0];
}

/** The elements of an operator's nested left sides: `a && b && c` as one list. */
export function flatten(node: CelNode, op: '&&' | '||'): CelNode[] {
  return node.op === op ? [...flatten(node.args[0], op), ...flatten(node.args[1], op)] : [node];
}

/** Place of a call's name. */
export function nameSpan(node: CelNode, name: string, after: number): Span {
  const start = node.input.indexOf(name, after);
  return start < 0 ? node.range : { start, end: start + name.length };
}
