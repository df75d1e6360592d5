import type { EventTest } from '../expression/event-test.js';
import type { Feature } from '../expression/expression.js';
import type { FeatureFn } from '../expression/feature.js';
import { isNumberCode } from '../expression/scalar-code.js';
import { fieldName } from '../field-name.js';
import { addExactly, type Doubles, SUM_PLACES, sumAt } from './exact-sum.js';
import type { FeatureCell } from './feature-table.js';
import { addToSpread, deviationAt, SPREAD_PLACES, spreads } from './spread.js';

/**
 * The events of one condition, kept once for all features over them: each different `overMs` and `lagMs` is a *view*, a stretch
 * of the rows. How a timeline lies in an array of doubles is told where it does (`timeline-ring.ts`).
 */
export interface Timeline {
  readonly kind: 'timeline';
  /** Canonical JSON of which events it holds. */
  readonly events: string;
  /** JSON of `events`, of the names of the fields, and of the views with their features. */
  readonly id: string;
  /** `null`: every event counts. */
  readonly test: EventTest | null;
  /** How long an event is kept, in ms: until it has left the view that reaches farthest back. */
  readonly horizonMs: number;
  /** Places of a row: time, codes of fields (`scalar-code.ts`), and extremes. */
  readonly stride: number;
  /** Places of the totals of all views. */
  readonly totalPlaces: number;
  /** A field's code stands in a row at its place here plus one. */
  readonly fields: readonly TimelineField[];
  /** Whether fields can hold texts. */
  readonly hasTexts: boolean;
  readonly views: readonly View[];
  /** Columns of sorted codes. */
  readonly orders: number;
}

export interface TimelineField {
  readonly name: string;
  /** Whether it is kept whatever it is; else only numbers are. */
  readonly isAny: boolean;
}

/** A window over the rows of a timeline. */
export interface View {
  /** Its place among the views. */
  readonly number: number;
  readonly overMs: number;
  readonly lagMs: number;
  readonly uses: readonly FieldUse[];
  readonly cells: readonly ViewCell[];
  readonly hasExtremes: boolean;
  /** Its own among the totals: from the first up to the second. */
  readonly totalsFrom: number;
  readonly totalsTo: number;
}

/** What a view keeps of a field: places, -1 for what it does not. */
export interface FieldUse {
  readonly field: number;
  /** In a row. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** Among the totals. */
  readonly sum: number;
  readonly spread: number;
  /** Number of values that are in the spread. */
  readonly spreadCount: number;
  /** Number of numbers. */
  readonly numbers: number;
  /** Number of sorted codes, and of different ones. */
  readonly ordered: number;
  readonly different: number;
  /** Number of the column of sorted codes. */
  readonly order: number;
}

export interface ViewCell {
  readonly cell: FeatureCell;
  readonly fn: FeatureFn;
  /** `null` for `count` and `since`. */
  readonly use: FieldUse | null;
  /** For `median` and `quantile`. */
  readonly q: number;
}

const ANY: readonly FeatureFn[] = ['distinct', 'first', 'last'];
const ORDERED: readonly FeatureFn[] = ['distinct', 'median', 'quantile'];
const PLAIN: readonly FeatureFn[] = ['count', 'sum', 'avg', 'min', 'max'];

/** Whether features over the same events need no timeline: one window that ends with the event is all they ask for. */
export const isOneWindow = (features: readonly Feature[]): boolean =>
  features.every(
    ({ fn, overMs, lagMs }) => PLAIN.includes(fn) && lagMs === undefined && overMs === features[0]!.overMs,
  );

/** Gives out places one after the other. */
class Places {
  constructor(public next: number) {}

  take(count: number): number {
    this.next += count;
    return this.next - count;
  }
}

/** A timeline for features of one `where`, of which `events` is the canonical JSON. */
export function timelineOf(events: string, cells: readonly FeatureCell[], test: EventTest | null): Timeline {
  const fields = fieldsOf(cells);
  const row = new Places(1 + fields.length);
  const totals = new Places(0);
  const orders = new Places(0);
  const views = viewsOf(cells).map((group, number) => viewOf(group, number, fields, { row, totals, orders }));
  const shapes = views.map(({ overMs, lagMs, cells }) => [overMs, lagMs, ...cells.map(({ cell }) => cell.id).sort()]);
  return {
    kind: 'timeline',
    events,
    id: JSON.stringify([JSON.parse(events), fields.map(({ name }) => name), shapes]),
    test,
    horizonMs: views.reduce((longest, { overMs, lagMs }) => Math.max(longest, overMs + lagMs), 0),
    stride: row.next,
    totalPlaces: totals.next,
    fields,
    hasTexts: fields.some(({ isAny }) => isAny),
    views,
    orders: orders.next,
  };
}

