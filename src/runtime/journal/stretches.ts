import type { History, JournalEntry, TickEntry } from './journal.js';

/** A stretch of the log under one rule set; `null`: not known, taken for the current one. */
export interface Stretch {
  readonly digest: string | null;
  readonly ticks: readonly TickEntry[];
  readonly until: number;
  /** Number of the entry that ends it; the last stretch ends without one. */
  readonly endedBy: number | null;
  /** Where rules were filled from when it began; absent: none were. */
  readonly fill?: number;
}

/**
 * A tick at `end` that may have been committed without what follows from it: that is to be given out again, and not taken for
 * replayed. Only the last entry can be one: any other was committed when all that was given out before it was durable.
 */
export function openTick(entries: readonly JournalEntry[], end: number): TickEntry | null {
  const last = entries.at(-1);
  return last?.kind === 'tick' && !last.given && last.offset >= end ? last : null;
}

/** Where the group began to read; 0: the journal does not say. */
export function startOf(history: History): number {
  const first = history.entries[0];
  return first?.n === 1 ? first.offset : 0;
}

/** The rule set that was in force where the log was at `offset`; `null`: the journal does not say. */
export function rulesAt(history: History, offset: number): string | null {
  const entry = history.entries.findLast((e) => e.kind === 'rules' && e.offset <= offset);
  return entry?.kind === 'rules' ? entry.digest : null;
}

/** The journal cut at the changes of the rule set. */
export function stretchesOf(entries: readonly JournalEntry[], first: string | null, end: number): Stretch[] {
  const stretches: Stretch[] = [];
  let digest = first;
  let ticks: TickEntry[] = [];
  let fill: { readonly fill?: number } = {};
  for (const entry of entries) {
    if (entry.kind === 'tick') ticks.push(entry);
    else if (entry.digest !== digest) {
      if (digest !== null) {
        stretches.push({ digest, ticks, until: entry.offset, endedBy: entry.n, ...fill });
        ticks = [];
        fill = entry.fill === undefined ? {} : { fill: entry.fill };
      }
      digest = entry.digest;
    }
  }
  return [...stretches, { digest, ticks, until: end, endedBy: null, ...fill }];
}
