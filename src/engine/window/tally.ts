import { addExactly, addToPair, SUM_PLACES, sumAt } from '../aggregate/exact-sum.js';
import { quantileOf } from '../aggregate/sorted-column.js';
import { addToSpread, deviationAt, SPREAD_PLACES, spreads } from '../aggregate/spread.js';
import type { EngineEvent } from '../event.js';
import type { EventTest } from '../expression/event-test.js';
import type { Scalar } from '../expression/expression.js';
import { numberCode } from '../expression/scalar-code.js';
import { fieldName } from '../field-name.js';
import type { WindowAggregate, WindowFn } from '../pattern/window.js';
import { addValue, NO_VALUES, type Values, valuesIn } from './values.js';

/** An aggregate, and where a tally keeps what it needs of it. */
export interface Aggregate {
  readonly name: string;
  readonly fn: WindowFn;
  readonly field: string;
  readonly q: number;
  /** `null`: all events of the window count. */
  readonly test: EventTest | null;
  /** Place in the numbers, scalars or values of a tally, by `fn`. */
  readonly at: number;
}

/** How tallies are laid out. */
export interface Tallying {
  readonly aggregates: readonly Aggregate[];
  /** The tally of no event. */
  readonly empty: Tally;
}

/**
 * What is known of some events of a window for its aggregates. It never changes; events are added in order of time. Sums are exact
 * (`exact-sum.ts`), so that a tally depends neither on how it was put together nor on when it was saved.
 */
export interface Tally {
  readonly numbers: readonly number[];
  /** Of `first` and `last`; `null`: missing. */
  readonly scalars: readonly (Scalar | null)[];
  /** Of `distinct`, `median` and `quantile`. */
  readonly values: readonly Values[];
}

const PLACES: Readonly<Partial<Record<WindowFn, number>>> = {
  ...{ count: 1, sum: SUM_PLACES, avg: SUM_PLACES + 1, stddev: SPREAD_PLACES + 1, min: 1, max: 1 },
};
const isScalarFn = (fn: WindowFn): boolean => fn === 'first' || fn === 'last';
const isValuesFn = (fn: WindowFn): boolean => PLACES[fn] === undefined && !isScalarFn(fn);

export function tallyingOf(
  aggregates: readonly WindowAggregate[],
  testOf: (aggregate: WindowAggregate) => EventTest | null,
): Tallying {
  const numbers: number[] = [];
  let [scalars, values] = [0, 0];
  const placed = aggregates.map((aggregate): Aggregate => {
    const { name, fn, field = '', q = 0.5 } = aggregate;
    let at = numbers.length;
    if (isScalarFn(fn)) at = scalars++;
    else if (isValuesFn(fn)) at = values++;
    else for (let i = 0; i < PLACES[fn]!; i++) numbers.push(fn === 'min' || fn === 'max' ? Number.NaN : 0);
    return { ...{ name, fn, field: fieldName(field), q, at }, test: testOf(aggregate) };
  });
  const empty: Tally = {
    numbers,
    scalars: Array.from({ length: scalars }, () => null),
    values: Array.from({ length: values }, () => NO_VALUES),
  };
  return { aggregates: placed, empty };
}

/** The tally with one more event. */
export function addToTally({ aggregates }: Tallying, tally: Tally, event: EngineEvent): Tally {
  const numbers = tally.numbers.slice();
  let { scalars, values } = tally;
  for (let i = 0; i < aggregates.length; i++) {
    const aggregate = aggregates[i]!;
    const { fn, at, test } = aggregate;
    if (test !== null && !test(event, event.fields)) continue;
    const raw = event.fields[aggregate.field];
    if (isScalarFn(fn)) scalars = withScalar(scalars, aggregate, scalarOrNull(raw));
    else if (isValuesFn(fn)) {
      const value = fn === 'distinct' ? scalarOrNull(raw) : numberOrNull(raw);
      if (value !== null) values = values.with(at, addValue(values[at]!, value, fn === 'distinct'));
    } else addNumber(fn, numbers, at, fn === 'count' ? 1 : numberCode(raw));
  }
  return { numbers, scalars, values };
}

