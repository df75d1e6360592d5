import fc from 'fast-check';
import type { Feed, Stream } from '../matches.js';

/**
 * Random streams: at most 14 events of four types, ties in time, and times in between that are around the windows of the
 * patterns; now and then event time moves on without an event.
 */
interface Row {
  readonly afterMs: number;
  readonly type: string;
  readonly amount: number | null | undefined;
  readonly kind: string;
  /** Event time moves on so far before the event, on its own. */
  readonly pauseMs: number;
}

const row: fc.Arbitrary<Row> = fc.record({
  afterMs: fc.constantFrom(1, 0, 1, 2, 3, 5, 9, 10, 11),
  type: fc.constantFrom('a', 'b', 'c', 'd'),
  amount: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 0, max: 9 }) },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  kind: fc.constantFrom('tx', 'card', 'onlineCard', 'wire'),
  pauseMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 5, 10),
});

export const randomStream: fc.Arbitrary<Stream> = fc
  .record({ rows: fc.array(row, { minLength: 1, maxLength: 14 }), endMs: fc.constantFrom(1000, 1000, 10, 0) })
  .map(({ rows, endMs }) => {
    const feeds: Feed[] = [];
    let time = 1000;
    rows.forEach(({ afterMs, type, amount, kind, pauseMs }, seq) => {
      time += pauseMs;
      if (pauseMs > 0) feeds.push({ time });
      time += afterMs;
      const fields = { id: `${type}${seq}`, type, ...(amount === undefined ? {} : { amount }) };
      feeds.push({ time, event: { time, seq, kind, fields } });
    });
    feeds.push({ time: time + endMs });
    return feeds;
  });
