import { begin, eq, field } from '../pattern/builder.js';
import type { Pattern } from '../pattern/pattern.js';
import { compilePattern, PatternCompiler } from './compile.js';
import { type KnownStates, shareStates } from './share-states.js';

const is = (type: string) => eq(field('type'), type);
const chain = (first: string, last: string): Pattern =>
  begin('A').where(is(first)).followedBy('B').where(is('b')).oneOrMore().followedBy('C').where(is(last)).build();

/** Names of the states that the second pattern has of the first. */
function sharedBy(first: Pattern, second: Pattern): readonly string[] {
  const compiler = new PatternCompiler();
  const before = new Set(compiler.compile(first).states);
  return compiler
    .compile(second)
    .states.filter((state) => before.has(state))
    .map(({ name }) => name);
}

describe('shareStates', () => {
  it('takes what is equal from where patterns differ on, loops included', () => {
    expect(sharedBy(chain('a', 'c'), chain('x', 'c'))).toEqual(['$end', 'C', 'B', 'B:0', 'B:1']);
  });

  it('takes no state from which something else can be reached', () => {
    expect(sharedBy(chain('a', 'c'), chain('a', 'x'))).toEqual(['$end']);
  });

  it('leads from states of its own to those that it took', () => {
    const compiler = new PatternCompiler();
    const [first, second] = [chain('a', 'c'), chain('x', 'c')].map((pattern) => compiler.compile(pattern));
    expect(second!.start).not.toBe(first!.start);
    expect(second!.start.transitions.map((t) => t.target)).toEqual(first!.start.transitions.map((t) => t.target));
    expect(second!.start.transitions[0]!.target).toBe(first!.start.transitions[0]!.target);
  });

  it('keeps an amount of text in proportion to the states', () => {
    const kept = (times: number): number => {
      const known: KnownStates = new Map();
      shareStates(compilePattern(begin('A').where(is('a')).times(1, times).followedBy('B').build()).states, known);
      return [...known.keys()].reduce((sum, key) => sum + key.length, 0);
    };
    expect(kept(800) / kept(400)).toBeLessThan(2.1);
  });
});
