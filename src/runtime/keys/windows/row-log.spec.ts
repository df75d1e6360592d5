import { RowLog } from './row-log.js';

const VALUE = 1;

function push(log: RowLog, time: number, value: number): void {
  log.makeRoom();
  log.wordsOf(log.next)[log.placeOf(log.next) + VALUE] = value;
  log.push(time);
}

const valueAt = (log: RowLog, position: number): number => log.wordsOf(position)[log.placeOf(position) + VALUE]!;

describe('a log of rows', () => {
  it('has rows until they go, by position and in order, and uses no more memory than they need', () => {
    const log = new RowLog(2);
    const times: number[] = [];
    let first = 0;
    for (let i = 0; i < 20_000; i++) {
      times.push(1.7e12 + i * 3);
      push(log, times[i]!, i);
      if (log.rows > 2500) {
        log.shift();
        first++;
      }
      if (i % 7 !== 0) continue;
      expect([log.first, log.rows, log.oldest, log.newest]).toEqual([first, i + 1 - first, times[first], times[i]]);
      const some = first + ((i * 7919) % log.rows);
      expect([valueAt(log, some), log.timeOf(some)]).toEqual([some, times[some]]);
    }
    // Pieces of 1,024 rows, one of which has begun to go, one that has begun to come, and a spare one.
    expect(log.bytes).toBeLessThanOrEqual((Math.ceil(2500 / 1024) + 2) * 1024 * 2 * 4);
  });

  it('begins anew once all rows have gone', () => {
    const log = new RowLog(2);
    for (const start of [5000, 0, -7]) {
      for (let i = 0; i < 1024; i++) push(log, start + i, i);
      while (log.rows > 0) log.shift();
      expect(log.oldest).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('takes times that are whole, do not fall, and are not too far from each other', () => {
    const log = new RowLog(2);
    expect([log.takes(0.5), log.takes(-3), log.takes(1.7e12)]).toEqual([false, true, true]);
    push(log, 100, 0);
    const taken = [99, 100, 100.5, 101, 100 + 2 ** 32 - 1, 100 + 2 ** 32].map((time) => log.takes(time));
    expect(taken).toEqual([false, true, false, true, true, false]);
  });
});
