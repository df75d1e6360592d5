import type { StepEvents } from '../../src/engine/index.js';
import type { Result } from './after-match.js';
import type { Taken } from './partial.js';

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

const textOf = new WeakMap<readonly Taken[], string>();

/** `A:e0,e2 B:e3`. */
export function takenText(taken: readonly Taken[]): string {
  const text = textOf.get(taken) ?? writeTaken(taken);
  textOf.set(taken, text);
  return text;
}

function writeTaken(taken: readonly Taken[]): string {
  const steps = new Map<string, string[]>();
  for (const { step, event } of taken) steps.set(step, [...(steps.get(step) ?? []), String(event.fields.id)]);
  return idsText([...steps]);
}

export const stepsText = (steps: readonly StepEvents[]): string =>
  idsText(steps.map((s) => [s.name, s.events.map((event) => String(event.fields.id))]));

export function idsText(steps: readonly (readonly [name: string, ids: readonly string[]])[]): string {
  return steps
    .map(([name, ids]) => `${name}:${ids.join(',')}`)
    .sort()
    .join(' ');
}
