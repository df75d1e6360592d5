import type { EngineFunction } from './function.js';

/** Mean radius of the earth after the IUGG (R1), in km. */
const EARTH_RADIUS_KM = 6371.0088;
const MS_PER_HOUR = 3_600_000;
/** Times closer than this count as so far apart: many sources know full seconds only. */
const APART_MIN_MS = 1000;

const DEGREES = ['number', 'number', 'number', 'number'] as const;

export const placeFunctions: readonly EngineFunction[] = [
  { name: 'distanceKm', params: DEGREES, result: 'number', apply: distanceKm, check: checkDegrees([0, 1, 2, 3]) },
  {
    name: 'speedKmh',
    params: [...DEGREES, 'number', 'number'],
    result: 'number',
    apply: speedKmh,
    check: checkDegrees([0, 1, 3, 4]),
  },
];

/** Along a great circle of a sphere, by the haversine formula: wrong by 0.6 % at most. Degrees, north and east positive. */
function distanceKm(lat1: number, lon1: number, lat2: number, lon2: number): number | undefined {
  if (!isPlace(lat1, lon1) || !isPlace(lat2, lon2)) return undefined;
  const half = Math.PI / 360;
  const north = Math.sin((lat2 - lat1) * half);
  const east = Math.sin((lon2 - lon1) * half);
  const h = north * north + Math.cos(lat1 * 2 * half) * Math.cos(lat2 * 2 * half) * east * east;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Between two places and times (ms), whichever comes first. */
function speedKmh(lat1: number, lon1: number, t1: number, lat2: number, lon2: number, t2: number): number | undefined {
  const km = distanceKm(lat1, lon1, lat2, lon2);
  return km === undefined ? undefined : (km * MS_PER_HOUR) / Math.max(APART_MIN_MS, Math.abs(t2 - t1));
}

const isPlace = (lat: number, lon: number): boolean => Math.abs(lat) <= 90 && Math.abs(lon) <= 360;

/** `at`: where latitude and longitude stand, in turn. */
function checkDegrees(at: readonly number[]): NonNullable<EngineFunction['check']> {
  return (args) => {
    const index = at.find((place, i) => {
      const degrees = args[place];
      return typeof degrees === 'number' && Math.abs(degrees) > (i % 2 === 0 ? 90 : 360);
    });
    if (index === undefined) return undefined;
    return { index, message: `There is no place at ${args[index]} degrees.`, hint: 'The latitude comes first.' };
  };
}