/** The tally of the events of one tally, and then of those of another, which came later. */
export function mergeTallies({ aggregates }: Tallying, tally: Tally, later: Tally): Tally {
  const numbers = tally.numbers.slice();
  let { scalars, values } = tally;
  for (const aggregate of aggregates) {
    const { fn, at } = aggregate;
    if (isScalarFn(fn)) scalars = withScalar(scalars, aggregate, later.scalars[at]!);
    else if (isValuesFn(fn)) {
      let all = values[at]!;
      for (const value of valuesIn(later.values[at]!)) all = addValue(all, value, fn === 'distinct');
      values = values.with(at, all);
    } else mergeNumbers(fn, numbers, at, later.numbers);
  }
  return { numbers, scalars, values };
}

function addNumber(fn: WindowFn, numbers: number[], at: number, x: number): void {
  if (Number.isNaN(x)) return;
  if (fn === 'count') numbers[at]!++;
  else if (fn === 'min' || fn === 'max') numbers[at] = extreme(fn, numbers[at]!, x);
  else if (fn === 'stddev') {
    if (!spreads(x)) return;
    addToSpread(numbers, at, x, 1);
    numbers[at + SPREAD_PLACES]!++;
  } else {
    addExactly(numbers, at, x);
    if (fn === 'avg') numbers[at + SUM_PLACES]!++;
  }
}

function mergeNumbers(fn: WindowFn, numbers: number[], at: number, later: readonly number[]): void {
  const add = (place: number): void => {
    numbers[at + place] = numbers[at + place]! + later[at + place]!;
  };
  const addPair = (place: number): void => {
    addToPair(numbers, at + place, later[at + place]!);
    addToPair(numbers, at + place, later[at + place + 1]!);
  };
  if (fn === 'min' || fn === 'max') {
    if (!Number.isNaN(later[at]!)) numbers[at] = extreme(fn, numbers[at]!, later[at]!);
    return;
  }
  if (fn === 'stddev') {
    addPair(0);
    addPair(2);
    add(SPREAD_PLACES);
    return;
  }
  // Of a count, and of a sum its hundredths.
  add(0);
  if (fn !== 'count') addPair(1);
  if (fn === 'avg') add(SUM_PLACES);
}

const extreme = (fn: WindowFn, known: number, x: number): number =>
  Number.isNaN(known) ? x : fn === 'min' ? Math.min(known, x) : Math.max(known, x);

function withScalar(scalars: Tally['scalars'], { fn, at }: Aggregate, value: Scalar | null): Tally['scalars'] {
  if (value === null || (fn === 'first' && scalars[at] !== null)) return scalars;
  return scalars.with(at, value);
}

/** Value of an aggregate; `null`: missing. */
export function aggregateOf({ fn, at, q }: Aggregate, { numbers, scalars, values }: Tally): Scalar | null {
  if (isScalarFn(fn)) return scalars[at]!;
  if (fn === 'distinct') return values[at]!.length;
  const value = isValuesFn(fn) ? quantile(values[at]!, q) : numberOf(fn, numbers, at);
  return Number.isNaN(value) ? null : value;
}

function numberOf(fn: WindowFn, numbers: readonly number[], at: number): number {
  if (fn === 'sum') return sumAt(numbers as number[], at);
  if (fn === 'avg') return sumAt(numbers as number[], at) / numbers[at + SUM_PLACES]!;
  if (fn === 'stddev') return deviationAt(numbers as number[], at, numbers[at + SPREAD_PLACES]!);
  return numbers[at]!;
}

function quantile(values: Values, q: number): number {
  const sorted = Float64Array.from(valuesIn(values) as readonly number[]).sort();
  return quantileOf(sorted, 0, sorted.length, sorted.length, q);
}

function scalarOrNull(value: unknown): Scalar | null {
  return typeof value === 'string' || typeof value === 'boolean' ? value : numberOrNull(value);
}

function numberOrNull(value: unknown): number | null {
  const number = numberCode(value);
  return Number.isNaN(number) ? null : number;
}
