import { ByteReader, ByteWriter } from '../bytes.js';
import { canonicalJson } from '../canonical-json.js';
import { numberCode } from '../expression/scalar-code.js';
import {
  type EventWindow,
  type EventWindowState,
  type FeatureSet,
  type FeatureState,
  stateOf,
  windowState,
} from './feature-set.js';
import { blockBegins } from './row-blocks.js';
import { lineColumns, type Raw, TimelineState } from './timeline.js';
import type { Timeline } from './timeline-layout.js';
import type { LineMarks } from './timeline-ring.js';
import { ownTotals, restoreWindow } from './window.js';
import type { Window } from './window-layout.js';

/**
 * What the windows of a key hold, as bytes:
 *
 *     windows   for each that holds anything: its place among the ids, blocks{length, rows, times, fields, the values of each}, totals
 *
 * A large window is several blocks, most of which stay as they are when it moves on: see `row-blocks.ts`. Times are the first one and differences. Values that are all whole, or all hundredths, are written as whole numbers. Totals
 * follow from the values; they are written only where these are too far apart to be summed exactly, so that what is read goes
 * on exactly as what was written would have.
 */
export function encodeFeatures(out: ByteWriter, set: FeatureSet, state: FeatureState | undefined): void {
  const { windows } = set;
  let held = 0;
  for (let place = 0; place < windows.length; place++) if (windowState(state, place) !== undefined) held++;
  out.varint(held);
  for (let place = 0; place < windows.length; place++) {
    const window = windowState(state, place);
    if (window === undefined) continue;
    out.varint(place);
    encodeWindow(out, windows[place]!, window);
  }
}

/** For each window of the set that wrote: its place in the set that reads, and which of its fields stands where; or nothing. */
export type WindowMap = readonly (MappedWindow | null)[];

interface MappedWindow {
  readonly place: number;
  readonly columns: readonly number[];
  /** Whether it is the very same window: what does not follow from its events is kept too. */
  readonly isSame: boolean;
}

/**
 * How to read the bytes of the set that had `windowIds`: made once for the two sets. A window begins with the events that one
 * over the same events held, of several the one that reached back farthest; of what none held it begins empty, and a field that
 * is new in a window is missing in the events before.
 */
export function mapWindows(set: FeatureSet, windowIds: readonly string[]): WindowMap {
  const written = windowIds.map((id) => JSON.parse(id) as WrittenWindow);
  const source = set.windows.map((window) => sourceOf(window, windowIds, written));
  return written.map(([, fields], number) => {
    const place = source.indexOf(number);
    const window = set.windows[place];
    if (window === undefined) return null;
    const columns = window.fields.map((field) => fields.indexOf(field.name));
    return { place, columns, isSame: window.id === windowIds[number] };
  });
}

/** Which events, over how long (of a timeline: not said), the fields, and the views of a timeline. */
type WrittenWindow = readonly [{ readonly overMs?: number }, readonly string[], ...(readonly unknown[])];

/** Number of the written window that a window begins with; -1: none. */
function sourceOf(window: EventWindow, ids: readonly string[], written: readonly WrittenWindow[]): number {
  const same = ids.indexOf(window.id);
  if (same >= 0) return same;
  const wanted = writtenEvents(JSON.parse(window.id) as WrittenWindow);
  let best = -1;
  for (let i = 0; i < written.length; i++) {
    if (writtenEvents(written[i]!) !== wanted) continue;
    if (best < 0 || reachOf(written[i]!) > reachOf(written[best]!)) best = i;
  }
  return best;
}

const writtenEvents = ([events]: WrittenWindow): string => canonicalJson({ ...events, overMs: undefined });
const reachOf = ([{ overMs }]: WrittenWindow): number => overMs ?? Number.POSITIVE_INFINITY;

/** `inBlocks`: false for bytes of an earlier release, of which a window was one block without a length. Throws `RangeError` for bytes that are not whole. */
export function decodeFeatures(
  input: ByteReader,
  set: FeatureSet,
  map: WindowMap,
  inBlocks = true,
): FeatureState | undefined {
  const held: (EventWindowState | undefined)[] = set.windows.map(() => undefined);
  for (let left = input.varint(); left > 0; left--) {
    const mapped = map[input.varint()];
    if (mapped === undefined) throw new RangeError('bytes of a window without an id');
    const rows = inBlocks ? joined(decodeBlocks(input)) : decodeBlock(input);
    const saved = { ...rows, totals: list(input.varint(), () => input.double()) };
    if (mapped !== null) held[mapped.place] = restored(set.windows[mapped.place]!, saved, mapped);
  }
  return stateOf(held);
}

