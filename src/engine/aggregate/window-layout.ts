import type { EngineEvent } from '../event.js';
import type { EventTest } from '../expression/event-test.js';
import type { FeatureFn } from '../expression/feature.js';
import { VALUE_MAX } from '../expression/scalar-code.js';
import { fieldName } from '../field-name.js';
import { addExactly, type Doubles, SUM_PLACES, sumAt } from './exact-sum.js';
import type { FeatureCell } from './feature-table.js';

/**
 * How a window lies in an array of doubles: rows of `stride` places, oldest first, then `totalPlaces` places of totals.
 *
 *     row      time   the value of each field   for each field, as its features ask: least, greatest (see `window.ts`, I4)
 *     totals   mid    for each field, as its features ask: sum (3 places), number of values
 *
 * A value that is no number, or beyond 10^290, is missing (NaN) and left out of everything.
 */
export interface Window {
  readonly kind: 'window';
  /** Canonical JSON of which events the window holds: `where` and `overMs`. */
  readonly events: string;
  /** JSON of `events` and of the names of the fields. */
  readonly id: string;
  readonly overMs: number;
  /** `null`: every event counts. */
  readonly test: EventTest | null;
  readonly stride: number;
  readonly totalPlaces: number;
  readonly fields: readonly FieldPlaces[];
  readonly hasExtremes: boolean;
  readonly cells: readonly WindowCell[];
}

/** A cell, and where its statistic comes from. */
export interface WindowCell {
  readonly cell: FeatureCell;
  readonly fn: FeatureFn;
  /** `null` for `count`. */
  readonly field: FieldPlaces | null;
}

/** Places of a field; 0: not kept. */
export interface FieldPlaces {
  readonly name: string;
  /** In a row. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** In the totals. */
  readonly sum: number;
  readonly present: number;
}

/** A window for features of one `where` and `overMs`, of which `events` is the canonical JSON. */
export function windowOf(events: string, cells: readonly FeatureCell[], test: EventTest | null): Window {
  const names = [...new Set(cells.flatMap(({ feature }) => feature.field ?? []))].sort().map(fieldName);
  const asked = (name: string, ...fns: FeatureFn[]): boolean =>
    cells.some(({ feature }) => feature.field === name && fns.includes(feature.fn));
  let stride = 1 + names.length;
  let totalPlaces = 1;
  const fields = names.map((name, i): FieldPlaces => {
    const min = asked(name, 'min') ? stride++ : 0;
    const max = asked(name, 'max') ? stride++ : 0;
    const sum = asked(name, 'sum', 'avg') ? totalPlaces : 0;
    if (sum > 0) totalPlaces += SUM_PLACES;
    const present = asked(name, 'avg') ? totalPlaces++ : 0;
    return { name, value: 1 + i, min, max, sum, present };
  });
  return {
    kind: 'window',
    events,
    id: `[${events},${JSON.stringify(names)}]`,
    overMs: cells[0]!.feature.overMs,
    test,
    stride,
    totalPlaces,
    fields,
    hasExtremes: stride > 1 + names.length,
    cells: cells.map((cell) => ({
      cell,
      fn: cell.feature.fn,
      field: fields.find((field) => field.name === cell.feature.field) ?? null,
    })),
  };
}

/** Adds the row at `at` to the totals that begin at `base` (`sign` 1), or takes it away (-1). */
export function tally(
  window: Window,
  totals: Doubles,
  base: number,
  rows: Readonly<Doubles>,
  at: number,
  sign: 1 | -1,
): void {
  const { fields } = window;
  for (let i = 0; i < fields.length; i++) {
    const { value, sum, present } = fields[i]!;
    const x = rows[at + value]!;
    if (Number.isNaN(x)) continue;
    if (sum > 0) addExactly(totals, base + sum, sign * x);
    if (present > 0) totals[base + present] = totals[base + present]! + sign;
  }
}

/** Writes time and values of a row. From left to right: an array that grows never has holes. */
export function writeRow(window: Window, rows: Doubles, at: number, event: EngineEvent): void {
  const { fields } = window;
  const { fields: values } = event;
  rows[at] = event.time;
  for (let i = 0; i < fields.length; i++) {
    const x = values[fields[i]!.name];
    // + 0: there is one zero, so that the least of two does not depend on their order.
    rows[at + 1 + i] = typeof x === 'number' && Math.abs(x) <= VALUE_MAX ? x + 0 : Number.NaN;
  }
}

/** Writes least and greatest of the row at `at`: of its values, and of what the row at `beside` says; -1: of its values alone. */
export function writeExtremes(window: Window, rows: Doubles, at: number, beside: number): void {
  const { fields } = window;
  for (let i = 0; i < fields.length; i++) {
    const { value, min, max } = fields[i]!;
    const x = rows[at + value]!;
    if (min > 0) rows[at + min] = beside < 0 ? x : least(rows[beside + min]!, x);
    if (max > 0) rows[at + max] = beside < 0 ? x : greatest(rows[beside + max]!, x);
  }
}

/** NaN counts as none. */
export const least = (a: number, b: number): number => (b < a || Number.isNaN(a) ? b : a);
export const greatest = (a: number, b: number): number => (b > a || Number.isNaN(a) ? b : a);

/** Writes what features are of which no event counts. */
export function writeEmpty(window: Window): void {
  for (const { cell, fn } of window.cells) cell.value = fn === 'count' || fn === 'sum' ? 0 : Number.NaN;
}

/** Writes the values of the cells of a window without extremes that has `count` rows, of totals that begin at `base`. */
export function writeTotals(window: Window, count: number, totals: Readonly<Doubles>, base: number): void {
  if (count === 0) {
    writeEmpty(window);
    return;
  }
  for (const { cell, fn, field } of window.cells) {
    if (field === null) cell.value = count;
    else if (fn === 'sum') cell.value = sumAt(totals, base + field.sum);
    else cell.value = sumAt(totals, base + field.sum) / totals[base + field.present]!;
  }
}
