/** Where in a YAML text one writes, found by its indentation alone: the text need not hold. */

export interface YamlPlace {
  /** Keys and `[]` from the top to what is written: `['pattern', '[]', 'where']`. */
  readonly path: readonly string[];
  /** `key`: a key is being written, with `path` that of the map; `value`: its value. */
  readonly at: 'key' | 'value';
  /** What is written of the word so far, and where it begins. */
  readonly word: string;
  readonly from: number;
  /** Keys that the map has already. */
  readonly siblings: readonly string[];
}

const LINE = /^(\s*)((?:-\s+)*)(?:(["']?)([\w$]+)\3\s*:)?(.*)$/;
const WORD = /[\w$.'-]*$/;

interface Line {
  /** Column at which its key begins, dashes passed over. */
  readonly column: number;
  /** Columns of its dashes. */
  readonly dashes: readonly number[];
  readonly key: string | null;
  readonly rest: string;
  /** Offset at which `rest` begins. */
  readonly restAt: number;
}

function lineOf(text: string): Line | null {
  const match = LINE.exec(text);
  if (match === null || /^\s*(#|$)/.test(text)) return null;
  const [, indent = '', dashes = '', , key, rest = ''] = match;
  const columns = [...dashes.matchAll(/-/g)].map(({ index }) => indent.length + index);
  return {
    ...{ column: indent.length + dashes.length, dashes: columns, key: key ?? null, rest },
    restAt: text.length - rest.length,
  };
}

export function placeIn(text: string, offset: number): YamlPlace {
  const before = text.slice(0, offset);
  const lines = before.split('\n');
  const current = lines.pop()!;
  const own = lineOf(current) ?? { column: current.length, dashes: [], key: null, rest: '', restAt: current.length };
  const word = WORD.exec(current)![0].replace(/^[.'-]+/, '');
  const place = { word, from: offset - word.length };
  const parents = above(lines, own);
  if (own.key !== null) return { ...place, path: [...parents, own.key], at: 'value', siblings: [] };
  const block = blockOf(lines, own);
  if (block !== null) return { ...place, path: block, at: 'value', siblings: [] };
  return { ...place, path: parents, at: 'key', siblings: siblingsOf(text, offset, own.column) };
}

/** Keys of the maps and lists around a line. */
function above(lines: readonly string[], own: Line): string[] {
  const path: string[] = own.dashes.map(() => '[]');
  let column = own.dashes[0] ?? own.column;
  let inList = own.dashes.length > 0;
  for (let n = lines.length - 1; n >= 0 && (column > 0 || inList); n--) {
    const line = lineOf(lines[n]!);
    if (line === null) continue;
    const [dash] = line.dashes;
    if (
      line.key !== null &&
      line.rest.trim() === '' &&
      (line.column < column || (inList && line.column === column && dash === undefined))
    ) {
      path.unshift(...line.dashes.map(() => '[]'), line.key);
      column = dash ?? line.column;
      inList = dash !== undefined;
    } else if (dash !== undefined && dash < column && line.column <= column && !inList) {
      path.unshift(...line.dashes.map(() => '[]'));
      column = dash;
      inList = true;
    }
  }
  return path;
}

/** The path of the text block (`where: |`) that the line belongs to; null: to none. */
function blockOf(lines: readonly string[], own: Line): string[] | null {
  for (let n = lines.length - 1; n >= 0; n--) {
    const line = lineOf(lines[n]!);
    if (line === null || line.column >= own.column) continue;
    if (line.key === null || !/^\s*[|>][+-]?\s*$/.test(line.rest)) return null;
    return [...above(lines.slice(0, n), line), line.key];
  }
  return null;
}

/** Keys beside the place, before and after it, as far as the map goes. */
function siblingsOf(text: string, offset: number, column: number): string[] {
  const lines = text.split('\n');
  const at = text.slice(0, offset).split('\n').length - 1;
  const found: string[] = [];
  for (const step of [-1, 1]) {
    const own = lineOf(lines[at]!);
    if (step < 0 && (own?.dashes.length ?? 0) > 0) continue;
    for (let n = at + step; n >= 0 && n < lines.length; n += step) {
      const line = lineOf(lines[n]!);
      if (line === null || line.column > column) continue;
      if (line.column < column || (step > 0 && line.dashes.length > 0)) break;
      if (line.key !== null) found.push(line.key);
      if (line.dashes.length > 0) break;
    }
  }
  return found;
}