/** Tells where the blocks inside the bytes of `encodeFeatures` lie, each with its length before it. Throws `RangeError`. */
export function visitBlocks(input: ByteReader, visit: (lengthStart: number, start: number, end: number) => void): void {
  for (let windows = input.varint(); windows > 0; windows--) {
    input.varint();
    for (let left = input.varint(); left > 0; left--) {
      const lengthStart = input.position;
      const length = input.varint();
      visit(lengthStart, input.position, input.position + length);
      input.skip(length);
    }
    input.skip(DOUBLE_BYTES * input.varint());
  }
}

const DOUBLE_BYTES = 8;

interface SavedRows {
  readonly times: readonly number[];
  readonly columns: readonly (readonly Raw[])[];
}

interface SavedWindow extends SavedRows {
  /** Empty: they follow from the values. Of a timeline they are followed by where its views stand. */
  readonly totals: readonly number[];
}

/** Blocks are written one at a time. */
const block = new ByteWriter();

function encodeWindow(out: ByteWriter, window: EventWindow, state: EventWindowState): void {
  const rows = rowsOf(window, state);
  const { from, to, stride } = rows;
  const begins = blockBegins((to - from) / stride, (row) => rows.rows[from + row * stride] as number);
  out.varint(begins.length);
  for (let i = 0; i < begins.length; i++) {
    const end = i + 1 < begins.length ? from + begins[i + 1]! * stride : to;
    encodeBlock(block, { ...rows, from: from + begins[i]! * stride, to: end }, window.fields.length);
    out.byteString(block.take());
  }
  const marks = state instanceof TimelineState ? state.marks : null;
  const totals = state instanceof TimelineState ? (marks?.totals ?? []) : ownTotals(window as Window, state);
  const numbers = [...totals, ...(marks?.left ?? []), ...(marks?.entered ?? [])];
  out.varint(numbers.length);
  for (const total of numbers) out.double(total);
}

function encodeBlock(out: ByteWriter, rows: Rows, fields: number): void {
  out.varint((rows.to - rows.from) / rows.stride);
  encodeTimes(out, rows);
  out.varint(fields);
  for (let field = 0; field < fields; field++) encodeColumn(out, rows, 1 + field);
}

/** Rows in an array: time, then the values of fields. */
interface Rows {
  readonly rows: readonly Raw[];
  readonly from: number;
  readonly to: number;
  readonly stride: number;
}

const rowsOf = (window: EventWindow, { rows, from, to }: EventWindowState): Rows => ({
  rows,
  from,
  to,
  stride: window.kind === 'window' ? window.stride : lineColumns(window),
});

const decodeBlocks = (input: ByteReader): SavedRows[] =>
  list(input.varint(), () => decodeBlock(new ByteReader(input.byteString())));

function joined(blocks: readonly SavedRows[]): SavedRows {
  const [first] = blocks;
  if (first === undefined) throw new RangeError('bytes of a window without events');
  if (blocks.length === 1) return first;
  return {
    times: blocks.flatMap(({ times }) => times),
    columns: first.columns.map((_, i) => blocks.flatMap(({ columns }) => columns[i]!)),
  };
}

function decodeBlock(input: ByteReader): SavedRows {
  const rows = input.varint();
  if (rows === 0) throw new RangeError('bytes of a window without events');
  const times = decodeTimes(input, rows);
  return { times, columns: list(input.varint(), () => decodeColumn(input, rows)) };
}

function restored(window: EventWindow, saved: SavedWindow, { columns, isSame }: MappedWindow): EventWindowState {
  const values = columns.map((from) => saved.columns[from] ?? null);
  const totals = isSame ? saved.totals : [];
  if (window.kind === 'window') return restoreWindow(window, saved.times, values.map(numbersOf), totals);
  const rows = saved.times.flatMap((time, row) => [time, ...values.map((column) => column?.[row] ?? Number.NaN)]);
  if (totals.length === 0) return new TimelineState(rows, 0, rows.length);
  return new TimelineState(rows, 0, rows.length, marksFrom(window, totals));
}

function marksFrom({ totalPlaces, views }: Timeline, totals: readonly number[]): LineMarks {
  const entered = totalPlaces + views.length;
  return {
    totals: totals.slice(0, totalPlaces),
    left: totals.slice(totalPlaces, entered),
    entered: totals.slice(entered),
  };
}

const numbersOf = (values: readonly Raw[] | null): readonly number[] | null => values?.map(numberCode) ?? null;

/** How times are written: each as a double, or the first one and the whole steps from one to the next. */
const DOUBLES = 0;
const STEPS = 1;

