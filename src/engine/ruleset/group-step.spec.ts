import fc from 'fast-check';
import { events, show } from '../../../test/harness/engine-rows.js';
import { decodeKeyState, type EventCodec, encodeKeyState } from '../codec/key-state-codec.js';
import type { EngineEvent } from '../event.js';
import type { Expr } from '../expression/expression.js';
import { and, begin, eq, field, gt } from '../pattern/builder.js';
import type { Pattern } from '../pattern/pattern.js';
import { type KeyState, slotsOf } from './key-state.js';
import { advanceKey, compileRuleSet, countRuns, processKey, type RuleSetOptions } from './rule-set.js';
import type { RuleSetOutput } from './slot-state.js';

const is = (type: string) => eq(field('type'), type);
const above = (amount: number) => gt(field('amount'), amount);
const TYPES = ['a', 'b', 'c'];
const AMOUNT_BEFORE: Expr = { op: 'aggregate', fn: 'sum', step: 'L', field: 'amount' };

/** Patterns of few forms, as many rules are: large, then or next of a type, followed by another. */
function patterns(seeds: readonly number[]): Pattern[] {
  return seeds.map((seed) => {
    let rest = seed;
    const digit = (base: number): number => {
      const value = rest % base;
      rest = Math.floor(rest / base);
      return value;
    };
    const large = begin('L').where(above(2 * digit(3)));
    const [form, type] = [digit(5), is(TYPES[digit(3)]!)];
    const looksBack = form === 1 || form === 4;
    const where = looksBack
      ? and(type, { op: 'compare', cmp: '>', left: field('amount'), right: AMOUNT_BEFORE })
      : type;
    const second = form < 2 ? large.next('T').where(where) : large.followedBy('T').where(where);
    const third = form === 3 ? second.times(2) : second;
    const last = third.followedBy('E').where(digit(2) === 0 ? is('b') : above(9));
    const within = last.within([10, 25][digit(2)]!);
    return digit(3) === 0 ? within.skip({ strategy: 'pastLastEvent' }).build() : within.build();
  });
}

function stream(steps: readonly (readonly [type: number, amount: number, wait: number])[]): EngineEvent[] {
  let time = 0;
  return steps.map(([type, amount, wait], i) => {
    time += wait;
    return { time, seq: i + 1, kind: 'e', fields: { type: TYPES[type]!, amount, id: `e${i}` } };
  });
}

function logOf(log: string[], names: readonly number[]): RuleSetOutput {
  const output: RuleSetOutput = {
    slot: 0,
    onMatch: ({ steps }) =>
      void log.push(
        `${names[output.slot]} ${steps.map((s) => `${s.name}:${s.events.map((e) => e.fields.id)}`).join(' ')}`,
      ),
    onRunsDropped: (n) => void log.push(`${names[output.slot]} dropped ${n}`),
    onSkipError: (e) => void log.push(`${names[output.slot]} ${e.reason}`),
  };
  return output;
}

const seeds = fc.array(fc.nat(3 * 5 * 3 * 2 * 2 * 3 - 1), { minLength: 3, maxLength: 40 });
const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(12), fc.nat(6)), { minLength: 5, maxLength: 30 });

