import type { Result } from './after-match.js';
import { takenText } from './texts.js';

/** Results as texts, so that multisets of them can be compared. Events are named by their field `id`. */
export type At = (moment: number) => string | number;

/** Sorted: `<at> <match>` and `<at> timeout <time> <events>`. At an error of the skip strategy: what came before. */
export function resultTexts(result: Result, at: At): readonly string[] {
  const end = result.failedAt === undefined ? null : { moment: result.failedAt, at: at(result.failedAt) };
  const before = (found: { readonly moment: number }): boolean =>
    end === null || (found.moment < end.moment && at(found.moment) !== end.at);
  return [
    ...result.matches.filter(before).map((m) => `${at(m.moment)} ${takenText(m.taken)}`),
    ...result.timeouts.filter(before).map((t) => `${at(t.moment)} timeout ${t.time} ${takenText(t.taken)}`),
    ...(end === null ? [] : [`${end.at} error`]),
  ].sort();
}
