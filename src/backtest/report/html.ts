/** Text as it may stand in HTML, in attributes too. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.codePointAt(0)};`);

export const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');
export const share = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toFixed(3);
export const signed = (value: number): string => (value >= 0 ? '+' : '−') + Math.abs(value).toFixed(3);
/** Minutes as a time that reads well. */
export function timeOf(minutes: number | null): string {
  if (minutes === null) return '–';
  if (minutes < 120) return `${minutes.toFixed(1)} minutes`;
  return minutes < 2 * 24 * 60 ? `${(minutes / 60).toFixed(1)} hours` : `${(minutes / 60 / 24).toFixed(1)} days`;
}
export const moment = (time: number): string => new Date(time).toISOString().replace('T', ' ').replace('.000Z', '');

/** A cell: plain text is escaped; `html` is not. */
export type Cell = string | { readonly html: string };

/** The first column is text, the others are figures. `dense`: there are many of them, whose names may take two lines. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], kind: '' | 'dense' = ''): string {
  if (rows.length === 0) return '';
  const cellOf = (cell: Cell): string => (typeof cell === 'string' ? escaped(cell) : cell.html);
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cellOf(cell)}</td>`).join('')}</tr>`);
  const names = head.map((name) => `<th>${escaped(name)}</th>`).join('');
  return `<div class="${kind === '' ? 'wide' : `wide ${kind}`}"><table><thead><tr>${names}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

/** A share as a bar with its number. */
export const bar = (value: number): Cell => ({
  html: `<span class="bar"><i style="width:${(100 * Math.min(1, Math.max(0, value))).toFixed(1)}%"></i></span>${share(value)}`,
});

export const section = (title: string, ...parts: readonly string[]): string =>
  `<section><h2>${escaped(title)}</h2>${parts.join('')}</section>`;

export const paragraph = (text: string): string => `<p>${escaped(text)}</p>`;
