import type { EngineEvent } from '../event.js';
import { isNumberCode, isTextCode, numberCode, scalarCode, type Texts, textIdOf } from '../expression/scalar-code.js';
import type { RingMemory } from './ring-rows.js';
import { countDifferent, insertSorted, quantileOf, removeSorted } from './sorted-column.js';
import {
  emptyValue,
  type FieldUse,
  fromTotals,
  type Timeline,
  tallyUse,
  type View,
  type ViewCell,
} from './timeline-layout.js';
import { greatest, least } from './window-layout.js';

/**
 * The events of a timeline for one key, changed in place, as `window-ring.ts` does for one window.
 *
 *     head      words: capacity, first row, number of rows, nothing
 *     views     for each four words: rows that have left it, rows that have entered it, settled rows, nothing
 *     totals    of all views
 *     rows      `capacity` of them, in a ring
 *     orders    sorted codes, for each column `capacity` places
 *
 * I1. Rows are those from the first, which is the oldest, on; after the last place comes the first again. They have numbers from 0.
 * I2. The rows of a view are those with the numbers from `left` up to `entered`. Both move with time alone, and never back, so
 *     the times of events and of what is read must not fall. Where a view does not lag, all rows have entered.
 * I3. Totals and orders are those of the view's rows. They are kept by adding what comes and taking away what goes, and begin anew
 *     when the view is empty. All but sums beyond what `exact-sum.ts` allows depend on the view's rows alone.
 * I4. Of a view's rows the oldest `settled` have the extremes of themselves and all settled ones after them, the others of all
 *     unsettled ones up to themselves; so those of the view are in two rows. When none is settled and one must go, all are
 *     settled again: constant work an event on average.
 * I5. A row is dropped with the first event after it has left all views; then its texts are released.
 */
const HEAD = 2;
const CAPACITY = 0;
const FIRST = 1;
const COUNT = 2;
/** Words of a view, after the head. */
const VIEWS = 4;
const VIEW_WORDS = 4;
const LEFT = 0;
const ENTERED = 1;
const SETTLED = 2;

/** Doubles that a timeline with room for so many rows takes. */
export const timelinePlaces = (line: Timeline, capacity: number): number =>
  HEAD + line.views.length * 2 + line.totalPlaces + capacity * (line.stride + line.orders);

const totalsOf = (line: Timeline, at: number): number => at + HEAD + line.views.length * 2;
const rowsOf = (line: Timeline, at: number): number => totalsOf(line, at) + line.totalPlaces;
const orderOf = (line: Timeline, { words }: RingMemory, at: number, order: number): number =>
  rowsOf(line, at) + words[at * 2 + CAPACITY]! * (line.stride + order);
const markOf = (view: View, at: number): number => at * 2 + VIEWS + view.number * VIEW_WORDS;

export function lineRowAt(line: Timeline, { words }: RingMemory, at: number, number: number): number {
  const capacity = words[at * 2 + CAPACITY]!;
  const place = words[at * 2 + FIRST]! + number;
  return rowsOf(line, at) + (place < capacity ? place : place - capacity) * line.stride;
}

export function clearTimeline(line: Timeline, { doubles, words }: RingMemory, at: number, capacity: number): void {
  doubles.fill(0, at, rowsOf(line, at));
  words[at * 2 + CAPACITY] = capacity;
}

/**
 * Moves all views on to `time`, and drops the rows that have left all of them; answers how many are left. Comes before `addToLine`.
 */
export function dropPassed(line: Timeline, memory: RingMemory, at: number, time: number, texts: Texts): number {
  const { words } = memory;
  moveOn(line, memory, at, time);
  let passed = words[at * 2 + COUNT]!;
  for (let i = 0; i < line.views.length; i++) passed = Math.min(passed, words[markOf(line.views[i]!, at) + LEFT]!);
  if (passed > 0) dropRows(line, memory, at, passed, texts);
  return words[at * 2 + COUNT]!;
}

