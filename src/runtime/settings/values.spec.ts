import { parseBytes, parseDuration, parseTimestamp, parseTopicPattern } from './values.js';

it.each([
  ['250ms', 250],
  ['10s', 10_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['7d', 604_800_000],
  [0, 0],
  ['10', undefined],
  [10, undefined],
  ['', undefined],
  ['-1s', undefined],
  ['1 s', undefined],
])('duration %p is %p ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

it.each([
  ['64KiB', 65_536],
  ['10MB', 10_000_000],
  ['1.5GiB', 1_610_612_736],
  ['512b', 512],
  ['10', undefined],
  ['MB', undefined],
])('size %p is %p bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

it.each([
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2026-01-31T10:00', Date.UTC(2026, 0, 31, 10)],
  ['2026-01-31T10:00:00+02:00', Date.UTC(2026, 0, 31, 8)],
  ['2026-13-31', undefined],
  ['yesterday', undefined],
])('time %p is %p', (text, ms) => expect(parseTimestamp(text)).toBe(ms));

it('takes a topic pattern between slashes, for the whole name', () => {
  expect(parseTopicPattern('/a.+/')?.test('abc')).toBe(true);
  expect(parseTopicPattern('/a.+/')?.test('xabc')).toBe(false);
  expect(parseTopicPattern('a.+')).toBeUndefined();
  expect(parseTopicPattern('/a(/')).toBeUndefined();
});
