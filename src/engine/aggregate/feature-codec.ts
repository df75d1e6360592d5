import type { ByteReader, ByteWriter } from '../bytes.js';
import { type FeatureSet, type FeatureState, stateOf, windowState } from './feature-set.js';
import { ownTotals, restoreWindow, WindowState } from './window.js';
import type { Window } from './window-layout.js';

/**
 * What the windows of a key hold, as bytes:
 *
 *     windows   for each that holds anything: its place among the ids, rows, times, fields, the values of each, totals
 *
 * Times are the first one and differences. Values that are all whole, or all hundredths, are written as whole numbers. Totals
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
export type WindowMap = readonly ({ readonly place: number; readonly columns: readonly number[] } | null)[];

/**
 * How to read the bytes of the set that had `windowIds`: made once for the two sets. A window that this set has not is passed
 * over, one that is new begins empty, and a field that is new in a window is missing in the events before.
 */
export function mapWindows(set: FeatureSet, windowIds: readonly string[]): WindowMap {
  return windowIds.map((id) => {
    const [events, fields] = JSON.parse(id) as [unknown, string[]];
    const place = set.windows.findIndex((window) => window.events === JSON.stringify(events));
    const window = set.windows[place];
    return window === undefined ? null : { place, columns: window.fields.map((field) => fields.indexOf(field.name)) };
  });
}

/** Throws `RangeError` for bytes that are not whole. */
export function decodeFeatures(input: ByteReader, set: FeatureSet, map: WindowMap): FeatureState | undefined {
  const held: (WindowState | undefined)[] = set.windows.map(() => undefined);
  for (let left = input.varint(); left > 0; left--) {
    const mapped = map[input.varint()];
    if (mapped === undefined) throw new RangeError('bytes of a window without an id');
    const saved = decodeWindow(input);
    if (mapped !== null) held[mapped.place] = restored(set.windows[mapped.place]!, saved, mapped.columns);
  }
  return stateOf(held);
}

interface SavedWindow {
  readonly times: readonly number[];
  readonly columns: readonly (readonly number[])[];
  /** Empty: they follow from the values. */
  readonly totals: readonly number[];
}

function encodeWindow(out: ByteWriter, window: Window, state: WindowState): void {
  out.varint((state.to - state.from) / window.stride);
  encodeTimes(out, window, state);
  out.varint(window.fields.length);
  for (const { value } of window.fields) encodeValues(out, window, state, value);
  const totals = ownTotals(window, state);
  out.varint(totals.length);
  for (const total of totals) out.double(total);
}

function decodeWindow(input: ByteReader): SavedWindow {
  const rows = input.varint();
  if (rows === 0) throw new RangeError('bytes of a window without events');
  const times = decodeTimes(input, rows);
  const columns = list(input.varint(), () => decodeValues(input, rows));
  return { times, columns, totals: list(input.varint(), () => input.double()) };
}

function restored(window: Window, saved: SavedWindow, columns: readonly number[]): WindowState {
  const same = columns.length === saved.columns.length && columns.every((from, i) => from === i);
  const values = columns.map((from) => saved.columns[from] ?? null);
  return restoreWindow(window, saved.times, values, same ? saved.totals : []);
}

/** How times are written: each as a double, or the first one and the whole steps from one to the next. */
const DOUBLES = 0;
const STEPS = 1;

function encodeTimes(out: ByteWriter, window: Window, { rows, from, to }: WindowState): void {
  let whole = Number.isSafeInteger(rows[from]!);
  for (let at = from + window.stride; at < to; at += window.stride) {
    whole &&= Number.isSafeInteger(rows[at]!) && rows[at]! >= rows[at - window.stride]!;
  }
  out.varint(whole ? STEPS : DOUBLES);
  out.double(rows[from]!);
  for (let at = from + window.stride; at < to; at += window.stride) {
    if (whole) out.varint(rows[at]! - rows[at - window.stride]!);
    else out.double(rows[at]!);
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

function encodeValues(out: ByteWriter, window: Window, { rows, from, to }: WindowState, value: number): void {
  let unit = 1;
  for (let at = from + value; at < to && unit < PARTS.length; at += window.stride) {
    while (unit < PARTS.length && !isMultiple(rows[at]!, PARTS[unit]!)) unit++;
  }
  if (unit === PARTS.length) unit = 0;
  out.varint(unit);
  const parts = PARTS[unit]!;
  for (let at = from + value; at < to; at += window.stride) {
    const x = rows[at]!;
    if (unit === 0) out.double(x);
    else out.varint(Number.isNaN(x) ? 0 : folded(Math.round(x * parts)) + 1);
  }
}

function decodeValues(input: ByteReader, rows: number): number[] {
  const parts = PARTS[input.varint()];
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
