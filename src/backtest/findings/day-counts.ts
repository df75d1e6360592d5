/** The values of a day that is over, by their place among all values, and how often each came. */
interface Closed {
  readonly places: Uint32Array;
  readonly counts: Uint32Array;
}

/** What `DayCounts` have counted; it can be sent between threads. */
export interface DayCountsData {
  readonly days: readonly (readonly [number, Closed])[];
  readonly values: readonly unknown[];
}

/**
 * How often each value occurs on each day. Events come almost in order, so the day of the event before is counted in a map, and the
 * others are rows of numbers: a year of five thousand cards takes some 15 MB.
 */
export class DayCounts {
  private readonly closed = new Map<number, Closed>();
  private readonly values: unknown[] = [];
  private readonly placeOf = new Map<unknown, number>();
  private day = Number.NaN;
  private open = new Map<number, number>();

  add(day: number, value: unknown, times = 1): void {
    if (day !== this.day) this.turnTo(day);
    let place = this.placeOf.get(value);
    if (place === undefined) {
      place = this.values.push(value) - 1;
      this.placeOf.set(value, place);
    }
    this.open.set(place, (this.open.get(place) ?? 0) + times);
  }

  days(): number[] {
    const open = Number.isNaN(this.day) ? [] : [this.day];
    return [...this.closed.keys(), ...open].sort((a, b) => a - b);
  }

  /** The values of a day, as text. */
  of(day: number): (readonly [string, number])[] {
    const counts = day === this.day ? this.open : opened(this.closed.get(day));
    return [...counts].map(([place, count]) => [String(this.values[place] ?? ''), count] as const);
  }

  /** How often all values together occur on a day. */
  total(day: number): number {
    const counts = day === this.day ? this.open.values() : (this.closed.get(day)?.counts ?? []);
    let sum = 0;
    for (const count of counts) sum += count;
    return sum;
  }

  data(): DayCountsData {
    this.turnTo(Number.NaN);
    return { days: [...this.closed], values: this.values };
  }

  /** Counts what was counted elsewhere as well. */
  merge({ days, values }: DayCountsData): void {
    if (this.values.length === 0) {
      for (const value of values) this.placeOf.set(value, this.values.push(value) - 1);
      for (const [day, counts] of days) this.closed.set(day, counts);
      return;
    }
    for (const [day, { places, counts }] of days) {
      for (let i = 0; i < places.length; i++) this.add(day, values[places[i]!], counts[i]!);
    }
  }

  private turnTo(day: number): void {
    if (!Number.isNaN(this.day)) {
      const places = Uint32Array.from(this.open.keys());
      this.closed.set(this.day, { places, counts: Uint32Array.from(this.open.values()) });
    }
    this.day = day;
    this.open = opened(this.closed.get(day));
    this.closed.delete(day);
  }
}

const opened = (day: Closed | undefined): Map<number, number> =>
  new Map(day === undefined ? [] : Array.from(day.places, (place, i) => [place, day.counts[i]!]));