describe('slots that hold the same state', () => {
  it('find what each pattern finds alone, in order of the slots, saved and loaded or not', () => {
    let groupsSeen = 0;
    fc.assert(
      fc.property(seeds, steps, fc.constantFrom(1, 2, 10_000), fc.nat(3), (chosen, given, runsMax, savedEvery) => {
        const options: RuleSetOptions = { limits: { runsMax } };
        const all = patterns(chosen);
        const names = all.map((_, i) => i);
        const together = compileRuleSet(
          all.map((pattern, i) => ({ id: String(i), pattern })),
          options,
        );
        const alone = all.map((pattern, i) => compileRuleSet([{ id: String(i), pattern }], options));
        const rows = stream(given);
        const codec: EventCodec = {
          encode: (event) => Uint8Array.of(event.seq - 1),
          decode: (bytes) => rows[bytes[0]!]!,
        };
        const [found, expected]: [string[], string[]] = [[], []];
        const output = logOf(found, names);
        let state: KeyState | undefined;
        const states: (KeyState | undefined)[] = all.map(() => undefined);
        for (const event of rows) {
          state = processKey(together, state, event, output);
          groupsSeen += state?.groups.length ?? 0;
          if (state !== undefined && savedEvery > 0 && event.seq % savedEvery === 0) {
            const bytes = encodeKeyState(state, together, codec);
            state = decodeKeyState(bytes, together, codec)!;
            expect(encodeKeyState(state, together, codec)).toEqual(bytes);
          }
          alone.forEach((rules, i) => {
            states[i] = processKey(rules, states[i], event, logOf(expected, [i]));
          });
        }
        expect(found).toEqual(expected);
      }),
      { numRuns: 300 },
    );
    expect(groupsSeen).toBeGreaterThan(1000);
  });

  it('share one state, and leave the group one by one as they part', () => {
    const rules = compileRuleSet(
      ['b', 'b', 'c', 'c', 'd'].map((type, i) => ({
        id: String(i),
        pattern: begin('A')
          .where(is('a'))
          .followedBy('T')
          .where(is(type))
          .followedBy('E')
          .where(is('e'))
          .within(50)
          .build(),
      })),
    );
    const found: string[] = [];
    const output: RuleSetOutput = { slot: 0, onMatch: (m) => void found.push(`${output.slot} ${show(m)}`) };
    let state: KeyState | undefined;
    const shapes = events('a1 x2 c3 d4 b5 e6').map((event) => {
      const before = state;
      state = processKey(rules, state, event, output);
      return state === before ? 'same' : `${state?.groups.map((g) => g.slots.join('')) ?? ''} ${state?.slots ?? ''}`;
    });
    expect(shapes).toEqual(['01234 ', 'same', '014,23 ', '01,23 4', '01,23 4', ' ']);
    expect(found).toEqual([0, 1, 2, 3, 4].map((i) => expect.stringContaining(`${i} A:a1 T:`)));
  });

  it('are counted one by one, and end with the longest window among them', () => {
    const rules = compileRuleSet(
      [10, 20, 30].map((ms) => ({
        id: String(ms),
        pattern: begin('A').where(is('a')).followedBy('B').where(is('b')).within(ms).build(),
      })),
    );
    const found: string[] = [];
    const output: RuleSetOutput = { slot: 0, onMatch: (m) => void found.push(`${rules.ids[output.slot]} ${show(m)}`) };
    const state = processKey(rules, undefined, events('a1')[0]!, output)!;
    expect(slotsOf(state).slots).toEqual([0, 1, 2]);
    expect(countRuns(state)).toBe(3);
    expect(advanceKey(rules, state, 30, output)).toBe(state);
    expect(advanceKey(rules, state, 31, output)).toBeUndefined();
    processKey(rules, state, events('a1 b21')[1]!, output);
    expect(found).toEqual(['30 A:a1 B:b21']);
  });

  it('report their time-outs one by one', () => {
    const rules = compileRuleSet(
      [10, 20, 30].map((ms) => ({
        id: String(ms),
        pattern: begin('A').where(is('a')).followedBy('B').where(is('b')).within(ms).build(),
      })),
      { sharing: 'never' },
    );
    const log: string[] = [];
    const quiet: RuleSetOutput = { slot: 0, onMatch: () => undefined };
    const output: RuleSetOutput = { ...quiet, onTimeout: (t) => void log.push(`${rules.ids[output.slot]} ${t.time}`) };
    const state = processKey(rules, undefined, events('a1')[0]!, quiet)!;
    expect(state.groups).toHaveLength(1);
    expect(slotsOf(advanceKey(rules, state, 25, output)!).slots).toEqual([2]);
    expect(log).toEqual(['10 11', '20 21']);
  });
});
