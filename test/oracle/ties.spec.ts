import type { Expr, Pattern } from '../../src/engine/index.js';
import type { Stream } from './matches.js';
import { RULE_SET, RUNNER } from './run-patterns.js';

/**
 * Of two matches that begin with one event and end with another one, the oracle lets either go first. Which one does is Flink's
 * order of transitions, on which a skip strategy depends: it keeps the first.
 */
const isIn = (...values: string[]): Expr => ({ op: 'in', left: { op: 'field', name: 'type' }, values });

/** A feed for each letter, the type of its event. */
const streamOf = (types: string): Stream =>
  [...types].map((type, seq) => {
    const time = 1000 + seq;
    return { time, event: { time, seq, kind: '', fields: { id: `${type}${seq}`, type } } };
  });

const repeatedOrLeft: Pattern = {
  steps: [
    {
      kind: 'group',
      contiguity: 'start',
      quantifier: { from: 1, to: null },
      steps: [
        { kind: 'event', name: 'A', contiguity: 'start', optional: true, where: isIn('a') },
        { kind: 'event', name: 'B', contiguity: 'next', where: isIn('b', 'e') },
      ],
    },
    {
      kind: 'event',
      name: 'C',
      contiguity: 'next',
      quantifier: { from: 1, to: 2 },
      inside: 'consecutive',
      where: isIn('c', 'e'),
    },
    { kind: 'event', name: 'D', contiguity: 'next', where: isIn('d') },
  ],
};

describe.each([RUNNER, RULE_SET])('of matches with one first event ($name)', (engine) => {
  it('both are found, one that leaves a group early and one that repeats it', () => {
    const [found] = engine.run([repeatedOrLeft], streamOf('becd'));
    expect(found!.filter((text) => text.includes('B:b0'))).toEqual(['3 B:b0 C:e1,c2 D:d3', '3 B:b0,e1 C:c2 D:d3']);
  });

  it('the one that leaves it goes first: its way into the group comes last, and ways are walked last in, first out', () => {
    const pattern: Pattern = { ...repeatedOrLeft, skip: { strategy: 'pastLastEvent' } };
    expect(engine.run([pattern], streamOf('becd'))).toEqual([['3 B:b0 C:e1,c2 D:d3']]);
  });
});
