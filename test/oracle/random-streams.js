import fc from 'fast-check';

const row = fc.record({
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
export const randomStream = fc
  .record({ rows: fc.array(row, { minLength: 1, maxLength: 14 }), endMs: fc.constantFrom(1000, 1000, 10, 0) })
  .map(({ rows, endMs }) => {
    const feeds = [];
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
