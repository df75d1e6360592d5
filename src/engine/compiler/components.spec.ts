import { begin, eq, field } from '../pattern/builder.js';
import { compilePattern } from './compile.js';
import type { CompiledState } from './compiled-state.js';
import { componentsOf } from './components.js';

const isB = eq(field('type'), 'b');
const groups = (states: readonly CompiledState[]): string[] =>
  componentsOf(states).map((group) =>
    group
      .map(({ name }) => name)
      .sort()
      .join(' '),
  );

describe('componentsOf', () => {
  it('has each state that leads back to no other by itself, after those that it leads to', () => {
    const { states } = compilePattern(begin('A').followedBy('B').followedBy('C').build());
    expect(groups(states)).toEqual(['$end', 'C', 'B', 'A']);
  });

  it('has the states of a loop together', () => {
    const { states } = compilePattern(begin('A').followedBy('B').where(isB).oneOrMore().followedBy('C').build());
    expect(groups(states)).toEqual(['$end', 'C', 'B B:0', 'B:1', 'A']);
  });

  it('has the states of a group that repeats together, however many', () => {
    const { states } = compilePattern(
      begin(begin('A').times(1990).followedBy('B')).oneOrMore().followedBy('C').build(),
    );
    expect(componentsOf(states).map((group) => group.length)).toContain(1992);
  });
});
