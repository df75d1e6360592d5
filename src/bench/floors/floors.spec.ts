import { generateRows, type Row } from '../stream/generate.js';
import { parseStream } from '../stream/spec.js';
import { workloadOf } from '../workloads/catalogue.js';
import { BehindBuffer } from './behind-buffer.js';
import type { Floor } from './floor.js';

const sorted = (stream: string): readonly Row[] =>
  generateRows(parseStream(stream)).toSorted((a, b) => a.eventTime - b.eventTime);

function matchesOf(floor: Floor, rows: readonly Row[]): number {
  for (const row of rows) floor.take(row);
  floor.finish();
  return floor.matches;
}

describe('the floors', () => {
  // Counts on which several engines and a floor of somebody else's agree.
  it.each([
    ['W5', 'hot', 41_810],
    ['W5', 'hot/20000/100/40', 247_419],
    ['W5', 'hot/20000/100/80', 1_487_326],
    ['W6-100', 'u5k/40000/2000', 15_199],
  ])('%s finds on %s what is known: %d', (workload, stream, matches) => {
    expect(matchesOf(workloadOf(workload).floor(), sorted(stream))).toBe(matches);
    expect(workloadOf(workload).expected[stream]).toBe(matches);
  });

  it.each(['W1', 'W2', 'W3', 'W4'])('%s finds behind a reorder buffer what it finds in order', (workload) => {
    const stream = 'u5k/20000/1000';
    const { floor } = workloadOf(workload);
    const found = matchesOf(floor(), sorted(stream));
    expect(found).toBeGreaterThan(0);
    expect(matchesOf(new BehindBuffer(floor(), 5000), generateRows(parseStream(stream)))).toBe(found);
  });

  it('lets windows end: W1 finds fewer when events are further apart', () => {
    const drain = workloadOf('W1').floor;
    expect(matchesOf(drain(), sorted('u500/10000/500/1'))).toBeLessThan(matchesOf(drain(), sorted('u5k/10000/500')));
  });
});

describe('the reorder buffer', () => {
  const at = (eventTime: number): Row => ({
    id: `t${eventTime}`,
    accountId: 'A1',
    type: 'Payment',
    amount: 1,
    country: 'DE',
    deviceId: 'D1',
    merchantId: 'M1',
    eventTime,
  });

  it('lets rows out by time, also after gaps that are longer than it holds', () => {
    const times: number[] = [];
    const inner: Floor = { matches: 0, take: (row) => void times.push(row.eventTime), finish: () => undefined };
    const rows = [100, 90, 5000, 4000, 1_000_000, 999_000, 2_000_000].map(at);
    matchesOf(new BehindBuffer(inner, 5000), rows);
    expect(times).toEqual([90, 100, 4000, 5000, 999_000, 1_000_000, 2_000_000]);
  });
});
