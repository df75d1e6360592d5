import { compilePattern } from '../compiler/compile.js';
import { and, begin, count, eq, field, gt, type PatternBuilder } from '../pattern/builder.js';
import { fitsGraph, isGraphPattern } from './eligible.js';

const is = (type: string) => eq(field('type'), type);
const large = and(is('b'), gt(field('amount'), 5));
const a = () => begin('A').where(is('a'));
const compiled = (builder: PatternBuilder) => compilePattern(builder.build());

describe('which patterns go to the graph', () => {
  it.each<[string, PatternBuilder]>([
    ['followedByAny', a().followedByAny('B').where(is('b'))],
    ['followedByAny inside', a().next('B').where(large).followedByAny('C').where(is('c')).next('D').within(10)],
    ['a loop', a().followedBy('B').where(is('b')).oneOrMore().followedBy('C').where(is('c'))],
    ['a strict loop', a().oneOrMore().consecutive().next('B').where(is('b'))],
    ['combinations of a fixed number', a().times(3).allowCombinations()],
    [
      'a group that repeats',
      begin(a().next('B').where(is('b')))
        .oneOrMore()
        .next('C')
        .where(is('c')),
    ],
    ['combinations that stop', a().oneOrMore().allowCombinations().until(is('x')).next('B').where(large)],
  ])('%s does: runs can multiply', (_, builder) => {
    expect([fitsGraph(compiled(builder)), isGraphPattern(compiled(builder))]).toEqual([true, true]);
  });

  it.each<[string, PatternBuilder]>([
    ['next', a().next('B').where(is('b')).next('C').where(is('c'))],
    ['followedBy', a().followedBy('B').where(large).followedBy('C').where(is('c')).within(10)],
    ['followedBy of any event', a().followedBy('B')],
    ['a fixed number', a().times(3).followedBy('B').where(large)],
    ['a forbidden event', a().notFollowedBy('X').where(is('x')).followedBy('B').where(is('b'))],
    ['a subtype', a().followedBy('B').subtype('Withdrawal').where(large)],
  ])('%s alone does not, though it could: each event decides what becomes of a run', (_, builder) => {
    expect([fitsGraph(compiled(builder)), isGraphPattern(compiled(builder))]).toEqual([true, false]);
  });

  it.each<[string, PatternBuilder]>([
    [
      'a condition that looks back',
      a()
        .oneOrMore()
        .followedByAny('B')
        .where(gt(count('A'), 2)),
    ],
    [
      'a function, which may look back',
      a()
        .oneOrMore()
        .followedByAny('B')
        .where(() => true),
    ],
    ['a skip strategy', a().oneOrMore().followedByAny('B').skip({ strategy: 'toNext' })],
    ['a gap', a().oneOrMore().followedByAny('B').gap(5)],
    ['a gap between occurrences', a().times(2, 3, 5).followedByAny('B')],
    ['an absence at the end', a().oneOrMore().followedByAny('B').notFollowedBy('X').where(is('x')).within(5)],
  ])('%s cannot: runs in one state differ', (_, builder) => {
    expect([fitsGraph(compiled(builder)), isGraphPattern(compiled(builder))]).toEqual([false, false]);
  });
});
