import fc from 'fast-check';
import { show } from '../../../test/harness/engine-rows.js';
import { GraphRun, reloaded, UNLIMITED } from '../../../test/harness/graph-run.js';
import { compilePattern, validatePattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import type { Expr } from '../expression/expression.js';
import type { Contiguity, EventStep, GroupStep, Pattern, Quantifier, Step } from '../pattern/pattern.js';
import { PatternRunner } from '../runner.js';
import { pruneGraph } from './compact.js';
import { fitsGraph } from './eligible.js';
import type { GraphState } from './node.js';
import type { GraphProcessLimits } from './process.js';

const TYPES = ['a', 'b', 'c', 'd'] as const;

const where: fc.Arbitrary<Expr> = fc
  .subarray([...TYPES], { minLength: 1, maxLength: 3 })
  .map((values) => ({ op: 'in', left: { op: 'field', name: 'type' }, values }));

const quantifier: fc.Arbitrary<Quantifier | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.constantFrom(
    { from: 1, to: null },
    { from: 2, to: null },
    { from: 2, to: 2 },
    { from: 1, to: 3 },
    { from: 0, to: 2 },
  ),
);

const common = fc.record({
  contiguity: fc.constantFrom<Contiguity>('next', 'followedBy', 'followedByAny'),
  quantifier,
  inside: fc.constantFrom('relaxed' as const, 'consecutive' as const, 'combinations' as const),
  optional: fc.constantFrom(true, false, false),
});

const eventStep: fc.Arbitrary<Omit<EventStep, 'name'>> = fc
  .record({ common, where, greedy: fc.constantFrom(true, false, false), until: fc.option(where) })
  .map(({ common, where, greedy, until }) => ({
    kind: 'event' as const,
    where,
    contiguity: common.contiguity,
    ...(common.optional ? { optional: true } : {}),
    ...(common.quantifier === undefined
      ? {}
      : { quantifier: common.quantifier, inside: common.inside, ...(greedy ? { greedy } : {}) }),
    ...(common.quantifier?.to === null && until !== null ? { until } : {}),
  }));

const negation: fc.Arbitrary<Omit<EventStep, 'name'>> = fc
  .record({ contiguity: fc.constantFrom<Contiguity>('notNext', 'notFollowedBy'), where })
  .map((step) => ({ kind: 'event' as const, ...step }));

const group: fc.Arbitrary<GroupStep> = fc
  .record({ common, steps: fc.array(fc.oneof(eventStep, negation), { minLength: 1, maxLength: 2 }) })
  .map(({ common: { inside, quantifier, ...rest }, steps }) => ({
    kind: 'group' as const,
    ...rest,
    ...(quantifier === undefined ? {} : { quantifier, inside }),
    steps: steps as Step[],
  }));

const patterns: fc.Arbitrary<Pattern> = fc
  .record({
    steps: fc.array(
      fc.oneof({ weight: 5, arbitrary: eventStep as fc.Arbitrary<Step> }, negation as fc.Arbitrary<Step>, group),
      { minLength: 1, maxLength: 4 },
    ),
    withinMs: fc.option(fc.integer({ min: 2, max: 25 }), { nil: undefined }),
  })
  .map(({ steps, withinMs }) => ({ steps: named(steps), ...(withinMs === undefined ? {} : { withinMs }) }))
  .filter((pattern) => validatePattern(pattern).length === 0 && fitsGraph(compilePattern(pattern)));

/** Names in order of place; the first step of each scope is its start. */
function named(steps: readonly Step[], names = { next: 0 }): Step[] {
  return steps.map((step, i) => {
    const contiguity = i === 0 ? 'start' : step.contiguity;
    if (step.kind === 'group') return { ...step, contiguity, steps: named(step.steps, names) };
    return { ...step, contiguity, name: `S${names.next++}` };
  });
}

const streams: fc.Arbitrary<EngineEvent[]> = fc
  .array(fc.record({ type: fc.constantFrom(...TYPES, 'x'), wait: fc.constantFrom(0, 1, 1, 1, 2, 9) }), {
    minLength: 4,
    maxLength: 14,
  })
  .map((rows) => {
    let time = 100;
    return rows.map(({ type, wait }, seq) => {
      time += wait;
      return { time, seq, kind: '', fields: { id: `${type}${seq}`, type } };
    });
  });

/** Matches of each event, after which the state is changed in a way that must not matter. */
function run(
  pattern: Pattern,
  stream: readonly EngineEvent[],
  limits: GraphProcessLimits,
  between: (state: GraphState, time: number, run: GraphRun) => GraphState | undefined,
): { readonly found: string[][]; readonly dropped: [number, number] } {
  const graph = new GraphRun(pattern, limits);
  const found = stream.map((event) => {
    const matches = graph.feed(event);
    graph.state = graph.state && between(graph.state, event.time, graph);
    return matches;
  });
  return { found, dropped: [graph.matchesDropped, graph.itemsDropped] };
}

const asItIs = (state: GraphState) => state;
const saved = (state: GraphState) => reloaded(state);
const pruned = (state: GraphState, time: number, { pattern }: GraphRun) => pruneGraph(pattern, state, time);

/** The number of an event stands behind its letter. */
const firstOf = (match: string): number =>
  Math.min(...[...match.matchAll(/[a-x](\d+)/g)].map(([, seq]) => Number(seq)));

describe('random patterns and streams', () => {
  let matches = 0;

  it('give the matches of the run version at each event, in the order of their first events', () => {
    fc.assert(
      fc.property(patterns, streams, (pattern, stream) => {
        const runner = new PatternRunner(pattern);
        const expected = stream.map((event) => runner.feed(event).map(show));
        const { found } = run(pattern, stream, UNLIMITED, asItIs);
        matches += found.flat().length;
        expect(found.map((m) => [...m].sort())).toEqual(expected.map((m) => [...m].sort()));
        expect(found.map((m) => m.map(firstOf))).toEqual(found.map((m) => m.map(firstOf).sort((x, y) => x - y)));
      }),
      { numRuns: 2000, seed: 20220915 },
    );
    expect(matches).toBeGreaterThan(5000);
  });

  it.each([
    ['without limits', UNLIMITED],
    ['with limits that are reached', { itemsMax: 6, matchesMax: 5 }],
  ])(
    'give the same in the same order when the state is saved and loaded, or pruned, after each event, %s',
    (_, limits) => {
      let dropped = 0;
      fc.assert(
        fc.property(patterns, streams, (pattern, stream) => {
          const plain = run(pattern, stream, limits, asItIs);
          dropped += plain.dropped[0] + plain.dropped[1];
          expect(run(pattern, stream, limits, saved)).toEqual(plain);
          expect(run(pattern, stream, limits, pruned)).toEqual(plain);
        }),
        { numRuns: 700, seed: 20220916 },
      );
      expect(dropped > 100).toBe(limits !== UNLIMITED);
    },
  );
});