function dropRows(line: Timeline, memory: RingMemory, at: number, passed: number, texts: Texts): void {
  const { words } = memory;
  releaseTexts(line, memory, at, passed, texts);
  const capacity = words[at * 2 + CAPACITY]!;
  const first = words[at * 2 + FIRST]! + passed;
  words[at * 2 + FIRST] = first < capacity ? first : first - capacity;
  words[at * 2 + COUNT] = words[at * 2 + COUNT]! - passed;
  for (let i = 0; i < line.views.length; i++) {
    const mark = markOf(line.views[i]!, at);
    words[mark + LEFT] = words[mark + LEFT]! - passed;
    words[mark + ENTERED] = words[mark + ENTERED]! - passed;
  }
}

/** Releases the texts of the oldest `count` rows, which are about to be dropped. */
export function releaseTexts(line: Timeline, memory: RingMemory, at: number, count: number, texts: Texts): void {
  if (!line.hasTexts) return;
  for (let number = 0; number < count; number++) {
    const row = lineRowAt(line, memory, at, number);
    for (let field = 1; field <= line.fields.length; field++) {
      const code = memory.doubles[row + field]!;
      if (isTextCode(code)) texts.release(textIdOf(code));
    }
  }
}

/** Adds an event to a timeline that has room, whose views have been moved on to its time. */
export function addToLine(line: Timeline, memory: RingMemory, at: number, event: EngineEvent, texts: Texts): void {
  const { doubles, words } = memory;
  const { fields, views } = line;
  const count = words[at * 2 + COUNT]!;
  const row = lineRowAt(line, memory, at, count);
  doubles[row] = event.time;
  for (let i = 0; i < fields.length; i++) {
    const value = event.fields[fields[i]!.name];
    doubles[row + 1 + i] = fields[i]!.isAny ? scalarCode(value, texts) : numberCode(value);
  }
  words[at * 2 + COUNT] = count + 1;
  for (let i = 0; i < views.length; i++) if (views[i]!.lagMs === 0) enter(line, views[i]!, memory, at);
}

/** Moves all views on to `time`, which is not before that of any event or of what was read before. */
export function moveOn(line: Timeline, memory: RingMemory, at: number, time: number): void {
  const { views } = line;
  for (let i = 0; i < views.length; i++) moveView(line, views[i]!, memory, at, time);
}

function moveView(line: Timeline, view: View, memory: RingMemory, at: number, time: number): void {
  const { doubles, words } = memory;
  const mark = markOf(view, at);
  const newest = time - view.lagMs;
  const oldest = newest - view.overMs;
  if (words[mark + LEFT]! < words[mark + ENTERED]!) leaveBefore(line, view, memory, at, oldest);
  const count = words[at * 2 + COUNT]!;
  for (let number = words[mark + ENTERED]!; number < count; number++) {
    const entering = doubles[lineRowAt(line, memory, at, number)]!;
    if (entering > newest) return;
    if (entering >= oldest) enter(line, view, memory, at);
    else passBy(mark, words);
  }
}

/** Of a view without rows: the next one is too old already. */
function passBy(mark: number, words: Uint32Array): void {
  words[mark + ENTERED] = words[mark + ENTERED]! + 1;
  words[mark + LEFT] = words[mark + ENTERED]!;
}

/** Takes away the rows before `oldest` from a view that has rows. */
function leaveBefore(line: Timeline, view: View, memory: RingMemory, at: number, oldest: number): void {
  const { doubles, words } = memory;
  const mark = markOf(view, at);
  const entered = words[mark + ENTERED]!;
  let left = words[mark + LEFT]!;
  if (doubles[lineRowAt(line, memory, at, left)]! >= oldest) return;
  if (doubles[lineRowAt(line, memory, at, entered - 1)]! < oldest) {
    const base = totalsOf(line, at);
    doubles.fill(0, base + view.totalsFrom, base + view.totalsTo);
    words[mark + LEFT] = entered;
    words[mark + SETTLED] = 0;
    return;
  }
  const before = left;
  for (;;) {
    const row = lineRowAt(line, memory, at, left);
    if (doubles[row]! >= oldest) break;
    for (let i = 0; i < view.uses.length; i++) takeAway(line, view.uses[i]!, memory, at, row);
    left++;
  }
  words[mark + LEFT] = left;
  if (!view.hasExtremes) return;
  const settled = words[mark + SETTLED]!;
  if (left - before <= settled) words[mark + SETTLED] = settled - (left - before);
  else settle(line, view, memory, at);
}

