import { type FieldPacket, Types } from 'mysql2';
import type { SqlColumn } from './sql-database.js';

const INTEGERS: ReadonlySet<unknown> = new Set([
  ...[Types.TINY, Types.SHORT, Types.LONG, Types.LONGLONG, Types.INT24, Types.YEAR],
]);
const NUMBERS: ReadonlySet<unknown> = new Set([Types.FLOAT, Types.DOUBLE, Types.DECIMAL, Types.NEWDECIMAL]);
const TIMES: ReadonlySet<unknown> = new Set([Types.TIMESTAMP, Types.DATETIME]);
const BITS: unknown = Types.BIT;

/** What `typeCast` gets of a value. */
interface Value {
  readonly type: string;
  readonly length: number;
  string(): string | null;
  buffer(): Buffer | null;
}

/** The value as the server sends it; a flag (`TINYINT(1)`, `BIT(1)`) as a word. */
export function exactText(value: Value): string | null {
  if (value.type === 'BIT') {
    const bits = value.buffer();
    if (bits === null) return null;
    return value.length === 1 ? String(bits[0] !== 0) : String(bits.readUIntBE(0, Math.min(bits.length, 6)));
  }
  const isFlag = value.type === 'TINY' && value.length === 1;
  const text = value.string();
  return isFlag && text !== null ? String(text !== '0') : text;
}

export function columnOfMysql({ name, columnType, columnLength }: FieldPacket): SqlColumn {
  const isFlag = columnLength === 1 && (columnType === Types.TINY || columnType === BITS);
  if (isFlag) return { name, type: 'boolean' };
  if (INTEGERS.has(columnType) || columnType === BITS) return { name, type: 'integer' };
  if (NUMBERS.has(columnType)) return { name, type: 'number' };
  return { name, type: TIMES.has(columnType) ? 'time' : 'text' };
}
