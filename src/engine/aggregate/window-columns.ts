import { addExactly } from './exact-sum.js';
import type { FeatureFn } from './feature.js';

/**
 * How a window's entries lie in an array of doubles, one after another, each of `stride` places:
 *
 *     time   the value of each field   for each field totals, as its features ask for: sum (2 places), present, min, max
 *
 * A value that is no finite number is missing (NaN) and is left out of all totals.
 */
export interface FieldColumns {
  readonly name: string;
  /** Place of the value inside an entry. */
  readonly value: number;
  /** Places of the totals inside an entry; 0: not kept. */
  readonly sum: number;
  readonly present: number;
  readonly min: number;
  readonly max: number;
}

export interface WindowLayout {
  readonly stride: number;
  readonly fields: readonly FieldColumns[];
}

/** `fns`: the statistics that are asked for, by field. */
export function layoutOf(fns: ReadonlyMap<string, ReadonlySet<FeatureFn>>): WindowLayout {
  let stride = 1;
  const take = (places: number): number => {
    stride += places;
    return stride - places;
  };
  // Entries are written from left to right, so that the array never has holes.
  const values = [...fns].map(([name, asked]) => ({ name, asked, value: take(1) }));
  const fields = values.map(({ name, asked, value }) => ({
    name,
    value,
    sum: asked.has('sum') || asked.has('avg') ? take(2) : 0,
    present: asked.has('avg') ? take(1) : 0,
    min: asked.has('min') ? take(1) : 0,
    max: asked.has('max') ? take(1) : 0,
  }));
  return { stride, fields };
}

/** Writes the totals of the entry at `at`: its values, added to the totals of the entry at `before`. */
export function accumulate(layout: WindowLayout, entries: number[], at: number, before: number): void {
  const { fields } = layout;
  for (let i = 0; i < fields.length; i++) {
    const { value, sum, present, min, max } = fields[i]!;
    const x = entries[at + value]!;
    const missing = Number.isNaN(x);
    if (sum > 0) addExactly(entries, before + sum, at + sum, missing ? 0 : x);
    if (present > 0) entries[at + present] = entries[before + present]! + (missing ? 0 : 1);
    if (min > 0) entries[at + min] = least(entries[before + min]!, x);
    if (max > 0) entries[at + max] = greatest(entries[before + max]!, x);
  }
}

/** Writes the totals of the entry at `at`: those of its own values alone. */
export function begin(layout: WindowLayout, entries: number[], at: number): void {
  const { fields } = layout;
  for (let i = 0; i < fields.length; i++) {
    const { value, sum, present, min, max } = fields[i]!;
    const x = entries[at + value]!;
    const missing = Number.isNaN(x);
    if (sum > 0) {
      entries[at + sum] = missing ? 0 : x;
      entries[at + sum + 1] = 0;
    }
    if (present > 0) entries[at + present] = missing ? 0 : 1;
    if (min > 0) entries[at + min] = x;
    if (max > 0) entries[at + max] = x;
  }
}

/** NaN counts as none. */
export const least = (a: number, b: number): number => (b < a || Number.isNaN(a) ? b : a);
export const greatest = (a: number, b: number): number => (b > a || Number.isNaN(a) ? b : a);
