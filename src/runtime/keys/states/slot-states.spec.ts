import { dice } from '../../testing/dice.js';
import { type Freezer, SlotStates } from './slot-states.js';

interface State {
  readonly text: string;
}

class CountingFreezer implements Freezer<State> {
  frozen = 0;
  thawed = 0;

  freeze(state: State): Uint8Array {
    this.frozen++;
    return new TextEncoder().encode(state.text);
  }

  thaw(bytes: Uint8Array): State {
    this.thawed++;
    return { text: new TextDecoder().decode(bytes) };
  }
}

function statesOf(hotMax: number, slots = 100): { states: SlotStates<State>; freezer: CountingFreezer } {
  const freezer = new CountingFreezer();
  const states = new SlotStates<State>(freezer, hotMax);
  states.reserve(slots);
  return { states, freezer };
}

describe('states by slot', () => {
  it('are bytes when there are too many to be objects, and objects again when they are asked for', () => {
    const { states, freezer } = statesOf(2);
    for (const slot of [1, 2, 3]) states.set(slot, { text: `state ${slot}` });
    expect([states.hotKeys, states.coldKeys, states.coldBytes]).toEqual([2, 1, 7]);
    expect([1, 2, 3].map((slot) => states.isCold(slot))).toEqual([true, false, false]);
    expect(states.peek(1)).toBeInstanceOf(Uint8Array);
    expect(states.get(1)).toEqual({ text: 'state 1' });
    expect(states.isCold(1)).toBe(false);
    expect([states.hotKeys, states.coldKeys]).toEqual([2, 1]);
    expect([freezer.frozen, freezer.thawed]).toEqual([2, 1]);
  });

  it('cost nothing to make cold again when they have not changed', () => {
    const { states, freezer } = statesOf(1);
    states.set(1, { text: 'one' });
    states.set(2, { text: 'two' });
    for (let i = 0; i < 10; i++) expect(states.get(1 + (i % 2))?.text).toBe(i % 2 === 0 ? 'one' : 'two');
    expect(freezer.frozen).toBe(2);
    states.set(2, { text: 'another' });
    expect(states.get(1)?.text).toBe('one');
    expect(freezer.frozen).toBe(3);
    expect(states.get(2)?.text).toBe('another');
  });

  it('can be set as bytes, which stay bytes until they are asked for, whatever was there before', () => {
    const { states, freezer } = statesOf(1);
    states.set(1, { text: 'hot' });
    for (const slot of [1, 2, 2, 3]) states.setCold(slot, new TextEncoder().encode(`given ${slot}`));
    expect([states.hotKeys, states.coldKeys, states.coldBytes]).toEqual([0, 3, 21]);
    expect(freezer.thawed).toBe(0);
    for (const slot of [1, 2, 3]) expect(states.get(slot)?.text).toBe(`given ${slot}`);
    expect([states.hotKeys, states.coldKeys]).toEqual([1, 2]);
    expect(freezer.frozen).toBe(0);
    for (const slot of [1, 2, 3]) states.delete(slot);
    expect([states.hotKeys, states.coldKeys, states.coldBytes]).toEqual([0, 0, 0]);
  });

  it('stay hot while they are used', () => {
    const { states, freezer } = statesOf(10);
    states.set(0, { text: 'used' });
    for (let slot = 1; slot < 100; slot++) {
      states.set(slot, { text: `${slot}` });
      expect(states.get(0)?.text).toBe('used');
    }
    expect(states.isCold(0)).toBe(false);
    expect(freezer.thawed).toBe(0);
  });

  it('all stay objects without a freezer', () => {
    const states = new SlotStates<State>(null, 1);
    states.reserve(100);
    for (let slot = 0; slot < 100; slot++) states.set(slot, { text: `${slot}` });
    expect([states.hotKeys, states.coldKeys]).toEqual([100, 0]);
  });

  it.each([1, 2, 7, 40, 1000])('agree with a Map when %i of them are hot', (hotMax) => {
    const { states } = statesOf(hotMax);
    const map = new Map<number, string>();
    const random = dice(hotMax);
    const wrong: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const slot = random(100);
      const action = random(5);
      if (action === 0) {
        states.delete(slot);
        map.delete(slot);
      } else if (action < 3) {
        states.set(slot, { text: `${i} ${'x'.repeat(random(50))}` });
        map.set(slot, states.get(slot)!.text);
      } else if (states.get(slot)?.text !== map.get(slot)) wrong.push(i);
      if (states.hotKeys + states.coldKeys !== map.size || states.hotKeys > hotMax) wrong.push(i);
    }
    expect(wrong).toEqual([]);
    for (let slot = 0; slot < 100; slot++) states.delete(slot);
    expect([states.hotKeys, states.coldKeys, states.coldBytes]).toEqual([0, 0, 0]);
  });

  it('weigh what they are said to: a heavy one takes the place of several, a few of them at a call', () => {
    const freezer = new CountingFreezer();
    const weights = new Map([[9, 8]]);
    const states = new SlotStates<State>(freezer, 10, (slot) => weights.get(slot) ?? 1);
    states.reserve(100);
    for (let slot = 20; slot < 30; slot++) states.set(slot, { text: `${slot}` });
    expect([states.hotKeys, freezer.frozen]).toEqual([10, 0]);
    states.set(9, { text: 'heavy' });
    expect([states.hotKeys, freezer.frozen]).toEqual([7, 4]);
    states.set(30, { text: '30' });
    expect([states.hotKeys, freezer.frozen]).toEqual([4, 8]);
    weights.set(30, 12);
    states.set(30, { text: 'heavier than all may be' });
    for (const slot of [9, 20, 30]) states.set(slot, { text: `again ${slot}` });
    expect(states.hotKeys).toBeLessThan(4);
    expect([9, 20, 29, 30].map((slot) => states.get(slot)!.text)).toEqual(['again 9', 'again 20', '29', 'again 30']);
  });
});
