import type { Expr } from '../../engine/index.js';

/** `other`: a record, list or map, of which only its presence can be tested. `unknown`: fits everywhere. */
export type ValueType = 'number' | 'string' | 'boolean' | 'other' | 'unknown';

/** A checked expression. */
export interface Typed {
  readonly expr: Expr;
  readonly type: ValueType;
  /** The values that a field of an enum can have. */
  readonly symbols?: readonly string[];
}

/** `null` stands for "wrong, and reported": what is around it is checked no further. */
export type Checked = Typed | null;

export const typed = (expr: Expr, type: ValueType, symbols?: readonly string[]): Typed =>
  symbols === undefined ? { expr, type } : { expr, type, symbols };

const SAID: Readonly<Record<ValueType, string>> = {
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  other: 'a record or list',
  unknown: 'a value',
};

export const say = (type: ValueType): string => SAID[type];

export const fits = (type: ValueType, wanted: ValueType): boolean => type === wanted || type === 'unknown';
