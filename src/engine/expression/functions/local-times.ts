import type { EngineFunction } from './function.js';
import { isZone, localTime, zoneNames } from './time-zone.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DAYS_PER_WEEK = 7;
/** The day 0, 1 January 1970, was a Thursday. */
const WEEKDAY_OF_DAY_0 = 4;

const ZONE_HINT = "Write a name such as 'Europe/Berlin', or an offset such as '+02:00'.";

/** Of a time in ms since 1970, on the clock of a zone of the IANA data; without a zone, of UTC. */
const ofTime = (
  name: string,
  result: 'number' | 'string',
  read: (local: number) => number | string,
): EngineFunction => ({
  name,
  params: ['number', 'string'],
  required: 1,
  result,
  apply: (time: number, zone?: string) => {
    const local = zone === undefined ? utc(time) : localTime(time, zone);
    return Number.isNaN(local) ? undefined : read(local);
  },
  check: ([, zone]) =>
    typeof zone !== 'string' || isZone(zone)
      ? undefined
      : { index: 1, message: `There is no time zone ${zone}.`, names: zoneNames(), hint: ZONE_HINT },
});

const utc = (time: number): number => (Math.abs(time) <= 8.64e15 ? time : Number.NaN);
const dayOf = (local: number): number => Math.floor(local / DAY_MS);
const msOfDay = (local: number): number => local - dayOf(local) * DAY_MS;
const isoDate = (local: number): string => new Date(local).toISOString().split('T')[0]!;

function weekday(local: number): number {
  const days = (dayOf(local) + WEEKDAY_OF_DAY_0 - 1) % DAYS_PER_WEEK;
  return (days < 0 ? days + DAYS_PER_WEEK : days) + 1;
}

export const timeFunctions: readonly EngineFunction[] = [
  ofTime('hour', 'number', (local) => Math.floor(msOfDay(local) / (60 * MINUTE_MS))),
  ofTime('minuteOfDay', 'number', (local) => Math.floor(msOfDay(local) / MINUTE_MS)),
  ofTime('weekday', 'number', weekday),
  ofTime('dayOfMonth', 'number', (local) => new Date(local).getUTCDate()),
  ofTime('month', 'number', (local) => new Date(local).getUTCMonth() + 1),
  ofTime('year', 'number', (local) => new Date(local).getUTCFullYear()),
  ofTime('dayNumber', 'number', dayOf),
  ofTime('date', 'string', isoDate),
];
