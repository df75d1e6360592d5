import type { ByteReader, ByteWriter } from '../bytes.js';
import type { EngineEvent } from '../event.js';
import type { Scalar } from '../expression/expression.js';
import type { Pane, WindowedState } from '../nfa/windows.js';
import { type CompiledWindow } from '../window/compile-window.js';
import type { Tally } from '../window/tally.js';
import { valuesIn, valuesOf } from '../window/values.js';

/**
 * The state of a window pattern as bytes:
 *
 *     closesAt  events  panes: start first last  numbers  scalars  values
 *
 * Events are places in the table of the key state. It can be read without the pattern, so that one that is gone can be passed over.
 */
export function encodeWindowed(
  out: ByteWriter,
  { closesAt, newest, panes }: WindowedState,
  placeOf: (event: EngineEvent) => number,
): void {
  out.double(closesAt);
  out.varint(newest.length);
  for (const event of newest) out.varint(placeOf(event));
  out.varint(panes.length);
  for (const { start, first, last, tally } of panes) {
    out.double(start);
    out.double(first);
    out.double(last);
    encodeTally(out, tally);
  }
}

function encodeTally(out: ByteWriter, { numbers, scalars, values }: Tally): void {
  out.varint(numbers.length);
  for (const number of numbers) out.double(number);
  encodeScalars(out, scalars);
  out.varint(values.length);
  for (const list of values) encodeScalars(out, valuesIn(list));
}

const MISSING = 0;
const NUMBER = 1;
const TEXT = 2;
const FALSE = 3;
const TRUE = 4;

function encodeScalars(out: ByteWriter, scalars: readonly (Scalar | null)[]): void {
  out.varint(scalars.length);
  for (const scalar of scalars) {
    if (scalar === null) out.varint(MISSING);
    else if (typeof scalar === 'boolean') out.varint(scalar ? TRUE : FALSE);
    else if (typeof scalar === 'number') {
      out.varint(NUMBER);
      out.double(scalar);
    } else {
      out.varint(TEXT);
      out.byteString(encodeText(scalar));
    }
  }
}

/** UTF-16, two bytes a unit: any text, also one that is not well formed, comes back as it was. */
function encodeText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 0xff;
    bytes[2 * i + 1] = unit >> 8;
  }
  return bytes;
}

function decodeText(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode(bytes[i]! | (bytes[i + 1]! << 8));
  return text;
}

/** `window`: `null` for a pattern that is gone. */
export function decodeWindowed(
  input: ByteReader,
  window: CompiledWindow | null,
  events: readonly EngineEvent[],
): WindowedState {
  const closesAt = input.double();
  const newest = list(input, () => events[input.varint()]!);
  const panes = list(input, (): Pane => {
    const [start, first, last] = [input.double(), input.double(), input.double()];
    return { ...{ start, first, last }, tally: decodeTally(input, window) };
  });
  return { panes, closesAt, newest };
}

function decodeTally(input: ByteReader, window: CompiledWindow | null): Tally {
  const aggregates = window?.tallying.aggregates ?? [];
  const numbers = list(input, () => input.double());
  const scalars = list(input, () => decodeScalar(input));
  let at = 0;
  const values = list(input, () => {
    const place = at++;
    const isDistinct = aggregates.some((aggregate) => aggregate.fn === 'distinct' && aggregate.at === place);
    return valuesOf(
      list(input, () => decodeScalar(input)!),
      isDistinct,
    );
  });
  return { numbers, scalars, values };
}

function decodeScalar(input: ByteReader): Scalar | null {
  switch (input.varint()) {
    case NUMBER:
      return input.double();
    case TEXT:
      return decodeText(input.byteString());
    case FALSE:
      return false;
    case TRUE:
      return true;
    default:
      return null;
  }
}

function list<T>(input: ByteReader, read: () => T): T[] {
  const items: T[] = [];
  for (let left = input.varint(); left > 0; left--) items.push(read());
  return items;
}
