import { readFileSync } from 'node:fs';
import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { SettingsError } from './settings-error.js';
import { isTree, type Path, type Tree } from './tree.js';

export interface ConfigFile {
  readonly tree: Tree;
  /** Line of a key, or of the nearest section around it that is there. */
  lineOf(path: Path): number | undefined;
}

/** Reads a YAML (or JSON) config file. An empty one sets nothing. */
export function readConfigFile(file: string): ConfigFile | { readonly errors: readonly SettingsError[] } {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const got = `${(error as NodeJS.ErrnoException).code ?? 'error'}`;
    return { errors: [{ code: 'SETTINGS_FILE_UNREADABLE', path: '', file, expected: 'a file that can be read', got }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return {
      errors: document.errors.map((error) => ({
        code: 'SETTINGS_FILE_SYNTAX',
        path: '',
        file,
        line: lines.linePos(error.pos[0]).line,
        expected: 'YAML',
        got: error.message,
      })),
    };
  }
  const tree: unknown = document.toJS() ?? {};
  if (!isTree(tree)) {
    const got = Array.isArray(tree) ? 'a list' : typeof tree;
    return { errors: [{ code: 'SETTINGS_FILE_SYNTAX', path: '', file, line: 1, expected: 'a map of settings', got }] };
  }
  return { tree, lineOf: (path) => lineOf(document.contents, path, lines) };
}

function lineOf(contents: unknown, path: Path, lines: LineCounter): number | undefined {
  let node = contents;
  let line: number | undefined;
  for (const name of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => String(isNode(item.key) ? item.key.toJSON() : item.key) === name);
    if (!pair) break;
    if (isNode(pair.key) && pair.key.range) line = lines.linePos(pair.key.range[0]).line;
    node = pair.value;
  }
  return line;
}
