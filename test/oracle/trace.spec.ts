import fc from 'fast-check';
import { KIND_PARENTS } from '../../src/cli/conformance/case.js';
import {
  type EngineEvent,
  type Match,
  type Pattern,
  PatternRunner,
  PatternTracer,
  SkipError,
} from '../../src/engine/index.js';
import { PartialsRecord } from '../../src/rules/explain/partials.js';
import type { Stream } from './matches.js';
import { randomPattern } from './random/patterns.js';
import { randomStream } from './random/streams.js';
import { RULE_SET } from './run-patterns.js';

/** Explanations step with the functions that step live: what they see is what happens. */
const idOf = (event: EngineEvent): unknown => event.fields.id;
const textOf = ({ steps }: Pick<Match, 'steps'>): string =>
  steps.map(({ name, events }) => `${name}:${events.map(idOf).join()}`).join(' ');

interface Seen {
  readonly matches: string[];
  readonly ends: string[];
  readonly held: string[];
}

function live(pattern: Pattern, stream: Stream): Seen | null {
  // Where features are told of matches, time stops at each end of a window, as it does in a task.
  const features = [{ name: 'n', feature: { fn: 'count', overMs: 1 } as const }];
  const runner = new PatternRunner(pattern, { kindParents: KIND_PARENTS, features });
  const [matches, ends]: [string[], string[]] = [[], []];
  try {
    for (const { time, event } of stream) {
      const found = event === undefined ? runner.advance(time) : runner.feed(event);
      matches.push(...found.map(textOf));
      ends.push(...runner.takeTimeouts().map((timeout) => String(timeout.time)));
    }
  } catch (error) {
    // Nothing is left of the state then, and what live goes on with is the caller's to say.
    if (error instanceof SkipError) return null;
    throw error;
  }
  const held = runner
    .held()
    .filter((events) => events.length > 0)
    .map((events) => events.map(({ event }) => idOf(event)).join());
  return { matches, ends, held: held.toSorted() };
}

function traced(pattern: Pattern, stream: Stream): Seen {
  const [matches, ends]: [string[], string[]] = [[], []];
  const tracer = new PatternTracer(
    pattern,
    { kindParents: KIND_PARENTS },
    { onMatch: (match) => matches.push(textOf(match)), onExpired: (_run, time) => ends.push(String(time)) },
  );
  for (const { time, event } of stream) event === undefined ? tracer.advance(time) : tracer.feed(event);
  const held = tracer.runs.map(({ head }) => {
    const events: unknown[] = [];
    for (let node = head; node !== null; node = node.previous) events.push(idOf(node.event));
    return events.reverse().join();
  });
  return { matches, ends, held: held.toSorted() };
}

describe('a traced pattern', () => {
  it('finds what it finds live, and tells of every time-out, on random patterns and streams', () => {
    let compared = 0;
    fc.assert(
      fc.property(randomPattern, randomStream, (pattern, stream) => {
        const expected = pattern === null ? null : live(pattern, stream);
        if (pattern === null || expected === null) return;
        compared++;
        const found = traced(pattern, stream);
        expect(found.matches.toSorted()).toEqual(expected.matches.toSorted());
        expect(found.ends.toSorted()).toEqual(expected.ends.toSorted());
        // Runs whose match is held back have no state of their own any more.
        for (const events of found.held) expect(expected.held).toContain(events);
      }),
      { numRuns: 2000, seed: 7 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  it('leaves no partial match without an end, nor one that still waits with one', () => {
    fc.assert(
      fc.property(randomPattern, randomStream, (pattern, stream) => {
        if (pattern === null) return;
        const record = new PartialsRecord({ pattern }, { kindParents: KIND_PARENTS });
        for (const { time, event } of stream) event === undefined ? record.advance(time) : record.feed(event);
        expect(record.ended.filter(({ end }) => end === null)).toEqual([]);
        expect(record.waiting.filter(({ end }) => end !== null)).toEqual([]);
        const heads = new Set(record.tracer.runs.map(({ head }) => head));
        expect(new Set(record.waiting.map(({ head }) => head))).toEqual(heads);
      }),
      { numRuns: 1000, seed: 11 },
    );
  });
});

describe('a pattern that tells near misses', () => {
  it('matches as one that does not, on random patterns and streams', () => {
    fc.assert(
      fc.property(randomPattern, randomStream, (pattern, stream) => {
        if (pattern === null) return;
        const plain = RULE_SET.run([pattern], stream)[0]!;
        const telling = RULE_SET.run([{ ...pattern, nearMisses: true }], stream)[0]!;
        expect(telling.toSorted()).toEqual(plain.toSorted());
      }),
      { numRuns: 1000, seed: 13 },
    );
  });
});
