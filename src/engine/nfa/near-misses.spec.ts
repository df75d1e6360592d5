import {
  advanceKey,
  begin,
  compileRuleSet,
  type EngineEvent,
  type KeyState,
  type NearMiss,
  nextKeyDeadline,
  type Pattern,
  processKey,
} from '../index.js';

const is = (type: string) =>
  ({ op: 'compare', cmp: '==', left: { op: 'field', name: 'type' }, right: { op: 'const', value: type } }) as const;

/** `a1`: type a at 1. Time moves on to the end of each window, as a host has it. */
function nearMissesOf(
  pattern: Pattern,
  rows: string,
  until = 1000,
): { readonly near: string[]; readonly matches: number } {
  const rules = compileRuleSet([{ id: 'p', pattern: { ...pattern, nearMisses: true } }]);
  const near: NearMiss[] = [];
  let matches = 0;
  let state: KeyState | undefined;
  const output = {
    slot: 0,
    onMatch: () => void matches++,
    onNearMiss: (nearMiss: NearMiss) => void near.push(nearMiss),
  };
  const upTo = (time: number): void => {
    while (state !== undefined && nextKeyDeadline(rules, state) <= time) {
      const after: KeyState | undefined = advanceKey(rules, state, nextKeyDeadline(rules, state), output);
      if (after === state) return;
      state = after;
    }
  };
  rows.split(' ').forEach((text, seq) => {
    const time = Number(text.slice(1));
    const event: EngineEvent = { time, seq, kind: '', fields: { type: text[0], id: text } };
    upTo(time);
    state = processKey(rules, state, event, output);
  });
  upTo(until);
  const say = ({ steps, by, missing, time, event }: NearMiss): string =>
    `${steps.map(({ name, events }) => `${name}:${events.map((e) => e.fields.id).join()}`).join(' ')} ${by} ${missing.join()} at ${time}${event === null ? '' : ` by ${String(event.fields.id)}`}`;
  return { near: near.map(say), matches };
}

const abc = begin('A').where(is('a')).followedBy('B').where(is('b')).followedBy('C').where(is('c')).within(10).build();
const confirmed = begin('A').where(is('a')).notFollowedBy('N').where(is('n')).within(10).build();
const without = begin('A')
  .where(is('a'))
  .notFollowedBy('N')
  .where(is('n'))
  .followedBy('B')
  .where(is('b'))
  .within(10)
  .build();

describe('near misses', () => {
  it.each<readonly [string, Pattern, string, readonly string[], number]>([
    ['of a window that ran out before the last step', abc, 'a1 b2 x3', ['A:a1 B:b2 within C at 11'], 0],
    ['not where more than a step was missing', abc, 'a1 x3', [], 0],
    ['not where it matched', abc, 'a1 b2 c3', [], 1],
    ['at the end of the window, before an event of that time', abc, 'a1 b2 c11', ['A:a1 B:b2 within C at 11'], 0],
    ['one for each beginning', abc, 'a1 a2 b3', ['A:a1 B:b3 within C at 11', 'A:a2 B:b3 within C at 12'], 0],
    [
      'of a gap that ran out',
      begin('A').where(is('a')).followedBy('B').where(is('b')).gap(5).build(),
      'a1 b7',
      ['A:a1 gap B at 6'],
      0,
    ],
    [
      'of the last negation, by the event that must not have come',
      confirmed,
      'a1 n5',
      ['A:a1 negation N at 5 by n5'],
      0,
    ],
    ['not of an absence that held', confirmed, 'a1 x5', [], 1],
    ['of a negation before the last step', without, 'a1 n5 b6', ['A:a1 negation N at 5 by n5'], 0],
    [
      'of the longest of the runs that begin with one event',
      begin('A').where(is('a')).oneOrMore().followedBy('B').where(is('b')).within(10).build(),
      'a1 a2',
      ['A:a1,a2 within B at 11', 'A:a2 within B at 12'],
      0,
    ],
    [
      'not of a loop that has matched',
      begin('A').where(is('a')).oneOrMore().followedBy('B').where(is('b')).within(10).build(),
      'a1 b2',
      [],
      1,
    ],
    [
      'not of a last step that may be absent',
      begin('A').where(is('a')).followedBy('B').where(is('b')).optional().within(10).build(),
      'a1',
      [],
      1,
    ],
    ['not of what a match made void', { ...abc, skip: { strategy: 'pastLastEvent' } }, 'a1 a2 b3 c4', [], 1],
    [
      'of a count that was one too few',
      begin('A').where(is('a')).times(3).within(10).build(),
      'a1 a2',
      ['A:a1,a2 within A at 11'],
      0,
    ],
  ])('are told %s', (_, pattern, rows, near, matches) => {
    expect(nearMissesOf(pattern, rows)).toEqual({ near, matches });
  });
});
