import { Pace } from './pace.js';

describe('the pace of a lane', () => {
  it.each([
    ['20 µs', 0.00002, 100],
    ['nothing to speak of', 0, 1000],
    ['10 ms', 0.01, 50],
  ])('is so many records in a go that none is long, where each takes %s', (_, seconds, records) => {
    const pace = new Pace(
      () => 0,
      async () => undefined,
    );
    for (let go = 0; go < 100; go++) pace.took(200, 200 * seconds);
    expect(Math.abs(pace.recordsMax() - records)).toBeLessThanOrEqual(1);
  });

  it('gives other work its turn every few milliseconds, not after each go', async () => {
    let [now, turns] = [100, 0];
    const pace = new Pace(
      () => now,
      async () => void turns++,
    );
    for (let go = 0; go < 100; go++) {
      now += 0.001;
      await pace.rest();
    }
    expect(turns).toBeGreaterThan(15);
    expect(turns).toBeLessThan(34);
  });
});
