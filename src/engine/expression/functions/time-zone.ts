/**
 * Offsets of time zones. They come from the IANA data that the JavaScript runtime brings along (`Intl`), so a condition on
 * local time is a function of its arguments and of the runtime's release: where a country changes its rules, a newer release
 * answers otherwise for times from then on. Nothing else of the machine is asked, its own zone and its locale least of all.
 *
 * Invariant: `offsetAt` gives what `Intl` says for the very millisecond. An offset is remembered for an hour of UTC only if it is the
 * same at both ends of that hour, for no zone has ever changed twice within one.
 */
const HOUR_MS = 3_600_000;
/** A year of hours and more, for each zone. */
const HOURS_MAX = 10_000;
const ZONES_MAX = 1000;
/** What `Date` can hold, less a day for the offset. */
const TIME_MAX = 8.64e15 - 86_400_000;

class Zone {
  private readonly offsets = new Map<number, number>();
  private lastHour = Number.NaN;
  private lastOffset = 0;

  constructor(private readonly format: Intl.DateTimeFormat) {}

  /** In ms, east of Greenwich positive; NaN for a time that is none. */
  offsetAt(time: number): number {
    const hour = Math.floor(time / HOUR_MS);
    if (hour === this.lastHour) return this.lastOffset;
    if (!(Math.abs(time) <= TIME_MAX)) return Number.NaN;
    const offset = this.offsets.get(hour) ?? this.ask(hour);
    if (Number.isNaN(offset)) return this.read(time);
    this.lastHour = hour;
    this.lastOffset = offset;
    return offset;
  }

  /** NaN: it changes within the hour. */
  private ask(hour: number): number {
    const atStart = this.read(hour * HOUR_MS);
    const offset = atStart === this.read((hour + 1) * HOUR_MS - 1) ? atStart : Number.NaN;
    if (this.offsets.size >= HOURS_MAX) this.offsets.clear();
    this.offsets.set(hour, offset);
    return offset;
  }

  private read(time: number): number {
    const text = this.format.formatToParts(time).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const form = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
    if (form === null) return Number.NaN;
    const [, sign, hours = 0, minutes = 0, seconds = 0] = form;
    const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -offset : offset;
  }
}

const zones = new Map<string, Zone | null>();

/** The time as if the clock of the zone were UTC's; NaN where there is no such time or zone. */
export function localTime(time: number, name: string): number {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = open(name);
    if (zones.size >= ZONES_MAX) zones.clear();
    zones.set(name, zone);
  }
  return zone === null ? Number.NaN : time + zone.offsetAt(time);
}

export const isZone = (name: string): boolean => open(name) !== null;

export const zoneNames = (): readonly string[] => ['UTC', ...Intl.supportedValuesOf('timeZone')];

function open(name: string): Zone | null {
  try {
    return new Zone(new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' }));
  } catch {
    return null;
  }
}
