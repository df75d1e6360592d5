import { compilePattern, PatternError, validatePattern } from '../compiler/compile.js';
import { begin, eq, field } from './builder.js';
import type { Pattern } from './pattern.js';

const codes = (pattern: Pattern): string[] => validatePattern(pattern).map((p) => `${p.path.join('.')} ${p.code}`);
const is = (type: string) => eq(field('type'), type);

describe('validatePattern', () => {
  it('finds every problem of the form at once, each with its place', () => {
    const pattern = begin('A')
      .greedy()
      .followedBy('A')
      .times(3, 2)
      .followedBy('B')
      .until(is('x'))
      .skip({ strategy: 'toLast', step: 'C' })
      .build();
    expect(codes(pattern)).toEqual([
      'steps.0.greedy greedy-on-single',
      'steps.1.quantifier times-range-inverted',
      'steps.2.until until-without-loop',
      'steps.1.name duplicate-step-name',
      'skip.step skip-target-unknown',
    ]);
  });

  it.each([
    [
      'a loop whose body can be passed without an event',
      begin(begin('A').optional()).oneOrMore().followedBy('B'),
      'empty-loop',
    ],
    [
      'a negation before any event',
      begin(begin('A').optional().followedBy('B').optional()).notFollowedBy('X').followedBy('C'),
      'negation-before-first-event',
    ],
    ['an absence at the end without a window', begin('A').notFollowedBy('X'), 'not-followed-by-last-without-within'],
    [
      'a gap longer than the window',
      begin('A').followedBy('B').gap(20).within(10),
      'gap-window-longer-than-match-window',
    ],
  ])('refuses %s', (_, pattern, code) => {
    expect(validatePattern(pattern.build()).map((p) => p.code)).toEqual([code]);
    expect(() => compilePattern(pattern.build())).toThrow(PatternError);
  });

  it('refuses a pattern whose automaton is too large, where it becomes so', () => {
    const negated = Array.from({ length: 300 }, (_, i) => `N${i}`);
    const repeated = (times: number): Pattern =>
      negated
        .reduce((built, name) => built.notFollowedBy(name).where(is(name)), begin('A'))
        .followedBy('B')
        .times(1, times)
        .allowCombinations()
        .build();
    expect(codes(repeated(50))).toEqual([]);
    expect(codes(repeated(500))).toEqual(['steps.301 automaton-too-large']);
  });

  it('accepts a pattern that means something', () => {
    expect(validatePattern(begin('A').where(is('a')).oneOrMore().greedy().next('B').within(1000).build())).toEqual([]);
  });
});
