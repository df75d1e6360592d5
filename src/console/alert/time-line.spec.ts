import type { AlertEvent } from '../api/types.js';
import { timeLine } from './time-line.js';

const step = (name: string, ...times: number[]) => ({
  step: name,
  events: times.map((eventTime) => ({ id: `${name}${eventTime}`, eventTime }) as AlertEvent),
});

describe('the time line of an alert', () => {
  it('has the events of each step in a lane, from the first to the last, and ticks that people count in', () => {
    const { events, ticks, from, to } = timeLine([step('a', 1_000), step('b', 61_000, 121_000)]);
    expect([from, to]).toEqual([1_000, 121_000]);
    expect(events.map(({ step, at }) => [step, at])).toEqual([
      [0, 0],
      [1, 0.5],
      [1, 1],
    ]);
    expect(ticks.map(({ ms }) => ms)).toEqual([0, 20_000, 40_000, 60_000, 80_000, 100_000, 120_000]);
  });

  it('tells which events lie on each other', () => {
    expect(timeLine([step('a', 0, 1, 2, 10_000)]).events.map(({ beside }) => beside)).toEqual([0, 1, 2, 0]);
  });

  it('has a place for a single event', () => {
    const { events, ticks } = timeLine([step('a', 5)]);
    expect([events[0]!.at, ticks]).toEqual([0.5, [{ at: 0.5, ms: 0 }]]);
  });
});
