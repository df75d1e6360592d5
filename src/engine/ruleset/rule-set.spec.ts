import { events, show } from '../../../test/harness/engine-rows.js';
import { begin, eq, field } from '../pattern/builder.js';
import type { KeyState } from './key-state.js';
import { advanceKey, compileRuleSet, countRuns, keyHorizon, nextKeyDeadline, processKey } from './rule-set.js';
import type { RuleSetOutput } from './slot-state.js';

const is = (type: string) => eq(field('type'), type);
const pair = (from: string, to: string, ms: number) =>
  begin('A').where(is(from)).followedBy('B').where(is(to)).within(ms).build();

function harness(rules: ReturnType<typeof compileRuleSet>) {
  const log: string[] = [];
  const output: RuleSetOutput = {
    slot: 0,
    onMatch: (m) => void log.push(`${rules.ids[output.slot]} ${show(m)}`),
    onTimeout: (t) => void log.push(`${rules.ids[output.slot]} timeout@${t.time} ${show(t)}`),
    onRunsDropped: (n) => void log.push(`${rules.ids[output.slot]} dropped ${n}`),
    onSkipError: (e) => void log.push(`${rules.ids[output.slot]} ${e.reason}`),
  };
  return { log, output };
}

describe('a rule set', () => {
  const rules = compileRuleSet([
    { id: 'ab', pattern: pair('a', 'b', 10) },
    { id: 'cb', pattern: pair('c', 'b', 100) },
    { id: 'xx', pattern: pair('x', 'x', 5) },
  ]);

  it('keeps state only for patterns that have something under way', () => {
    const { output } = harness(rules);
    let state: KeyState | undefined;
    const slots = events('d1 a2 c3 b4 b5').map((event) => {
      state = processKey(rules, state, event, output);
      return state?.slots ?? null;
    });
    expect(slots).toEqual([null, [0], [0, 1], null, null]);
  });

  it('gives each match under its pattern, in order of the patterns', () => {
    const { log, output } = harness(rules);
    let state: KeyState | undefined;
    for (const event of events('a1 c2 b3 x4 x5')) state = processKey(rules, state, event, output);
    expect(log).toEqual(['ab A:a1 B:b3', 'cb A:c2 B:b3', 'xx A:x4 B:x5']);
    expect(countRuns(state)).toBe(1);
  });

  it('has a deadline only where the end of a window can give a match, and else a horizon', () => {
    const absent = compileRuleSet([
      { id: 'ab', pattern: pair('a', 'b', 10) },
      { id: 'a-without-b', pattern: begin('A').where(is('a')).notFollowedBy('B').where(is('b')).within(50).build() },
    ]);
    const { output } = harness(absent);
    const both = processKey(absent, undefined, events('a1')[0]!, output)!;
    expect([nextKeyDeadline(absent, both), keyHorizon(absent, both)]).toEqual([51, 50]);
    const pairOnly = processKey(rules, undefined, events('a1')[0]!, output)!;
    expect([nextKeyDeadline(rules, pairOnly), keyHorizon(rules, pairOnly)]).toEqual([Number.POSITIVE_INFINITY, 10]);
  });

  it('reports the windows that end', () => {
    const { log, output } = harness(rules);
    let state: KeyState | undefined;
    for (const event of events('c1 a2')) state = processKey(rules, state, event, output);
    state = advanceKey(rules, state, 12, output);
    expect(state!.slots).toEqual([1]);
    expect(advanceKey(rules, state, 101, output)).toBeUndefined();
    expect(log).toEqual(['ab timeout@12 A:a2', 'cb timeout@101 A:c1']);
  });

  it('drops the oldest runs over the limit, and says so', () => {
    const limited = compileRuleSet([{ id: 'ab', pattern: pair('a', 'b', 1000) }], { limits: { runsMax: 2 } });
    const { log, output } = harness(limited);
    let state: KeyState | undefined;
    for (const event of events('a1 a2 a3 b4')) state = processKey(limited, state, event, output);
    expect(log).toEqual(['ab dropped 1', 'ab A:a2 B:b4', 'ab A:a3 B:b4']);
  });

  it('drops the state of one pattern whose skip strategy has nothing to skip to; the others go on', () => {
    const skip = begin('A').where(is('a')).followedBy('B').where(is('z')).optional().followedBy('C').where(is('b'));
    const failing = compileRuleSet([
      { id: 'bad', pattern: skip.skip({ strategy: 'toFirst', step: 'B', onMiss: 'error' }).build() },
      { id: 'ab', pattern: pair('a', 'b', 10) },
    ]);
    const { log, output } = harness(failing);
    let state: KeyState | undefined;
    for (const event of events('a1 b2')) state = processKey(failing, state, event, output);
    expect(log).toEqual(['bad skip-target-missing', 'ab A:a1 B:b2']);
    expect(state).toBeUndefined();
  });
});
