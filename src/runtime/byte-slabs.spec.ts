import { ByteSlabs } from './byte-slabs.js';

describe('byte slabs', () => {
  const bytes = (length: number, first: number): Uint8Array =>
    Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);

  it('keep copies, whatever becomes of what was given and of those beside them', () => {
    const slabs = new ByteSlabs();
    const given = Array.from({ length: 3000 }, (_, i) => bytes((i * 37) % 900, i));
    const kept = given.map((one) => slabs.keep(one));
    const asGiven = given.map((one) => one.slice());
    for (const one of given) one.fill(0);
    expect(kept.map((one) => [...one])).toEqual(asGiven.map((one) => [...one]));
  });

  it('put small ones side by side, and none of them with a large one', () => {
    const slabs = new ByteSlabs();
    const [a, large, b] = [slabs.keep(bytes(10, 1)), slabs.keep(bytes(100_000, 2)), slabs.keep(bytes(20, 3))];
    expect(b.buffer).toBe(a.buffer);
    expect(large.buffer).not.toBe(a.buffer);
    expect(large.buffer.byteLength).toBe(100_000);
    expect([...large]).toEqual([...bytes(100_000, 2)]);
  });

  it('take another piece when one is full', () => {
    const slabs = new ByteSlabs();
    const kept = Array.from({ length: 100 }, (_, i) => slabs.keep(bytes(10_000, i)));
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(4);
    expect(kept.every((one, i) => one[0] === i && one[9999] === ((i + 9999) & 0xff))).toBe(true);
  });
});
