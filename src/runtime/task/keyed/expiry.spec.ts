import { ExpiryBuckets } from './expiry.js';

function buckets(slots = 10_000): ExpiryBuckets {
  const expiry = new ExpiryBuckets(100);
  expiry.reserve(slots);
  return expiry;
}

describe('expiry buckets', () => {
  it('look at a slot once, after its time', () => {
    const expiry = buckets();
    const seen: number[] = [];
    const sweep = (time: number) => expiry.sweep(time, (slot) => void seen.push(slot));
    expiry.add(7, 250);
    expiry.add(7, 900);
    expiry.add(8, Number.POSITIVE_INFINITY);
    sweep(250);
    expect(seen).toEqual([]);
    expect([expiry.has(7), expiry.has(8)]).toEqual([true, false]);
    sweep(300);
    sweep(5000);
    expect(seen).toEqual([7]);
    expect(expiry.has(7)).toBe(false);
  });

  it('let a slot be put in again while it is looked at', () => {
    const expiry = buckets();
    const seen: number[] = [];
    expiry.add(1, 10);
    expiry.add(2, 20);
    expiry.sweep(500, (slot) => {
      seen.push(slot);
      expiry.add(slot, 700);
    });
    expect(seen.sort()).toEqual([1, 2]);
    expiry.sweep(799, (slot) => void seen.push(slot));
    expect(seen.length).toBe(2);
    expiry.sweep(800, (slot) => void seen.push(slot));
    expect(seen.length).toBe(4);
  });

  it('do not look at everything at once, but keep up with what comes', () => {
    const expiry = buckets(300_000);
    for (let slot = 0; slot < 200_000; slot++) expiry.add(slot, slot % 1000);
    const seen = new Set<number>();
    const sweep = (time: number): number => {
      const before = seen.size;
      expiry.sweep(time, (slot) => void seen.add(slot));
      return seen.size - before;
    };
    sweep(2000);
    seen.clear();
    for (let slot = 200_000; slot < 210_000; slot++) expiry.add(slot, 3000);
    expect(sweep(4000)).toBeLessThanOrEqual(1024 + 20_000);
    for (let rounds = 0; rounds < 1000 && sweep(5000) > 0; rounds++) expect(seen.size).toBeLessThanOrEqual(300_000);
    expect([...seen].filter((slot) => slot >= 200_000).length).toBe(10_000);
  });
});