function takeAway(line: Timeline, use: FieldUse, memory: RingMemory, at: number, row: number): void {
  const { doubles } = memory;
  const x = doubles[row + use.value]!;
  if (Number.isNaN(x)) return;
  const base = totalsOf(line, at);
  tallyUse(use, doubles, base, x, -1);
  if (use.order < 0) return;
  const ordered = doubles[base + use.ordered]!;
  const isLeft = removeSorted(doubles, orderOf(line, memory, at, use.order), ordered, x);
  doubles[base + use.ordered] = ordered - 1;
  if (use.different >= 0 && !isLeft) doubles[base + use.different] = doubles[base + use.different]! - 1;
}

/** The next row enters the view. */
function enter(line: Timeline, view: View, memory: RingMemory, at: number): void {
  const { doubles, words } = memory;
  const mark = markOf(view, at);
  const entered = words[mark + ENTERED]!;
  const row = lineRowAt(line, memory, at, entered);
  for (let i = 0; i < view.uses.length; i++) putIn(line, view.uses[i]!, memory, at, row);
  if (view.hasExtremes) {
    const unsettled = entered - words[mark + LEFT]! > words[mark + SETTLED]!;
    writeExtremes(view, doubles, row, unsettled ? lineRowAt(line, memory, at, entered - 1) : -1);
  }
  words[mark + ENTERED] = entered + 1;
}

function putIn(line: Timeline, use: FieldUse, memory: RingMemory, at: number, row: number): void {
  const { doubles } = memory;
  const x = doubles[row + use.value]!;
  if (Number.isNaN(x)) return;
  const base = totalsOf(line, at);
  tallyUse(use, doubles, base, x, 1);
  if (use.order < 0) return;
  const ordered = doubles[base + use.ordered]!;
  const isKnown = insertSorted(doubles, orderOf(line, memory, at, use.order), ordered, x);
  doubles[base + use.ordered] = ordered + 1;
  if (use.different >= 0 && !isKnown) doubles[base + use.different] = doubles[base + use.different]! + 1;
}

/** Writes least and greatest of a row: of its values, and of what the row at `beside` says; -1: of its values alone. */
function writeExtremes(view: View, rows: Float64Array, at: number, beside: number): void {
  for (let i = 0; i < view.uses.length; i++) {
    const { value, min, max } = view.uses[i]!;
    const code = rows[at + value]!;
    const x = isNumberCode(code) ? code : Number.NaN;
    if (min >= 0) rows[at + min] = beside < 0 ? x : least(rows[beside + min]!, x);
    if (max >= 0) rows[at + max] = beside < 0 ? x : greatest(rows[beside + max]!, x);
  }
}

function settle(line: Timeline, view: View, memory: RingMemory, at: number): void {
  const { words } = memory;
  const mark = markOf(view, at);
  const [left, entered] = [words[mark + LEFT]!, words[mark + ENTERED]!];
  words[mark + SETTLED] = entered - left;
  let beside = -1;
  for (let number = entered - 1; number >= left; number--) {
    const row = lineRowAt(line, memory, at, number);
    writeExtremes(view, memory.doubles, row, beside);
    beside = row;
  }
}

/** Writes the values of all cells as of `time`, to which the views have been moved on. `present`: the newest row is the event under test. */
export function writeLine(
  line: Timeline,
  memory: RingMemory,
  at: number,
  time: number,
  present: boolean,
  texts: Texts,
): void {
  for (let i = 0; i < line.views.length; i++) {
    const view = line.views[i]!;
    const mark = markOf(view, at);
    const left = memory.words[mark + LEFT]!;
    const entered = memory.words[mark + ENTERED]!;
    for (let j = 0; j < view.cells.length; j++) {
      const known = view.cells[j]!;
      const { cell, fn } = known;
      if (fn === 'count') cell.value = entered - left;
      else if (fn === 'since') cell.value = sinceIn(line, memory, at, time, left, present ? entered - 1 : entered);
      else if (left === entered) cell.value = emptyValue(fn);
      else cell.value = ofField(line, view, memory, at, known);
      cell.texts = texts;
    }
  }
}

