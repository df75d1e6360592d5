import { FUNCTIONS } from './functions.js';

type Value = number | string | boolean | undefined;

function apply(name: string, ...args: Value[]): Value {
  const value = FUNCTIONS.get(name)!.apply(...(args as never[]));
  return Number.isNaN(value) ? undefined : value;
}

const at = (text: string): number => Date.parse(text);

describe('functions of texts', () => {
  it.each<[string, readonly Value[], Value]>([
    ['trim', ['  a b '], 'a b'],
    ['substring', ['DE89370400', 0, 2], 'DE'],
    ['substring', ['DE89370400', 2], '89370400'],
    ['substring', ['DE', -1, 9], 'DE'],
    ['substring', ['DE', 5, 9], ''],
    ['matchesGlob', ['shop.example.com', '*.example.com'], true],
    ['matchesGlob', ['shop.example.org', '*.example.com'], false],
    ['matchesGlob', ['abc', 'a?c'], true],
    ['matchesGlob', ['abbbc', 'a*b?'], true],
    ['matchesGlob', ['', '*'], true],
    ['matchesGlob', ['', '?'], false],
    ['matchesGlob', ['a*b', 'a*b'], true],
    ['editDistance', ['kitten', 'sitting'], 3],
    ['editDistance', ['', 'abc'], 3],
    ['similarity', ['abcd', 'abcx'], 0.75],
    ['similarity', ['', ''], 1],
  ])('%s%j is %j', (name, args, expected) => {
    expect(apply(name, ...args)).toBe(expected);
  });

  it('compare long texts and long globs in bounded time', () => {
    const long = 'a'.repeat(100_000);
    expect(apply('editDistance', long, `b${long}`)).toBe(1);
    expect(apply('matchesGlob', long.slice(0, 10_000), `${'*a'.repeat(500)}b`)).toBe(false);
  });

  it('hash the same value to the same bucket in every release, and spread values evenly', () => {
    expect(['A1', 'A2', '', 'Zürich'].map((text) => apply('hash', text, 1000))).toEqual(HASHES);
    expect(apply('hash', 12, 1000)).toBe(apply('hash', '12', 1000));
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i++) counts[apply('hash', `account-${i}`, 10) as number]!++;
    expect(Math.min(...counts)).toBeGreaterThan(900);
    expect(Math.max(...counts)).toBeLessThan(1100);
    expect([apply('hash', 'A1', 0), apply('hash', 'A1', 2.5)]).toEqual([undefined, undefined]);
  });
});

const HASHES: readonly number[] = [33, 146, 923, 516];

describe('functions of numbers', () => {
  it.each<[string, readonly number[], Value]>([
    ['round', [2.5], 3],
    ['round', [-2.5], -3],
    ['round', [1.005, 2], 1.01],
    ['round', [1234.5678, 1], 1234.6],
    ['round', [1e300, 2], 1e300],
    ['round', [1, 1.5], undefined],
    ['sqrt', [9], 3],
    ['sqrt', [-1], undefined],
    ['log', [Math.E], 1],
    ['log10', [1000], 3],
    ['exp', [0], 1],
    ['pow', [2, 10], 1024],
    ['least', [3, 1, 2], 1],
    ['greatest', [3, 1, 2, 8], 8],
  ])('%s%j is %j', (name, args, expected) => {
    expect(apply(name, ...args)).toBe(expected);
  });
});

