import { type EngineEvent, type Match, type Pattern, PatternRunner } from '../../src/engine/index.js';

/**
 * Rows for tests of the engine: `a1 b2 b3` is an event of type `a` at time 1, then `b` at 2 and 3. More fields go in
 * brackets: `a1[amount=5]`. An event's id is its text without brackets.
 */
export function events(rows: string): EngineEvent[] {
  return rows
    .split(/\s+/)
    .filter((row) => row !== '')
    .map((row, seq) => {
      const [, type, time, more] = /^([a-z])(\d+)(?:\[(.*)\])?$/.exec(row)!;
      const fields: Record<string, unknown> = { id: `${type}${time}`, type };
      for (const pair of more?.split(',') ?? []) {
        const [name, value] = pair.split('=') as [string, string];
        fields[name] = Number.isNaN(Number(value)) ? value : Number(value);
      }
      return { time: Number(time), seq: seq + 1, kind: type!, fields };
    });
}

/** A match as text: `A:a1 B:b2,b3`. */
export const show = (match: Match): string =>
  match.steps.map((s) => `${s.name}:${s.events.map((e) => e.fields.id).join(',')}`).join(' ');

/** All matches of a pattern over rows, in order of emission; `until` then moves event time on. */
export function matchesOf(pattern: Pattern, rows: string, until?: number): string[] {
  const runner = new PatternRunner(pattern);
  const found = events(rows).flatMap((event) => [...runner.feed(event)]);
  if (until !== undefined) found.push(...runner.advance(until));
  return found.map(show);
}
