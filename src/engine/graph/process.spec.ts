import { events, matchesOf, show } from '../../../test/harness/engine-rows.js';
import { GraphRun, UNLIMITED } from '../../../test/harness/graph-run.js';
import { compilePattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import type { Match } from '../nfa/output.js';
import { begin, eq, field, or, type PatternBuilder } from '../pattern/builder.js';
import { fitsGraph } from './eligible.js';
import type { MatchSet } from './match-set.js';
import type { GraphState } from './node.js';
import { processGraph } from './process.js';

const is = (type: string) => eq(field('type'), type);
const a = () => begin('A').where(is('a'));
const silent = { onMatch: () => undefined };

/** All matches in the order in which they come. */
function graphMatches(builder: PatternBuilder, rows: string): string[] {
  const run = new GraphRun(builder.build());
  return events(rows).flatMap((event) => run.feed(event));
}

describe('matches by the graph', () => {
  it.each<[string, PatternBuilder, string]>([
    [
      'followedByAny',
      a().followedByAny('B').where(is('b')).followedByAny('C').where(is('c')),
      'a1 a2 b3 b4 c5 a6 b7 c8',
    ],
    ['a loop', a().oneOrMore().followedBy('B').where(is('b')), 'a1 a2 x3 a4 b5 a6 b7'],
    ['a strict loop', a().oneOrMore().consecutive().followedBy('B').where(is('b')), 'a1 a2 x3 a4 b5 a6 a7 b8'],
    ['combinations', a().oneOrMore().allowCombinations().followedBy('B').where(is('b')), 'a1 a2 x3 a4 b5 a6 b7'],
    ['a loop at the end', a().followedBy('B').where(is('b')).oneOrMore(), 'a1 b2 b3 x4 b5 a6 b7'],
    ['a range', a().times(2, 3).allowCombinations().followedByAny('B').where(is('b')), 'a1 a2 a3 a4 b5 b6'],
    [
      'an optional step',
      a().followedByAny('B').where(is('b')).optional().followedBy('C').where(is('c')),
      'a1 b2 b3 c4 a5 c6',
    ],
    ['a loop that stops', a().oneOrMore().until(is('x')).followedBy('B').where(is('b')), 'a1 a2 x3 a4 b5'],
    ['a greedy loop', a().oneOrMore().greedy().followedBy('B').where(is('b')), 'a1 a2 b3 a4 b5'],
    [
      'a forbidden event',
      a().notFollowedBy('X').where(is('x')).followedByAny('B').where(is('b')),
      'a1 b2 b3 a4 x5 b6 a7 b8',
    ],
    ['a forbidden next event', a().oneOrMore().notNext('X').where(is('x')), 'a1 a2 b3 x4 a5 x6 a7 b8'],
    [
      'a group that repeats',
      begin(a().followedByAny('B').where(is('b')))
        .oneOrMore()
        .followedBy('C')
        .where(is('c')),
      'a1 b2 a3 b4 b5 c6',
    ],
    ['nested loops', begin(a().oneOrMore()).oneOrMore().followedBy('C').where(is('c')), 'a1 a2 a3 c4'],
    [
      'events that fit two steps',
      begin('A')
        .where(or(is('a'), is('b')))
        .oneOrMore()
        .followedByAny('B')
        .where(is('b')),
      'a1 b2 b3 a4 b5',
    ],
    ['a window', a().oneOrMore().followedByAny('B').where(is('b')).within(5), 'a1 a2 b3 a4 b5 b6 b7 a8 b9 b30'],
  ])('%s: those of the run version', (_, builder, rows) => {
    expect(fitsGraph(compilePattern(builder.build()))).toBe(true);
    const expected = matchesOf(builder.build(), rows);
    expect(expected.length).toBeGreaterThan(2);
    expect(graphMatches(builder, rows).sort()).toEqual(expected.sort());
  });

  it('finds a match once for each way to it', () => {
    const twice = begin(a().oneOrMore()).oneOrMore();
    expect(graphMatches(twice, 'a1 a2 a3').filter((m) => m === 'A:a1,a2,a3')).toHaveLength(4);
  });

  it('orders matches by their first event, then by the second, and so on', () => {
    const loop = a().oneOrMore().allowCombinations().followedBy('B').where(is('b'));
    expect(graphMatches(loop, 'a1 a2 a3 b4')).toEqual([
      'A:a1,a2,a3 B:b4',
      'A:a1,a2 B:b4',
      'A:a1,a3 B:b4',
      'A:a1 B:b4',
      'A:a2,a3 B:b4',
      'A:a2 B:b4',
      'A:a3 B:b4',
    ]);
  });

  it('orders matches of the same events by their steps', () => {
    const both = or(is('a'), is('b'));
    const loops = begin('A').where(both).oneOrMore().next('B').where(both).oneOrMore();
    expect(graphMatches(loops, 'a1 b2 b3 b4').filter((m) => m.includes('a1') && m.includes('b4'))).toEqual([
      'A:a1,b2,b3 B:b4',
      'A:a1,b2 B:b3,b4',
      'A:a1 B:b2,b3,b4',
    ]);
  });
});

describe('the state', () => {
  const pattern = compilePattern(
    a().oneOrMore().followedByAny('B').where(is('b')).followedByAny('C').where(is('c')).within(100).build(),
  );
  const step = (state: GraphState | undefined, rows: string) =>
    events(rows).reduce((s, event) => processGraph(pattern, s, event, silent, UNLIMITED), state);

  it('is the very same after an event that changes nothing', () => {
    const [x, y] = events('x50 c51');
    expect(processGraph(pattern, undefined, x!, silent, UNLIMITED)).toBeUndefined();
    const state = step(undefined, 'a1 x2 b3 x4');
    expect(processGraph(pattern, state, x!, silent, UNLIMITED)).toBe(state);
    expect(processGraph(pattern, step(undefined, 'a1 x2'), y!, silent, UNLIMITED)).toBeDefined();
  });

  it('is nothing once the window of its latest start has ended', () => {
    const state = step(undefined, 'a1 a5 b6');
    const [before, after] = events('x104 x105');
    expect(processGraph(pattern, state, before!, silent, UNLIMITED)).toBe(state);
    expect(processGraph(pattern, state, after!, silent, UNLIMITED)).toBeUndefined();
  });

  it('never changes: an older state goes on as if nothing had come after it', () => {
    const rows = events('a1 a2 b3 a4 b5 c6 c7 a8 b9 c10 c11');
    const frozen: (GraphState | undefined)[] = [undefined];
    const first: string[][] = [];
    const feed = (state: GraphState | undefined, i: number): [GraphState | undefined, string[]] => {
      const found: string[] = [];
      const output = { onMatch: (m: Parameters<typeof show>[0]) => void found.push(show(m)) };
      return [processGraph(pattern, deepFreeze(state), rows[i]!, output, UNLIMITED), found];
    };
    rows.forEach((_, i) => {
      const [state, found] = feed(frozen[i], i);
      frozen.push(state);
      first.push(found);
    });
    expect(first.flat().length).toBeGreaterThan(20);
    for (let from = 0; from < rows.length; from++) {
      let state = frozen[from];
      for (let i = from; i < rows.length; i++) {
        const [after, found] = feed(state, i);
        state = after;
        expect(found).toEqual(first[i]);
      }
    }
  });
});

describe('an event that cannot be read', () => {
  it('leaves nothing behind for the next one', () => {
    const pattern = compilePattern(
      a()
        .followedByAny('B')
        .where(eq(field('other'), 1))
        .followedByAny('C')
        .where(is('c'))
        .build(),
    );
    const step = (state: GraphState | undefined, event: EngineEvent) =>
      processGraph(pattern, state, event, silent, UNLIMITED);
    const [first, second] = events('a1 a2[other=1]') as [EngineEvent, EngineEvent];
    const state = step(step(undefined, first), second);
    expect(state!.states).toHaveLength(2);
    const fields = {
      type: 'x',
      get other() {
        throw new Error('unreadable');
      },
    };
    expect(() => step(state, { time: 3, seq: 3, kind: '', fields })).toThrow('unreadable');
    expect(step(undefined, first)!.states).toHaveLength(1);
  });
});

describe('matches as a set', () => {
  const pattern = compilePattern(a().oneOrMore().allowCombinations().followedBy('B').where(is('b')).build());
  const rows = (count: number) => events(`${Array.from({ length: count }, (_, i) => `a${i + 1}`).join(' ')} b99999`);

  function setOf(count: number, matchesMax: number): MatchSet {
    const sets: MatchSet[] = [];
    const written: Match[] = [];
    const output = { onMatch: (m: Match) => void written.push(m), onMatches: (s: MatchSet) => void sets.push(s) };
    let state: GraphState | undefined;
    for (const event of rows(count)) state = processGraph(pattern, state, event, output, { ...UNLIMITED, matchesMax });
    expect([written.length, sets.length]).toEqual([0, 1]);
    return sets[0]!;
  }

  it('can be counted without being written out', () => {
    expect(setOf(40, 10).count()).toBe(2 ** 40 - 1);
    expect(setOf(2000, 10).count()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is written out as far as it is asked for, and again from the beginning', () => {
    const set = setOf(40, 1_000_000);
    const few = (): string[] => {
      const found: string[] = [];
      for (const match of set) if (found.push(show(match)) === 3) break;
      return found;
    };
    expect(few()[0]).toBe(`A:${Array.from({ length: 40 }, (_, i) => `a${i + 1}`).join(',')} B:b99999`);
    expect(few()).toEqual(few());
  });

  it('ends at the bound', () => {
    expect([...setOf(40, 25)]).toHaveLength(25);
    expect([...setOf(3, 25)].map(show)).toEqual([
      'A:a1,a2,a3 B:b99999',
      'A:a1,a2 B:b99999',
      'A:a1,a3 B:b99999',
      'A:a1 B:b99999',
      'A:a2,a3 B:b99999',
      'A:a2 B:b99999',
      'A:a3 B:b99999',
    ]);
  });

  it('two sets can be gone through in turns', () => {
    const [one, other] = [setOf(3, 10)[Symbol.iterator](), setOf(4, 20)[Symbol.iterator]()];
    const found: string[][] = [[], []];
    for (let i = 0; i < 7; i++) {
      found[0]!.push(show(one.next().value!));
      found[1]!.push(show(other.next().value!));
    }
    expect(found[0]).toEqual([...setOf(3, 10)].map(show));
    expect(found[1]).toEqual([...setOf(4, 7)].map(show));
  });

  it('tells how many matches of an event the bound left out', () => {
    const run = new GraphRun(pattern, { ...UNLIMITED, matchesMax: 25 });
    const found = rows(10).flatMap((event) => run.feed(event));
    expect(found).toHaveLength(25);
    expect(run.matchesDropped).toBe(2 ** 10 - 1 - 25);
  });
});

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
