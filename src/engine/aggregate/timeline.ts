import type { EngineEvent } from '../event.js';
import type { Scalar } from '../expression/expression.js';
import { booleanCode, loneText, numberCode } from '../expression/scalar-code.js';
import type { FeatureCell } from './feature-table.js';
import { quantileOf } from './sorted-column.js';
import { emptyValue, fromTotals, type Timeline, tallyUse, type View, type ViewCell } from './timeline-layout.js';
import type { LineMarks } from './timeline-ring.js';

/** A place of a row: time, or the value of a field; NaN: missing. */
export type Raw = Scalar;

/**
 * The events that a timeline holds for one key, as a value: for those who embed the engine. Rows are those at `from` up to `to`, of
 * which there is at least one, each of time and fields. No row ever changes; the newest state, at whose `to` the array ends,
 * is followed by others in the same array. Nothing else is kept: what is read is made of the rows, each time.
 */
export class TimelineState {
  constructor(
    readonly rows: Raw[],
    readonly from: number,
    readonly to: number,
    /** What a ring held that does not follow from rows: for the ring that goes on with them. */
    readonly marks: LineMarks | null = null,
  ) {}
}

export const lineColumns = (line: Timeline): number => 1 + line.fields.length;

/** The timeline with one more event, without what is then older than it keeps. Times must not fall. */
export function addToTimeline(line: Timeline, state: TimelineState | undefined, event: EngineEvent): TimelineState {
  const columns = lineColumns(line);
  let [rows, from, to] = state === undefined ? [[], 0, 0] : [state.rows, state.from, state.to];
  const oldest = event.time - line.horizonMs;
  while (from < to && (rows[from] as number) < oldest) from += columns;
  if (rows.length !== to || from * 2 > to) {
    rows = rows.slice(from, to);
    [from, to] = [0, rows.length];
  }
  rows.push(event.time);
  for (const { name, isAny } of line.fields) rows.push(rawOf(event.fields[name], isAny));
  return new TimelineState(rows, from, to + columns);
}

const rawOf = (value: unknown, isAny: boolean): Raw =>
  isAny && (typeof value === 'string' || typeof value === 'boolean') ? value : numberCode(value);

/** Whether some event of the timeline still counts at `time`. */
export const isLineAlive = (line: Timeline, { rows, to }: TimelineState, time: number): boolean =>
  (rows[to - lineColumns(line)] as number) >= time - line.horizonMs;

/** Writes the values of all cells as of `time`, which is not before the newest event. `present`: this is the event under test. */
export function readTimeline(line: Timeline, state: TimelineState | undefined, time: number, present: boolean): void {
  for (const view of line.views) {
    const rows = state === undefined ? [] : rowsIn(line, view, state, time);
    for (const known of view.cells) {
      const { cell, fn } = known;
      if (fn === 'count') cell.value = rows.length;
      else if (fn === 'since') cell.value = time - ((rows.at(present ? -2 : -1)?.[0] as number) ?? Number.NaN);
      else if (rows.length === 0) cell.value = emptyValue(fn);
      else writeField(view, known, rows);
    }
  }
}

function rowsIn(line: Timeline, view: View, { rows, from, to }: TimelineState, time: number): readonly Raw[][] {
  const newest = time - view.lagMs;
  const columns = lineColumns(line);
  const inside: Raw[][] = [];
  for (let at = from; at < to; at += columns) {
    const rowTime = rows[at] as number;
    if (rowTime >= newest - view.overMs && rowTime <= newest) inside.push(rows.slice(at, at + columns));
  }
  return inside;
}

function writeField(view: View, { cell, fn, use, q }: ViewCell, rows: readonly Raw[][]): void {
  const values = rows.map((row) => row[use!.value]!).filter((value) => !Number.isNaN(value));
  const numbers = values.filter((value) => typeof value === 'number');
  if (fn === 'first' || fn === 'last') writeScalar(cell, values.at(fn === 'first' ? 0 : -1) ?? Number.NaN);
  else if (fn === 'distinct') cell.value = new Set(values).size;
  else if (fn === 'min' || fn === 'max') cell.value = extreme(fn, numbers);
  else if (fn === 'median' || fn === 'quantile') cell.value = quantile(numbers, q);
  else {
    const totals: number[] = Array.from({ length: view.totalsTo }, () => 0);
    for (const value of numbers) tallyUse(use!, totals, 0, value, 1);
    cell.value = fromTotals(fn, use!, totals, 0);
  }
}

function writeScalar(cell: FeatureCell, value: Scalar): void {
  if (typeof value === 'string') {
    const { code, texts } = loneText(value);
    cell.value = code;
    cell.texts = texts;
  } else {
    cell.value = typeof value === 'boolean' ? booleanCode(value) : value;
  }
}

function extreme(fn: 'min' | 'max', numbers: readonly number[]): number {
  if (numbers.length === 0) return Number.NaN;
  return numbers.reduce((a, b) => (fn === 'min' ? Math.min(a, b) : Math.max(a, b)));
}

const quantile = (numbers: readonly number[], q: number): number =>
  quantileOf(Float64Array.from(numbers).sort(), 0, numbers.length, numbers.length, q);