function sinceIn(line: Timeline, memory: RingMemory, at: number, time: number, left: number, end: number): number {
  return end > left ? time - memory.doubles[lineRowAt(line, memory, at, end - 1)]! : Number.NaN;
}

/** Of a view that has rows. */
function ofField(line: Timeline, view: View, memory: RingMemory, at: number, { fn, use, q }: ViewCell): number {
  const { doubles, words } = memory;
  const base = totalsOf(line, at);
  const mark = markOf(view, at);
  switch (fn) {
    case 'min':
    case 'max':
      return extreme(line, view, memory, at, fn, use!);
    case 'median':
    case 'quantile': {
      const [ordered, numbers] = [doubles[base + use!.ordered]!, doubles[base + use!.numbers]!];
      return quantileOf(doubles, orderOf(line, memory, at, use!.order), ordered, numbers, q);
    }
    case 'first':
      return codeFrom(line, memory, at, use!.value, words[mark + LEFT]!, words[mark + ENTERED]!, 1);
    case 'last':
      return codeFrom(line, memory, at, use!.value, words[mark + ENTERED]! - 1, words[mark + LEFT]! - 1, -1);
    default:
      return fromTotals(fn, use!, doubles, base);
  }
}

/** The first code that is there, in rows from one number up to another. */
function codeFrom(
  line: Timeline,
  memory: RingMemory,
  at: number,
  value: number,
  from: number,
  to: number,
  step: 1 | -1,
): number {
  for (let number = from; number !== to; number += step) {
    const code = memory.doubles[lineRowAt(line, memory, at, number) + value]!;
    if (!Number.isNaN(code)) return code;
  }
  return Number.NaN;
}

function extreme(line: Timeline, view: View, memory: RingMemory, at: number, fn: 'min' | 'max', use: FieldUse): number {
  const { doubles, words } = memory;
  const mark = markOf(view, at);
  const [left, entered, settled] = [words[mark + LEFT]!, words[mark + ENTERED]!, words[mark + SETTLED]!];
  const place = fn === 'min' ? use.min : use.max;
  const last = doubles[lineRowAt(line, memory, at, entered - 1) + place]!;
  if (settled === 0) return last;
  const first = doubles[lineRowAt(line, memory, at, left) + place]!;
  if (settled === entered - left) return first;
  return fn === 'min' ? least(first, last) : greatest(first, last);
}

/** Where the views stand, and their totals: what is saved of a timeline beside its rows where it does not follow from them. */
export interface LineMarks {
  readonly left: readonly number[];
  readonly entered: readonly number[];
  readonly totals: readonly number[];
}

export function marksOfLine(line: Timeline, { doubles, words }: RingMemory, at: number): LineMarks {
  const base = totalsOf(line, at);
  return {
    left: line.views.map((view) => words[markOf(view, at) + LEFT]!),
    entered: line.views.map((view) => words[markOf(view, at) + ENTERED]!),
    totals: Array.from(doubles.subarray(base, base + line.totalPlaces)),
  };
}

/** Builds the views of a timeline whose rows have just been written, as of its newest row, or as `marks` say. */
export function buildViews(
  line: Timeline,
  memory: RingMemory,
  at: number,
  count: number,
  marks: LineMarks | null,
): void {
  const { doubles, words } = memory;
  words[at * 2 + COUNT] = count;
  const time = doubles[lineRowAt(line, memory, at, count - 1)]!;
  for (const view of line.views) {
    const mark = markOf(view, at);
    const oldest = time - view.lagMs - view.overMs;
    const left = marks?.left[view.number] ?? rowsUpTo(line, memory, at, count, oldest, false);
    const entered = marks?.entered[view.number] ?? rowsUpTo(line, memory, at, count, time - view.lagMs, true);
    words[mark + LEFT] = Math.min(left, entered);
    words[mark + ENTERED] = entered;
    words[mark + SETTLED] = 0;
    for (const use of view.uses) buildUse(line, view, use, memory, at);
    if (view.hasExtremes) settle(line, view, memory, at);
  }
  if (marks !== null) for (let i = 0; i < line.totalPlaces; i++) doubles[totalsOf(line, at) + i] = marks.totals[i]!;
}

