import { isInCanary } from './canary.js';

const KEYS = Array.from({ length: 10_000 }, (_, i) => `acc-${i}`);
const chosen = (id: string, canary: number | undefined) =>
  KEYS.filter((key) => isInCanary(canary === undefined ? { id } : { id, canary }, key));

describe('a canary', () => {
  it('is about so many percent of the keys, and all where none are named', () => {
    expect(chosen('a', undefined)).toHaveLength(KEYS.length);
    for (const percent of [1, 10, 50]) {
      const share = (100 * chosen('a', percent).length) / KEYS.length;
      expect(Math.abs(share - percent)).toBeLessThan(percent / 4);
    }
  });

  it('grows: the keys of ten percent are among those of twenty; those of another rule are others', () => {
    const twenty = new Set(chosen('a', 20));
    expect(chosen('a', 10).every((key) => twenty.has(key))).toBe(true);
    expect(chosen('b', 20).some((key) => !twenty.has(key))).toBe(true);
  });
});
