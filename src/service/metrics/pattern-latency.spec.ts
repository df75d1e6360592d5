import { PatternLatency } from './pattern-latency.js';

describe('latency of a pattern', () => {
  it('is what 99 in 100 of its newest alerts did not exceed', () => {
    const latency = new PatternLatency();
    expect(latency.p99('a')).toBe(null);
    latency.observe('a', 7);
    expect(latency.p99('a')).toBe(7);
    for (let ms = 1; ms <= 100; ms++) latency.observe('b', ms);
    expect(latency.p99('b')).toBe(99);
    // Those of before are forgotten.
    for (let n = 0; n < 1_000; n++) latency.observe('b', 5);
    expect([latency.p99('b'), [...latency.patterns]]).toEqual([5, ['a', 'b']]);
  });
});
