import { events, matchesOf, show } from '../../../test/harness/engine-rows.js';
import type { PatternState } from '../buffer/run.js';
import { compilePattern } from '../compiler/compile.js';
import { begin, eq, field, type PatternBuilder } from '../pattern/builder.js';
import type { Match } from './output.js';
import { advanceTime, nextDeadline, processEvent } from './step.js';

const is = (type: string) => eq(field('type'), type);
const abc = (link: (b: PatternBuilder) => PatternBuilder): PatternBuilder =>
  link(begin('A').where(is('a'))).where(is('b'));

describe('contiguity', () => {
  const rows = 'a1 c2 b3 b4';
  it.each([
    ['next takes the very next event', abc((p) => p.next('B')), []],
    ['followedBy passes over events that do not fit', abc((p) => p.followedBy('B')), ['A:a1 B:b3']],
    ['followedByAny passes over events that fit too', abc((p) => p.followedByAny('B')), ['A:a1 B:b3', 'A:a1 B:b4']],
  ])('%s', (_, pattern, expected) => {
    expect(matchesOf(pattern.build(), rows)).toEqual(expected);
  });

  it('notNext refuses the very next event only', () => {
    const pattern = begin('A').where(is('a')).notNext('X').where(is('x')).followedBy('B').where(is('b')).build();
    expect(matchesOf(pattern, 'a1 x2 b3 a4 c5 x6 b7')).toEqual(['A:a4 B:b7']);
  });

  it('notFollowedBy in between refuses any event before the next step', () => {
    const pattern = begin('A').where(is('a')).notFollowedBy('X').where(is('x')).followedBy('B').where(is('b')).build();
    expect(matchesOf(pattern, 'a1 c2 x3 b4 a5 b6')).toEqual(['A:a5 B:b6']);
  });

  it('notFollowedBy at the end completes when the window ends', () => {
    const pattern = begin('A').where(is('a')).notFollowedBy('X').where(is('x')).within(10).build();
    expect(matchesOf(pattern, 'a1 c5', 10)).toEqual([]);
    expect(matchesOf(pattern, 'a1 c5', 11)).toEqual(['A:a1']);
    expect(matchesOf(pattern, 'a1 x5', 11)).toEqual([]);
  });
});

describe('quantifiers', () => {
  it.each([
    ['times(2)', begin('A').where(is('a')).times(2), ['A:a1,a2', 'A:a2,a4']],
    ['times(2) consecutive', begin('A').where(is('a')).times(2).consecutive(), ['A:a1,a2']],
    [
      'times(2) with combinations',
      begin('A').where(is('a')).times(2).allowCombinations(),
      ['A:a1,a2', 'A:a1,a4', 'A:a2,a4'],
    ],
    ['oneOrMore', begin('A').where(is('a')).oneOrMore(), ['A:a1', 'A:a1,a2', 'A:a2', 'A:a1,a2,a4', 'A:a2,a4', 'A:a4']],
    ['optional', begin('A').where(is('a')).next('B').where(is('b')).optional(), ['A:a1', 'A:a2', 'A:a2 B:b3', 'A:a4']],
  ])('%s', (_, pattern, expected) => {
    expect(matchesOf(pattern.build(), 'a1 a2 b3 a4')).toEqual(expected);
  });

  it('until stops a loop', () => {
    const pattern = begin('A').where(is('a')).oneOrMore().until(is('x')).followedBy('B').where(is('b')).build();
    expect(matchesOf(pattern, 'a1 x2 a3 b4')).toEqual(['A:a1 B:b4', 'A:a3 B:b4']);
  });

  it('a group repeats as a whole', () => {
    const group = begin('A').where(is('a')).next('B').where(is('b'));
    const pattern = begin(group).times(2).build();
    expect(matchesOf(pattern, 'a1 b2 a3 b4')).toEqual(['A:a1,a3 B:b2,b4']);
  });
});

describe('skip strategies', () => {
  const pairs = () => begin('A').where(is('a')).oneOrMore().followedBy('B').where(is('b'));
  it.each([
    ['noSkip', { strategy: 'noSkip' }, ['A:a1,a2 B:b3', 'A:a2 B:b3']],
    ['pastLastEvent', { strategy: 'pastLastEvent' }, ['A:a1,a2 B:b3']],
    ['toNext', { strategy: 'toNext' }, ['A:a1,a2 B:b3', 'A:a2 B:b3']],
    ['toFirst', { strategy: 'toFirst', step: 'B' }, ['A:a1,a2 B:b3']],
    ['toLast', { strategy: 'toLast', step: 'A' }, ['A:a1,a2 B:b3', 'A:a2 B:b3']],
  ] as const)('%s', (_, skip, expected) => {
    const found = matchesOf(pairs().skip(skip).build(), 'a1 a2 b3');
    expect(found.filter((m) => expected.includes(m as never))).toEqual(expected);
  });
});

describe('purity', () => {
  const pattern = compilePattern(begin('A').where(is('a')).followedByAny('B').where(is('b')).within(100).build());
  const found: Match[] = [];
  const output = { onMatch: (m: Match) => void found.push(m) };

  function deepFreeze<T>(value: T): T {
    if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
      Object.freeze(value);
      Object.values(value).forEach(deepFreeze);
    }
    return value;
  }

  it('never changes the state it is given', () => {
    let state: PatternState | undefined;
    for (const event of events('a1 a2 b3 c4 b5 a6 b7')) {
      deepFreeze(state);
      state = processEvent(pattern, advanceTime(pattern, state, event.time, output), event, output);
    }
    expect(found.map(show)).toContain('A:a2 B:b7');
  });

  it('gives the same state back when an event changes nothing', () => {
    const [a, c] = events('a1 c2');
    const state = processEvent(pattern, undefined, a!, output);
    expect(state).toBeDefined();
    expect(processEvent(pattern, state, c!, output)).toBe(state);
    expect(processEvent(pattern, undefined, c!, output)).toBeUndefined();
    expect(advanceTime(pattern, state, 100, output)).toBe(state);
  });

  it('forgets a key once its last window has ended', () => {
    const state = processEvent(pattern, undefined, events('a1')[0]!, output)!;
    expect(nextDeadline(pattern, state)).toBe(101);
    expect(advanceTime(pattern, state, 101, output)).toBeUndefined();
  });
});