function encodeTimes(out: ByteWriter, { rows, from, to, stride }: Rows): void {
  const timeAt = (at: number): number => rows[at] as number;
  let whole = Number.isSafeInteger(timeAt(from));
  for (let at = from + stride; at < to; at += stride) {
    whole &&= Number.isSafeInteger(timeAt(at)) && timeAt(at) >= timeAt(at - stride);
  }
  out.varint(whole ? STEPS : DOUBLES);
  out.double(timeAt(from));
  for (let at = from + stride; at < to; at += stride) {
    if (whole) out.varint(timeAt(at) - timeAt(at - stride));
    else out.double(timeAt(at));
  }
}

function decodeTimes(input: ByteReader, rows: number): number[] {
  const whole = input.varint() === STEPS;
  let time = 0;
  return list(rows, (i) => {
    time = i > 0 && whole ? time + input.varint() : input.double();
    return time;
  });
}

/** What values can be whole multiples of, by the number before them; 0: of nothing, they are doubles. */
const PARTS = [0, 1, 100];
/** Of values that are not all numbers. */
const SCALARS = 3;

function encodeColumn(out: ByteWriter, rows: Rows, value: number): void {
  const values: Raw[] = [];
  for (let at = rows.from + value; at < rows.to; at += rows.stride) values.push(rows.rows[at]!);
  if (values.every((x) => typeof x === 'number')) encodeValues(out, values);
  else encodeScalars(out, values);
}

function encodeValues(out: ByteWriter, values: readonly number[]): void {
  let unit = 1;
  for (let i = 0; i < values.length && unit < PARTS.length; i++) {
    while (unit < PARTS.length && !isMultiple(values[i]!, PARTS[unit]!)) unit++;
  }
  if (unit === PARTS.length) unit = 0;
  out.varint(unit);
  const parts = PARTS[unit]!;
  for (const x of values) {
    if (unit === 0) out.double(x);
    else out.varint(Number.isNaN(x) ? 0 : folded(Math.round(x * parts)) + 1);
  }
}

/** What a scalar is, before it; a text is the number of one of those before the column, and this. */
const NUMBER = 0;
const FALSE = 1;
const TRUE = 2;
const TEXT = 3;
const UTF8 = { encode: new TextEncoder(), decode: new TextDecoder() };

/** The different texts, then the values. */
function encodeScalars(out: ByteWriter, values: readonly Raw[]): void {
  const texts = new Map<string, number>();
  for (const x of values) if (typeof x === 'string' && !texts.has(x)) texts.set(x, texts.size);
  out.varint(SCALARS);
  out.varint(texts.size);
  for (const text of texts.keys()) out.byteString(UTF8.encode.encode(text));
  for (const x of values) {
    if (typeof x === 'string') out.varint(TEXT + texts.get(x)!);
    else if (typeof x === 'boolean') out.varint(x ? TRUE : FALSE);
    else {
      out.varint(NUMBER);
      out.double(x);
    }
  }
}

function decodeColumn(input: ByteReader, rows: number): readonly Raw[] {
  const unit = input.varint();
  return unit === SCALARS ? decodeScalars(input, rows) : decodeValues(input, rows, PARTS[unit]);
}

function decodeScalars(input: ByteReader, rows: number): Raw[] {
  const texts = list(input.varint(), () => UTF8.decode.decode(input.byteString()));
  return list(rows, () => {
    const is = input.varint();
    if (is === NUMBER) return input.double();
    if (is < TEXT) return is === TRUE;
    const text = texts[is - TEXT];
    if (text === undefined) throw new RangeError('bytes of a text that is not there');
    return text;
  });
}

function decodeValues(input: ByteReader, rows: number, parts: number | undefined): number[] {
  if (parts === undefined) throw new RangeError('bytes of values in an unknown unit');
  return list(rows, () => {
    if (parts === 0) return input.double();
    const written = input.varint();
    return written === 0 ? Number.NaN : unfolded(written - 1) / parts;
  });
}

/** Leaves room for the sign and the missing value. */
const WHOLE_MAX = 2 ** 50;

function isMultiple(value: number, parts: number): boolean {
  if (Number.isNaN(value)) return true;
  const whole = Math.round(value * parts);
  return Math.abs(whole) <= WHOLE_MAX && Object.is(whole / parts, value);
}

/** 0, -1, 1, -2 … as 0, 1, 2, 3 …. */
const folded = (n: number): number => (n < 0 ? -2 * n - 1 : 2 * n);
const unfolded = (n: number): number => (n % 2 === 0 ? n / 2 : -(n + 1) / 2);

function list<T>(length: number, make: (index: number) => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < length; i++) items.push(make(i));
  return items;
}