function buildUse(line: Timeline, view: View, use: FieldUse, memory: RingMemory, at: number): void {
  const { doubles, words } = memory;
  const base = totalsOf(line, at);
  const order = use.order < 0 ? -1 : orderOf(line, memory, at, use.order);
  const mark = markOf(view, at);
  let ordered = 0;
  for (let number = words[mark + LEFT]!; number < words[mark + ENTERED]!; number++) {
    const x = doubles[lineRowAt(line, memory, at, number) + use.value]!;
    if (Number.isNaN(x)) continue;
    tallyUse(use, doubles, base, x, 1);
    if (order >= 0) doubles[order + ordered++] = x;
  }
  if (order < 0) return;
  doubles.subarray(order, order + ordered).sort();
  doubles[base + use.ordered] = ordered;
  if (use.different >= 0) doubles[base + use.different] = countDifferent(doubles, order, ordered);
}

/** How many rows are before `time`, or also at it. */
export function rowsUpTo(
  line: Timeline,
  memory: RingMemory,
  at: number,
  count: number,
  time: number,
  alsoAt: boolean,
): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const rowTime = memory.doubles[lineRowAt(line, memory, at, middle)]!;
    if (rowTime < time || (alsoAt && rowTime === time)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Remembers what a ring holds, until the next call: for a place that may move. */
export function copyLine(line: Timeline, memory: RingMemory, at: number): void {
  const { doubles, words } = memory;
  const count = words[at * 2 + COUNT]!;
  copied.count = count;
  const length = rowsOf(line, at) - at + count * (line.stride + line.orders);
  if (copied.places.length < length) copied.places = new Float64Array(length * 2);
  const { places } = copied;
  // Marks are words: as doubles they could be changed on the way.
  for (let i = 0; i < line.views.length * VIEW_WORDS; i++) copied.marks[i] = words[at * 2 + VIEWS + i]!;
  const totals = totalsOf(line, at);
  let next = 0;
  for (let i = 0; i < line.totalPlaces; i++) places[next++] = doubles[totals + i]!;
  for (let number = 0; number < count; number++) {
    const row = lineRowAt(line, memory, at, number);
    for (let i = 0; i < line.stride; i++) places[next++] = doubles[row + i]!;
  }
  for (let order = 0; order < line.orders; order++) {
    const column = orderOf(line, memory, at, order);
    for (let i = 0; i < count; i++) places[next++] = doubles[column + i]!;
  }
}

/** Makes a ring for `capacity` rows of what `copyLine` has remembered. */
export function pasteLine(line: Timeline, memory: RingMemory, at: number, capacity: number): void {
  const { doubles, words } = memory;
  const { count, places, marks } = copied;
  words[at * 2 + CAPACITY] = capacity;
  words[at * 2 + FIRST] = 0;
  words[at * 2 + COUNT] = count;
  for (let i = 0; i < line.views.length * VIEW_WORDS; i++) words[at * 2 + VIEWS + i] = marks[i]!;
  const inRows = line.totalPlaces + count * line.stride;
  const totals = totalsOf(line, at);
  for (let i = 0; i < inRows; i++) doubles[totals + i] = places[i]!;
  for (let order = 0; order < line.orders; order++) {
    const column = orderOf(line, memory, at, order);
    for (let i = 0; i < count; i++) doubles[column + i] = places[inRows + order * count + i]!;
  }
}

/** Totals, rows, and orders; and the marks of the views. */
const copied = { count: 0, places: new Float64Array(64), marks: [] as number[] };
