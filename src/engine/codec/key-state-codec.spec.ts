import { events, show } from '../../../test/harness/engine-rows.js';
import type { EngineEvent } from '../event.js';
import { begin, eq, field } from '../pattern/builder.js';
import { type KeyState, slotsOf } from '../ruleset/key-state.js';
import { compileRuleSet, processKey } from '../ruleset/rule-set.js';
import type { RuleSetOutput } from '../ruleset/slot-state.js';
import { decodeKeyState, type EventCodec, encodeKeyState, ownLayout } from './key-state-codec.js';
import { encodedEvents, KeyStateVersionError } from './outline.js';

const is = (type: string) => eq(field('type'), type);
const HELD = {
  id: 'held',
  pattern: begin('A').where(is('a')).followedBy('B').where(is('b')).optional().skip({ strategy: 'toNext' }).build(),
};
const PLAIN = { id: 'plain', pattern: begin('A').where(is('a')).followedBy('C').where(is('c')).build() };
const rules = compileRuleSet([
  {
    id: 'any',
    pattern: begin('A').where(is('a')).followedByAny('B').where(is('b')).followedByAny('C').where(is('c')).build(),
  },
  {
    id: 'loop',
    pattern: begin('A').where(is('a')).oneOrMore().allowCombinations().followedBy('B').where(is('b')).build(),
  },
  HELD,
  PLAIN,
]);
const ROWS = events('a1 a2 b3 a4 b5 c6 a7 b8 c9');
const codec: EventCodec = {
  encode: (e) => new TextEncoder().encode(String(ROWS.indexOf(e))),
  decode: (bytes) => ROWS[Number(new TextDecoder().decode(bytes))]!,
};

function run(between: (state: KeyState | undefined) => KeyState | undefined): string[] {
  const found: string[] = [];
  const output: RuleSetOutput = { slot: 0, onMatch: (m) => void found.push(`${rules.ids[output.slot]} ${show(m)}`) };
  let state: KeyState | undefined;
  for (const event of ROWS) state = between(processKey(rules, state, event, output));
  return found;
}

const saved = (state: KeyState | undefined): KeyState | undefined =>
  state && decodeKeyState(encodeKeyState(state, rules, codec), rules, codec);

describe('key state as bytes', () => {
  it('gives the same matches when it is saved and loaded after every event', () => {
    const uninterrupted = run((state) => state);
    expect(uninterrupted.length).toBeGreaterThan(20);
    expect(run(saved)).toEqual(uninterrupted);
  });

  it('gives the same bytes again', () => {
    run((state) => {
      if (state) expect(encodeKeyState(saved(state)!, rules, codec)).toEqual(encodeKeyState(state, rules, codec));
      return state;
    });
  });

  it('writes an event once, however many runs hold it', () => {
    run((state) => {
      if (state) expect(encodedEvents(encodeKeyState(state, rules, codec)).length).toBeLessThanOrEqual(ROWS.length);
      return state;
    });
  });

  it('drops a rule that is gone and moves one that has another slot', () => {
    let state: KeyState | undefined;
    const output: RuleSetOutput = { slot: 0, onMatch: () => undefined };
    for (const event of ROWS.slice(0, 4)) state = processKey(rules, state, event, output);
    const fewer = compileRuleSet([PLAIN]);
    const moved = decodeKeyState(encodeKeyState(state!, rules, codec), fewer, codec, {
      ...ownLayout(rules),
      slot: (slot) => (slot === 3 ? 0 : undefined),
    })!;
    const { slots, states } = slotsOf(state!);
    expect(slotsOf(moved).slots).toEqual([0]);
    expect(slotsOf(moved).states[0]).toEqual(states[slots.indexOf(3)]);
  });

  it('refuses bytes of another version, and bytes that are not whole', () => {
    const event: EngineEvent = ROWS[0]!;
    const state = processKey(rules, undefined, event, { slot: 0, onMatch: () => undefined })!;
    const bytes = encodeKeyState(state, rules, codec);
    expect(() => decodeKeyState(Uint8Array.from([99, ...bytes.subarray(1)]), rules, codec)).toThrow(
      KeyStateVersionError,
    );
    expect(() => decodeKeyState(bytes.subarray(0, bytes.length - 3), rules, codec)).toThrow(RangeError);
  });
});
