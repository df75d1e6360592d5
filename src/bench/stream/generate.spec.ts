import { createHash } from 'node:crypto';
import { BenchError } from '../bench-error.js';
import { generateRows } from './generate.js';
import { parseStream, shortened } from './spec.js';

function ndjsonDigest(stream: string): string {
  const hash = createHash('sha256');
  for (const row of generateRows(parseStream(stream))) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest('hex');
}

describe('the benchmark stream', () => {
  // The digests were made by the generators that the published figures of other engines were measured with.
  it.each([
    ['u5k/1000/100', 'cc7e53530dda29b8beff2171d33bf7467458b17695d99f06f2ec736e06168219'],
    ['z5k/1000/100', '38efd3247462a2d38f32e81371f106001a6ae7dfa0d2432549ea002796527b57'],
    ['u500/1000/50/100', '3ffa24ddd5d3a183c3f36f7ecd5209d8ccf85c3745494f2635a86e2da62757c9'],
    ['hot', 'e6ffd276f1e36e6565e0e0f70c195bd16d11c4e96184131916c47ccfa88051fa'],
  ])('%s is, byte for byte, what every engine is measured on', (stream, digest) => {
    expect(ndjsonDigest(stream)).toBe(digest);
  });

  it('takes other numbers after the name', () => {
    expect(parseStream('hot/20000/50/80')).toMatchObject({ events: 20_000, accounts: 50, rate: 80, skew: 1 });
    expect(parseStream('z5k')).toMatchObject({ events: 2_000_000, accounts: 100_000, rate: 5000, skew: 3 });
  });

  it.each(['u6k', '', 'u5k/0', 'u5k/1e3', 'u5k/1/2/3/4'])('refuses %p and names the streams', (text) => {
    expect(() => parseStream(text)).toThrow(BenchError);
    expect(() => parseStream(text)).toThrow('Streams are u5k, u500, z5k, hot');
  });

  it('is shortened with its accounts, so that an account keeps its number of events', () => {
    const short = shortened(parseStream('u5k'), 20_000);
    expect(short).toMatchObject({ name: 'u5k/20000/1000/5000', events: 20_000, accounts: 1000 });
    expect(shortened(short, 50_000)).toBe(short);
  });
});