describe('functions of local time', () => {
  it.each<[string, string, string | undefined, Value]>([
    ['hour', '2026-01-05T23:30:00Z', undefined, 23],
    ['hour', '2026-01-05T23:30:00Z', 'Europe/Berlin', 0],
    ['hour', '2026-07-05T22:30:00Z', 'Europe/Berlin', 0],
    ['hour', '2026-01-05T23:30:00Z', '+05:30', 5],
    ['minuteOfDay', '2026-01-05T23:30:00Z', 'Asia/Kolkata', 300],
    ['weekday', '2026-01-05T12:00:00Z', undefined, 1],
    ['weekday', '2026-01-11T12:00:00Z', undefined, 7],
    ['weekday', '2026-01-11T23:30:00Z', 'Europe/Berlin', 1],
    ['weekday', '1969-12-28T12:00:00Z', undefined, 7],
    ['dayOfMonth', '2026-01-31T23:30:00Z', 'Europe/Berlin', 1],
    ['month', '2026-01-31T23:30:00Z', 'Europe/Berlin', 2],
    ['year', '2026-12-31T23:30:00Z', 'Europe/Berlin', 2027],
    ['dayNumber', '1970-01-02T00:00:00Z', undefined, 1],
    ['dayNumber', '1969-12-31T23:59:59Z', undefined, -1],
    ['date', '2026-01-31T23:30:00Z', 'Europe/Berlin', '2026-02-01'],
    ['hour', '2026-01-05T23:30:00Z', 'Mars/Olympus', undefined],
    // The clock is put on at 01:00 UTC, and back at 01:00 UTC.
    ['hour', '2026-03-29T00:59:59.999Z', 'Europe/Berlin', 1],
    ['hour', '2026-03-29T01:00:00Z', 'Europe/Berlin', 3],
    ['hour', '2026-10-25T00:59:59Z', 'Europe/Berlin', 2],
    ['hour', '2026-10-25T01:00:00Z', 'Europe/Berlin', 2],
    // A change at 14:30 UTC, in the middle of an hour.
    ['minuteOfDay', '2026-10-03T15:29:59Z', 'Australia/Lord_Howe', 119],
    ['minuteOfDay', '2026-10-03T15:30:00Z', 'Australia/Lord_Howe', 150],
    // Local mean time, with seconds.
    ['minuteOfDay', '1880-01-05T12:06:32Z', 'Europe/Berlin', 780],
  ])('%s of %s in %s is %j', (name, time, zone, expected) => {
    expect(apply(name, at(time), ...(zone === undefined ? [] : [zone]))).toBe(expected);
  });

  it('agree with the runtime for times near every change of a zone, asked in any order', () => {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'America/New_York',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    for (let day = 0; day < 366; day++) {
      const time = at('2026-12-31T03:00:00Z') - day * 86_400_000 + (day % 7) * 3_599_999;
      const [hour, minute] = format.format(time).split(':').map(Number);
      expect(apply('minuteOfDay', time, 'America/New_York')).toBe(hour! * 60 + minute!);
    }
  });

  it('are missing for a time that is none', () => {
    for (const zone of [[], ['Europe/Berlin']]) {
      expect(apply('hour', Number.POSITIVE_INFINITY, ...zone)).toBeUndefined();
      expect(apply('date', 9e15, ...zone)).toBeUndefined();
    }
  });
});

describe('functions of places', () => {
  it('give kilometres along a great circle', () => {
    expect(apply('distanceKm', 52.52, 13.405, 48.137, 11.575)).toBeCloseTo(504.4, 0);
    expect(apply('distanceKm', 0, 0, 0, 180)).toBeCloseTo(Math.PI * 6371.0088, 3);
    expect(apply('distanceKm', 0, 179.5, 0, -179.5)).toBeCloseTo(111.195, 2);
    expect(apply('distanceKm', 91, 0, 0, 0)).toBeUndefined();
  });

  it('give kilometres an hour, whichever comes first', () => {
    expect(apply('speedKmh', 0, 0, 0, 0, 1, 3_600_000)).toBeCloseTo(111.195, 2);
    expect(apply('speedKmh', 0, 0, 3_600_000, 0, 1, 0)).toBeCloseTo(111.195, 2);
    expect(apply('speedKmh', 0, 0, 5, 0, 0, 5)).toBe(0);
    expect(apply('speedKmh', 0, 0, 5, 0, 1, 5)).toBeCloseTo(111.195 * 3600, -1);
  });
});

describe('functions of addresses', () => {
  it.each<[string, string, Value]>([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.4', '10.1.2.3', false],
    ['192.168.1.127', '192.168.1.0/25', true],
    ['192.168.1.128', '192.168.1.0/25', false],
    ['8.8.8.8', '0.0.0.0/0', true],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:0:0/96', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['::1', '::/0', true],
    ['10.1.2', '10.0.0.0/8', undefined],
    ['10.1.2.256', '10.0.0.0/8', undefined],
    ['1:2:3:4:5:6:7', '::/0', undefined],
    ['1::2::3', '::/0', undefined],
    ['10.1.2.3', '10.0.0.0/33', undefined],
    ['10.1.2.3', 'ten', undefined],
  ])('%s in %s: %j', (ip, range, expected) => {
    expect(apply('ipIn', ip, range)).toBe(expected);
  });
});
