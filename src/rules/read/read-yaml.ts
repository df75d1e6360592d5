import { type Document, isMap, isScalar, isSeq, type Node, parseDocument, visit, type YAMLError } from 'yaml';
import type { SourceFile } from '../source/source-file.js';

/** The YAML document of a file, or `null` when it cannot be read as one (which is reported). */
export function readYaml(source: SourceFile): Document.Parsed | null {
  const document = parseShallow(source);
  if (document === null) return null;
  for (const error of document.errors) reportYaml(error, source);
  if (document.errors.length > 0) return null;
  reportTags(document, source);
  return source.hasErrors ? null : document;
}

/** Deeper than anyone nests groups. What comes after may call itself for each level. */
const DEPTH_MAX = 100;

function parseShallow(source: SourceFile): Document.Parsed | null {
  const at = deepPlace(source.text);
  if (at === null) {
    try {
      const document = parseDocument(source.text, { prettyErrors: false, keepSourceTokens: false });
      if (isShallow(document.contents)) return document;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const start = at ?? 0;
  source.error('nested-too-deep', { start, end: start + 1 }, `Nothing is nested deeper than ${DEPTH_MAX} levels.`);
  return null;
}

/** Where brackets are nested too deep; those in quotes are counted as well, as long as they are open. */
function deepPlace(text: string): number | null {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth = Math.max(0, depth - 1);
    else if (char === '\n' && /\S/.test(text[i + 1] ?? '')) depth = 0;
    if (depth > 2 * DEPTH_MAX) return i;
  }
  return null;
}

function isShallow(root: Node | null): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > 2 * DEPTH_MAX) return false;
    level = level.flatMap((node) => {
      if (isMap(node)) return node.items.flatMap((pair) => [pair.key, pair.value]);
      return isSeq(node) ? node.items : [];
    });
  }
  return true;
}

function reportYaml(error: YAMLError, source: SourceFile): void {
  const [start, end] = error.pos;
  const code = error.code === 'DUPLICATE_KEY' ? 'duplicate-key' : 'yaml-syntax';
  const message =
    error.code === 'DUPLICATE_KEY'
      ? 'This key stands here twice.'
      : `${error.message.replace(/\.$/, '').replace(/"quote$/, '" quote')}.`;
  const key = error.code === 'DUPLICATE_KEY' ? /^[\w-]*/.exec(source.text.slice(start))![0].length : 0;
  source.error(code, { start, end: Math.max(end, start + 1, start + key) }, message, hintFor(error, source));
}

const QUOTE_HINT = 'Put the condition between double quotes, or on lines of its own after "|".';

function hintFor(error: YAMLError, source: SourceFile): string | undefined {
  const lineStart = source.text.lastIndexOf('\n', error.pos[0] - 1) + 1;
  const lineEnd = source.text.indexOf('\n', error.pos[0]);
  const line = source.text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
  if (/^\s*(- )?(where|or|until)\s*:/.test(line)) return QUOTE_HINT;
  if (error.code === 'DUPLICATE_KEY') return 'Leave one of them out, or put both into one.';
  if (error.code === 'TAB_AS_INDENT') return 'Indent with spaces.';
  if (error.code === 'MISSING_CHAR' && /quote/.test(error.message))
    return 'Text that begins with a quote must end with one.';
  if (/^\s*(message|title|description)\s*:/.test(line)) return 'Put the text between double quotes.';
  return undefined;
}

/** `where: !has(x)` is a YAML tag, not a condition; YAML itself would drop it without a word. */
function reportTags(document: Document.Parsed, source: SourceFile): void {
  visit(document, {
    Node(_, node) {
      if (typeof node.tag !== 'string' || !node.tag.startsWith('!') || !node.range) return;
      const start = source.text.lastIndexOf(node.tag, node.range[0]);
      const from = start < 0 ? node.range[0] : start;
      const end = isScalar(node) ? Math.max(node.range[1], from + node.tag.length) : from + node.tag.length;
      const message = 'YAML takes text that begins with ! for a tag.';
      source.error('yaml-tag', { start: from, end }, message, QUOTE_HINT);
    },
  });
}
