import { numberCode, scalarCode, scalarOf, type Texts } from '../expression/scalar-code.js';
import { type RingMemory, ringCount } from './ring-rows.js';
import { lineColumns, type Raw, TimelineState } from './timeline.js';
import { type FieldUse, type Timeline, tallyUse, type View } from './timeline-layout.js';
import { buildViews, clearTimeline, type LineMarks, lineRowAt, marksOfLine, rowsUpTo } from './timeline-ring.js';

/** What a ring with rows holds, as a state of its own. */
export function stateOfLine(line: Timeline, memory: RingMemory, at: number, texts: Texts): TimelineState {
  const count = ringCount(memory, at);
  const rows: Raw[] = [];
  for (let number = 0; number < count; number++) {
    const row = lineRowAt(line, memory, at, number);
    rows.push(memory.doubles[row]!);
    for (let field = 1; field < lineColumns(line); field++) {
      rows.push(scalarOf(memory.doubles[row + field]!, texts) ?? Number.NaN);
    }
  }
  const marks = marksOfLine(line, memory, at);
  return new TimelineState(rows, 0, rows.length, follow(line, memory, at, count, marks) ? null : marks);
}

/** Makes a ring of a state, for at least as many rows as it has. */
export function lineOfState(
  line: Timeline,
  { rows, from, to, marks }: TimelineState,
  memory: RingMemory,
  at: number,
  capacity: number,
  texts: Texts,
): void {
  clearTimeline(line, memory, at, capacity);
  const columns = lineColumns(line);
  const count = (to - from) / columns;
  for (let number = 0; number < count; number++) {
    const row = lineRowAt(line, memory, at, number);
    const source = from + number * columns;
    memory.doubles[row] = rows[source] as number;
    for (let field = 1; field < columns; field++) {
      const isAny = line.fields[field - 1]!.isAny;
      memory.doubles[row + field] = isAny ? scalarCode(rows[source + field], texts) : numberCode(rows[source + field]);
    }
  }
  buildViews(line, memory, at, count, marks);
}

/** Whether the marks are what `buildViews` would make of the rows. What is counted follows wherever a view stands; sums may not. */
function follow(line: Timeline, memory: RingMemory, at: number, count: number, marks: LineMarks): boolean {
  const time = memory.doubles[lineRowAt(line, memory, at, count - 1)]!;
  return line.views.every((view) => {
    const sums = view.uses.filter(({ sum, spread }) => sum >= 0 || spread >= 0);
    const [left, entered] = [marks.left[view.number]!, marks.entered[view.number]!];
    const newest = time - view.lagMs;
    const isThere = (): boolean =>
      entered === rowsUpTo(line, memory, at, count, newest, true) &&
      left === Math.min(entered, rowsUpTo(line, memory, at, count, newest - view.overMs, false));
    return sums.length === 0 || (isThere() && sums.every((use) => addsUp(line, view, use, memory, at, marks)));
  });
}

/** Whether the sums of a field are those that its values have when they are added up anew. */
function addsUp(
  line: Timeline,
  view: View,
  use: FieldUse,
  memory: RingMemory,
  at: number,
  { left, entered, totals }: LineMarks,
): boolean {
  if (sums.length < line.totalPlaces) sums = new Float64Array(line.totalPlaces * 2);
  sums.fill(0, view.totalsFrom, view.totalsTo);
  for (let number = left[view.number]!; number < entered[view.number]!; number++) {
    const x = memory.doubles[lineRowAt(line, memory, at, number) + use.value]!;
    tallyUse(use, sums, 0, x, 1);
  }
  for (let i = view.totalsFrom; i < view.totalsTo; i++) {
    const isSum =
      (use.sum >= 0 && i >= use.sum && i < use.sum + 3) || (use.spread >= 0 && i >= use.spread && i < use.spread + 4);
    if (isSum && sums[i] !== totals[i]) return false;
  }
  return true;
}

let sums = new Float64Array(64);
