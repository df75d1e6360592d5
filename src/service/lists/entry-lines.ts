import { setImmediate } from 'node:timers/promises';
import type { ListKind } from '../../rules/index.js';

/** Enough for an answer to go out in pieces of some size. */
const ENTRIES_AT_ONCE = 1000;
const LOOKED_AT_AT_ONCE = 20_000;

/** Those with the text in them, at most `limit`. Where little is found among many, others get their turn in between. */
export async function* foundIn(
  entries: Iterable<readonly [string, string]>,
  q: string,
  limit: number,
): AsyncGenerator<readonly [string, string][]> {
  const part = q.toLowerCase();
  let taken: [string, string][] = [];
  let [seen, left] = [0, limit];
  for (const [key, value] of entries) {
    if (left <= 0) break;
    if (part === '' || key.toLowerCase().includes(part) || value.toLowerCase().includes(part)) {
      taken.push([key, value]);
      left--;
    }
    if (++seen % ENTRIES_AT_ONCE !== 0) continue;
    yield taken;
    taken = [];
    if (seen % LOOKED_AT_AT_ONCE === 0) await setImmediate();
  }
  if (taken.length > 0) yield taken;
}

/** One JSON text a line. */
export async function* linesOf(
  parts: AsyncIterable<readonly (readonly [string, string])[]>,
  kind: ListKind,
): AsyncGenerator<string> {
  for await (const part of parts)
    if (part.length > 0) yield part.map((entry) => `${JSON.stringify(kind === 'map' ? entry : entry[0])}\n`).join('');
}