function fieldsOf(cells: readonly FeatureCell[]): readonly TimelineField[] {
  const names = [...new Set(cells.flatMap(({ feature }) => feature.field ?? []))].sort().map(fieldName);
  return names.map((name) => ({
    name,
    isAny: cells.some(({ feature }) => feature.field === name && ANY.includes(feature.fn)),
  }));
}

/** Cells by view, in order of the views. */
function viewsOf(cells: readonly FeatureCell[]): readonly (readonly FeatureCell[])[] {
  const views = new Map<string, FeatureCell[]>();
  for (const cell of cells) {
    const key = `${cell.feature.overMs} ${cell.feature.lagMs ?? 0}`;
    views.set(key, [...(views.get(key) ?? []), cell]);
  }
  const order = ([a]: readonly FeatureCell[], [b]: readonly FeatureCell[]): number =>
    a!.feature.overMs - b!.feature.overMs || (a!.feature.lagMs ?? 0) - (b!.feature.lagMs ?? 0);
  return [...views.values()].sort(order);
}

interface AllPlaces {
  readonly row: Places;
  readonly totals: Places;
  readonly orders: Places;
}

function viewOf(
  cells: readonly FeatureCell[],
  number: number,
  fields: readonly TimelineField[],
  places: AllPlaces,
): View {
  const { overMs, lagMs = 0 } = cells[0]!.feature;
  const totalsFrom = places.totals.next;
  const uses = fields.flatMap(({ name }, field) => {
    const fns = new Set(cells.filter(({ feature }) => feature.field === name).map(({ feature }) => feature.fn));
    return fns.size === 0 ? [] : [useOf(field, fns, places)];
  });
  return {
    number,
    overMs,
    lagMs,
    uses,
    cells: cells.map((cell) => viewCell(cell, fields, uses)),
    hasExtremes: uses.some(({ min, max }) => min >= 0 || max >= 0),
    totalsFrom,
    totalsTo: places.totals.next,
  };
}

function useOf(field: number, fns: ReadonlySet<FeatureFn>, { row, totals, orders }: AllPlaces): FieldUse {
  const any = (...wanted: FeatureFn[]): boolean => wanted.some((fn) => fns.has(fn));
  const isOrdered = any(...ORDERED);
  return {
    field,
    value: 1 + field,
    min: any('min') ? row.take(1) : -1,
    max: any('max') ? row.take(1) : -1,
    sum: any('sum', 'avg') ? totals.take(SUM_PLACES) : -1,
    spread: any('stddev') ? totals.take(SPREAD_PLACES) : -1,
    spreadCount: any('stddev') ? totals.take(1) : -1,
    numbers: any('avg', 'median', 'quantile') ? totals.take(1) : -1,
    ordered: isOrdered ? totals.take(1) : -1,
    different: any('distinct') ? totals.take(1) : -1,
    order: isOrdered ? orders.take(1) : -1,
  };
}

const viewCell = (cell: FeatureCell, fields: readonly TimelineField[], uses: readonly FieldUse[]): ViewCell => ({
  cell,
  fn: cell.feature.fn,
  use: uses.find(({ field }) => fields[field]!.name === cell.feature.field) ?? null,
  q: cell.feature.q ?? 0.5,
});

/** Adds a value to the totals that begin at `base` (`sign` 1), or takes it away (-1); those of sorted codes apart. */
export function tallyUse(use: FieldUse, totals: Doubles, base: number, x: number, sign: 1 | -1): void {
  if (!isNumberCode(x)) return;
  if (use.sum >= 0) addExactly(totals, base + use.sum, sign * x);
  if (use.numbers >= 0) totals[base + use.numbers] = totals[base + use.numbers]! + sign;
  if (use.spread < 0 || !spreads(x)) return;
  addToSpread(totals, base + use.spread, x, sign);
  totals[base + use.spreadCount] = totals[base + use.spreadCount]! + sign;
}

/** The value of a cell that follows from totals alone. */
export function fromTotals(fn: FeatureFn, use: FieldUse, totals: Readonly<Doubles>, base: number): number {
  switch (fn) {
    case 'sum':
      return sumAt(totals, base + use.sum);
    case 'avg':
      return sumAt(totals, base + use.sum) / totals[base + use.numbers]!;
    case 'stddev':
      return deviationAt(totals, base + use.spread, totals[base + use.spreadCount]!);
    case 'distinct':
      return totals[base + use.different]!;
    default:
      return Number.NaN;
  }
}

/** What a feature is of which no event counts. */
export const emptyValue = (fn: FeatureFn): number =>
  fn === 'count' || fn === 'sum' || fn === 'distinct' ? 0 : Number.NaN;
