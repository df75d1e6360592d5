import { type DecodedRecord } from '../../../runtime/ports/decoder.js';
import { INFERRED_RECORD_NAME } from './infer-schema.js';

/** The values of one column of a row group, JSON-ready: numbers in a row of doubles where they all are. */
export type Column = ArrayLike<unknown>;

/**
 * A column as it is kept while its rows are taken: what Parquet's reader gives are big integers, of which each takes more memory than a
 * double and its place.
 */
export function compactColumn(values: ArrayLike<unknown>): Column {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || (number !== value && !Number.isSafeInteger(number)))
      return Array.from(values, plain);
    numbers[i] = number;
  }
  return numbers;
}

/** Rows `from` to `to` of the columns. */
export function rowsOf(
  names: readonly string[],
  columns: readonly Column[],
  from: number,
  to: number,
): DecodedRecord[] {
  const rows = new Array<DecodedRecord>(to - from);
  for (let place = from; place < to; place++) {
    const fields: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) fields[names[i]!] = columns[i]![place];
    rows[place - from] = { fields, recordName: INFERRED_RECORD_NAME };
  }
  return rows;
}

/** A value as JSON has it. A whole number that a double cannot hold becomes text. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : String(value);
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
  }
  return value;
}

/** Rounding leads out of the safe range, never into it; comparing big integers with numbers is slow. */
const isSafe = (value: bigint): boolean => Number.isSafeInteger(Number(value));
