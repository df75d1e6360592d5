import type { Diagnostic } from '../diagnostic.js';

/**
 * A diagnostic for people: what and where, the line with the place marked, and what to do.
 *
 *     patterns/drain/pattern.yaml:9:12: error: There is no field amuont. [unknown-field]
 *       9 |     where: amuont > 10000.0
 *         |            ^^^^^^
 *         = Did you mean amount?
 */
export function formatDiagnostic(d: Diagnostic): string {
  const number = String(d.line);
  const margin = ' '.repeat(number.length);
  // Tabs stay tabs, so that the mark stands under the text however wide they are shown.
  const indent = d.excerpt.slice(0, d.column - 1).replace(/[^\t]/g, ' ');
  const lines = [
    `${d.file}:${d.line}:${d.column}: ${d.severity}: ${d.message} [${d.code}]`,
    `  ${number} | ${d.excerpt}`,
    `  ${margin} | ${indent}${'^'.repeat(d.length)}`,
  ];
  if (d.hint !== undefined) lines.push(`  ${margin} = ${d.hint}`);
  return lines.join('\n');
}
