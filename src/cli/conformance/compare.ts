import type { CaseMatch, ConformanceCase } from './case.js';
import type { CaseOutcome } from './run-case.js';

/**
 * How a case ended. `mayDiffer`: it failed, but only where the corpus allows an engine to differ (tag `tie-content`).
 */
export type Verdict = { readonly kind: 'passed' | 'mayDiffer' } | { readonly kind: 'failed'; readonly why: string };

export function judge(c: ConformanceCase, outcome: CaseOutcome): Verdict {
  const why = difference(c, outcome);
  if (why === null) return { kind: 'passed' };
  return c.tags.includes('tie-content') ? { kind: 'mayDiffer' } : { kind: 'failed', why };
}

function difference(c: ConformanceCase, outcome: CaseOutcome): string | null {
  const { expected } = c;
  if (expected.invalid) {
    if (!('invalid' in outcome)) return `should be refused as ${expected.invalid.reason}, but was accepted`;
    if (outcome.invalid.includes(expected.invalid.reason)) return null;
    return `should be refused as ${expected.invalid.reason}, but was as ${outcome.invalid.join(', ')}`;
  }
  if ('invalid' in outcome) return `was refused: ${outcome.invalid.join(', ')}`;
  return (
    unequalSets('matches', expected.matches, outcome.matches) ??
    unequalSets('timeouts', expected.timeouts, outcome.timeouts) ??
    unequal('late', expected.late, outcome.late) ??
    unequal('error', expected.error ?? null, outcome.error ?? null) ??
    unequal('order of matches', orderOf(c, expected.matches), orderOf(c, outcome.matches))
  );
}

/** A text that is the same for equal entries, whatever the order of their names. */
function canonical(entry: unknown): string {
  const sorted = (_: string, value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(entry, sorted);
}

function unequal(what: string, expected: unknown, found: unknown): string | null {
  const [e, f] = [canonical(expected), canonical(found)];
  return e === f ? null : `${what}: expected ${e}, found ${f}`;
}

function unequalSets(what: string, expected: readonly unknown[], found: readonly unknown[]): string | null {
  return unequal(what, expected.map(canonical).sort(), found.map(canonical).sort());
}

/**
 * The order that is significant: all of it, but for cases of tag `tie-order`, where matches of one `at` that begin with the same event
 * may come in any order. Between keys there is none.
 */
function orderOf(c: ConformanceCase, matches: readonly CaseMatch[]): readonly (readonly string[])[] {
  const ties = c.tags.includes('tie-order');
  const inTime = c.events.map((e, i) => ({ id: e.id, ts: e.ts, i })).sort((a, b) => a.ts - b.ts || a.i - b.i);
  const position = new Map(inTime.map((e, i) => [e.id, i]));
  const first = (m: CaseMatch): number =>
    Math.min(
      ...Object.values(m.events)
        .flat()
        .map((id) => position.get(id)!),
    );
  const byKey = new Map<string, CaseMatch[]>();
  for (const m of matches) byKey.set(m.key ?? '', [...(byKey.get(m.key ?? '') ?? []), m]);
  return [...byKey.values()].map((list) => {
    const groups: { readonly tie: string; readonly texts: string[] }[] = [];
    for (const m of list) {
      const tie = `${m.at} ${first(m)}`;
      const open = groups.at(-1);
      if (open?.tie === tie) open.texts.push(canonical(m));
      else groups.push({ tie, texts: [canonical(m)] });
    }
    return groups.flatMap((g) => (ties ? g.texts.sort() : g.texts));
  });
}
