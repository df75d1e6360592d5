import type { SettingsOverrides } from '../../runtime/settings/index.js';
import { someSettings } from '../testing/a-service.js';
import { inMainThread, laneCount } from './lane-count.js';

const brokers = { kafka: { brokers: ['b:9092'] } };
const kafka = (over: SettingsOverrides = {}) => someSettings({ ...brokers, ...over });
const topics = (...all: [name: string, partitions: number][]) => ({
  topics: async () => all.map(([name, partitions]) => ({ name, partitions })),
});
const several = (pattern: RegExp) => {
  const settings = kafka();
  const stream = { ...settings.streams.transactions!, topic: undefined, topics: { pattern } };
  return { ...settings, streams: { transactions: stream } };
};

describe('the number of lanes', () => {
  it.each([
    ['one for each core', kafka(), topics(['transactions', 12], ['alerts', 4]), 8, 8],
    ['at most one for each partition', kafka(), topics(['transactions', 3], ['alerts', 40]), 8, 3],
    ['by the partitions that a new topic will get', kafka(), topics(), 8, 4],
    ['as many as were asked for, whatever there is', kafka({ lanes: 6 }), topics(['transactions', 3]), 2, 6],
    ['over all topics that fit as a whole', several(/tx-\d/), topics(['tx-1', 2], ['tx-2', 3], ['my-tx-3', 9]), 8, 5],
    ['one for each core where topics are still to come', several(/tx-\d/), topics(), 8, 8],
  ])('is %s', async (_, settings, log, cores, expected) => {
    expect(await laneCount(settings, log, cores)).toBe(expected);
  });

  it('is none beside the main thread where that is asked for, and on the embedded log', () => {
    expect(inMainThread(kafka())).toBe(false);
    expect(inMainThread(kafka({ lanes: 0 }))).toBe(true);
    expect(inMainThread(someSettings({ lanes: 3 }))).toBe(true);
  });
});

describe('the settings', () => {
  it('reach a thread as they are', () => {
    const settings = { ...several(/tx-\d/i), ...kafka({ lanes: 2, start: '2026-01-01T00:00:00Z' }) };
    expect(structuredClone(settings)).toEqual(settings);
    expect(structuredClone(several(/tx-\d/i)).streams.transactions.topics).toEqual({ pattern: /tx-\d/i });
  });
});
