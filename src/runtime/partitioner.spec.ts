import { murmur2, partitionOfKey } from './partitioner.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('murmur2', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as Kafka does', (key, hash) => {
    expect(murmur2(bytes(key))).toBe(hash);
  });

  it('gives a partition that exists, for keys of any length', () => {
    for (let length = 0; length < 64; length++) {
      const partition = partitionOfKey(new Uint8Array(length).fill(length), 5);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(5);
    }
  });
});
