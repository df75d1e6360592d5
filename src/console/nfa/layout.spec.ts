import type { Automaton } from '../api/types.js';
import { layOut } from './layout.js';

const state = (name: string, type: 'normal' | 'final' | 'stop' = 'normal') => ({ name, step: name, type, gapMs: 0 });
const link = (from: number, to: number, action: 'take' | 'ignore' | 'proceed' = 'take') => ({
  from,
  to,
  action,
  when: '',
});

const automaton = (states: Automaton['states'], transitions: Automaton['transitions']): Automaton => ({
  ...{ start: 0, windowMs: 0, states, transitions },
});

describe('the drawing of an automaton', () => {
  it('goes from left to right, with stop states below and the end last', () => {
    const { boxes, columns, rows } = layOut(
      automaton(
        [state('a'), state('b'), state('c'), state('end', 'final'), state('never', 'stop')],
        [link(0, 1), link(1, 1, 'ignore'), link(1, 2), link(1, 4, 'proceed'), link(2, 3)],
      ),
    );
    expect(boxes.map(({ column, row }) => [column, row])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [2, 1],
    ]);
    expect([columns, rows]).toEqual([4, 2]);
  });

  it('tells loops and ways back from ways on, and lays links of the same states side by side', () => {
    const { links } = layOut(
      automaton(
        [state('a'), state('b'), state('end', 'final')],
        [link(0, 1), link(0, 1, 'proceed'), link(1, 0), link(1, 1), link(1, 2)],
      ),
    );
    expect(links.map(({ kind, beside }) => [kind, beside])).toEqual([
      ['forward', 0],
      ['forward', 1],
      ['back', 0],
      ['self', 0],
      ['forward', 0],
    ]);
  });

  it('ends, whatever leads where', () => {
    const states = Array.from({ length: 12 }, (_, n) => state(`s${n}`, n === 11 ? 'final' : 'normal'));
    const all = states.flatMap((_, from) =>
      from === 11 ? [] : [link(from, (from + 1) % 12), link(from, (from * 7) % 11)],
    );
    expect(layOut(automaton(states, all)).boxes).toHaveLength(12);
  });
});
