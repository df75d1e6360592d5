import type { Diagnostic } from '../diagnostic.js';
import type { Rule } from '../rule.js';

/** Where the id of a rule stands in its file. */
export function atId(rule: Rule, text: string): Pick<Diagnostic, 'file' | 'line' | 'column' | 'length' | 'excerpt'> {
  const lines = text.split(/\r?\n/);
  const index = Math.max(
    0,
    lines.findIndex((line) => /^["']?id["']?\s*:/.test(line)),
  );
  const excerpt = lines[index]!;
  const column = Math.max(0, excerpt.indexOf(rule.id, excerpt.indexOf(':'))) + 1;
  return { file: rule.source, line: index + 1, column, length: rule.id.length, excerpt };
}
