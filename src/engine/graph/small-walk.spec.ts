import fc from 'fast-check';
import { show } from '../../../test/harness/engine-rows.js';
import { compilePattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import { begin, eq, field } from '../pattern/builder.js';
import type { Pattern } from '../pattern/pattern.js';
import type { MatchSet } from './match-set.js';
import { type GraphNode, type GraphState, horizonAt } from './node.js';
import { processGraph } from './process.js';
import { SmallWalk } from './small-walk.js';

const is = (type: string) => eq(field('type'), type);

const PATTERNS: readonly Pattern[] = [
  begin('A')
    .where(is('a'))
    .oneOrMore()
    .followedByAny('B')
    .where(is('b'))
    .followedByAny('C')
    .where(is('c'))
    .within(30)
    .build(),
  begin('A').where(is('a')).oneOrMore().allowCombinations().followedBy('C').where(is('c')).within(20).build(),
  begin('A').where(is('a')).followedByAny('B').where(is('b')).oneOrMore().optional().followedByAny('C').build(),
  begin('A').followedByAny('B').optional().followedByAny('C').where(is('c')).within(12).build(),
  begin('A').where(is('a')).timesOrMore(2).allowCombinations().within(25).build(),
];

const streams = (maxLength: number): fc.Arbitrary<EngineEvent[]> =>
  fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(4)), { minLength: 4, maxLength }).map((rows) => {
    let time = 0;
    return rows.map(([type, wait], i) => {
      time += wait;
      return { time, seq: i + 1, kind: '', fields: { id: `${type}${i}`, type } };
    });
  });

/** The matches of each event as a set, with the limit. */
function setsOf(pattern: Pattern, stream: readonly EngineEvent[], matchesMax: number): MatchSet[] {
  const compiled = compilePattern(pattern);
  const sets: MatchSet[] = [];
  let state: GraphState | undefined;
  const output = { onMatch: () => undefined, onMatches: (set: MatchSet) => void sets.push(set) };
  for (const event of stream) state = processGraph(compiled, state, event, output, { itemsMax: 10_000, matchesMax });
  return sets;
}

describe('a small graph', () => {
  it.each([
    ['few', 14],
    ['many', 60],
  ])('is written out as it is walked any other way, in the same order: %s events', (_, length) => {
    let matches = 0;
    fc.assert(
      fc.property(fc.constantFrom(...PATTERNS), streams(length), fc.constantFrom(1, 3, 200), (pattern, stream, max) => {
        for (const set of setsOf(pattern, stream, max)) {
          const written: string[] = [];
          const dropped = set.writeTo({ onMatch: (match) => void written.push(show(match)) });
          expect(written).toEqual([...set].map(show));
          expect(written.length + dropped).toBe(set.count());
          matches += written.length;
        }
      }),
      { numRuns: 250 },
    );
    expect(matches).toBeGreaterThan(500);
  });

  it('can be asked while another one is written out, and after a reader has thrown', () => {
    const stream = ['a', 'a', 'b', 'c'].map((type, i) => ({
      time: i,
      seq: i + 1,
      kind: '',
      fields: { id: `${type}${i}`, type },
    }));
    const [set] = setsOf(PATTERNS[0]!, stream, 100);
    const all = [...set!].map(show);
    expect(all.length).toBeGreaterThan(2);
    const within: string[][] = [];
    set!.writeTo({
      onMatch: () => {
        const inner: string[] = [];
        set!.writeTo({ onMatch: (match) => void inner.push(show(match)) });
        within.push(inner);
      },
    });
    expect(within).toEqual(all.map(() => all));
    const fails = () => {
      throw new Error('the reader fails');
    };
    expect(() => set!.writeTo({ onMatch: fails })).toThrow('the reader fails');
    const again: string[] = [];
    set!.writeTo({ onMatch: (match) => void again.push(show(match)) });
    expect(again).toEqual(all);
  });

  it('is left to the other walk where it has many items, or a match more than once', () => {
    const events = Array.from({ length: 40 }, (_, i) => ({ time: i, seq: i + 1, kind: '', fields: {} }));
    const compiled = compilePattern(PATTERNS[0]!);
    const horizon = horizonAt(compiled, 0);
    const items = events.map((event, id) => ({
      id,
      event,
      step: 0,
      state: 0,
      starts: 1,
      previous: null,
      newest: event,
    }));
    const walk = new SmallWalk();
    const fits = (nodes: readonly GraphNode[]): boolean => {
      const small = walk.prepare(nodes, horizon);
      if (small) walk.clear();
      return small;
    };
    expect(fits(items.slice(0, 22))).toBe(true);
    expect(fits(items.slice(0, 23))).toBe(false);
    expect(fits([{ ...items[0]!, starts: 2 }])).toBe(false);
    expect(fits([items[0]!, items[0]!])).toBe(false);
    expect(fits(items.slice(0, 2))).toBe(true);
  });
});
