import { dice } from '../../testing/dice.js';
import { ByteStore } from './byte-store.js';

/** Bytes that tell which value they are. */
function value(length: number, tag: number): Uint8Array {
  return new Uint8Array(length).fill((tag * 31 + length) & 0xff);
}

describe('a byte store', () => {
  it('keeps a copy of the bytes of each slot, of any length', () => {
    const store = new ByteStore();
    store.reserve(10);
    const lengths = [0, 1, 3, 4, 5, 100, 16_384, 1 << 20, 3_000_001];
    lengths.forEach((length, slot) => {
      const given = value(length, slot);
      store.put(slot, given);
      given.fill(0);
    });
    for (const [slot, length] of lengths.entries())
      expect(Buffer.compare(store.get(slot), value(length, slot))).toBe(0);
    expect(store.bytesHeld).toBe(lengths.reduce((sum, length) => sum + length, 0));
    expect(store.has(9)).toBe(false);
    expect(() => store.get(9)).toThrow(RangeError);
  });

  it('gives the memory of what was deleted back', () => {
    const store = new ByteStore();
    store.reserve(50_000);
    for (let slot = 0; slot < 50_000; slot++) store.put(slot, value(300, slot));
    for (let slot = 0; slot < 50_000; slot++) store.delete(slot);
    expect(store.bytesHeld).toBe(0);
    expect(store.bytesWasted).toBeLessThan(4 << 20);
  });

  it('keeps its waste bounded while values are replaced at random, and loses none', () => {
    const store = new ByteStore();
    const slots = 8000;
    store.reserve(slots);
    const random = dice(3);
    const tags = new Int32Array(slots).fill(-1);
    const lengths = new Int32Array(slots);
    let worst = 0;
    for (let i = 0; i < 100_000; i++) {
      const slot = random(slots);
      if (random(8) === 0) {
        store.delete(slot);
        tags[slot] = -1;
      } else {
        const length = 20 + random(3000);
        tags[slot] = i;
        lengths[slot] = length;
        store.put(slot, value(length, i));
      }
      if (i > 20_000) worst = Math.max(worst, store.bytesWasted / store.bytesHeld);
    }
    expect(worst).toBeLessThan(1);
    let held = 0;
    const wrong: number[] = [];
    for (let slot = 0; slot < slots; slot++) {
      const expected = tags[slot]! < 0 ? null : value(lengths[slot]!, tags[slot]!);
      held += expected?.length ?? 0;
      if (store.has(slot) !== (expected !== null)) wrong.push(slot);
      else if (expected !== null && Buffer.compare(store.get(slot), expected) !== 0) wrong.push(slot);
    }
    expect(wrong).toEqual([]);
    expect(store.bytesHeld).toBe(held);
  });
});
