import type { Scalar } from './expression.js';

/**
 * Numbers, texts and booleans as doubles, so that one column of a window holds any of them.
 *
 *     number     itself, if it is at most `VALUE_MAX`; + 0, so that there is one zero
 *     text       2^1000 + id * 2^948: above all numbers; `Texts` knows the text
 *     boolean    -2^1000 (false) and -1.5 * 2^1000 (true): below all numbers
 *     missing    NaN
 *
 * Codes are equal exactly if the values are, and the numbers among sorted codes stand together.
 */
export interface Texts {
  /** A whole number below 2^52 for the text, which `release` must give back once for each time it was asked for. */
  idOf(text: string): number;
  textOf(id: number): string;
  release(id: number): void;
}

/** So that no sum leaves the range of doubles, which would outlast the value that did it. */
export const VALUE_MAX = 1e290;

const TEXTS = 2 ** 1000;
const TEXT_STEP = 2 ** 948;
const FALSE = -(2 ** 1000);
const TRUE = 1.5 * FALSE;

/** Code of a number; NaN for everything else. */
export const numberCode = (value: unknown): number =>
  typeof value === 'number' && Math.abs(value) <= VALUE_MAX ? value + 0 : Number.NaN;

/** Code of a number, text or boolean; NaN for everything else. A text is asked for at `texts`. */
export function scalarCode(value: unknown, texts: Texts): number {
  if (typeof value === 'string') return TEXTS + texts.idOf(value) * TEXT_STEP;
  if (typeof value === 'boolean') return booleanCode(value);
  return numberCode(value);
}

export const booleanCode = (value: boolean): number => (value ? TRUE : FALSE);

/** Whether the code is that of a number, which it is then. */
export const isNumberCode = (code: number): boolean => Math.abs(code) <= VALUE_MAX;

/** Whether the code is that of a text, which holds a place at `Texts`. */
export const isTextCode = (code: number): boolean => code >= TEXTS;

export const textIdOf = (code: number): number => (code - TEXTS) / TEXT_STEP;

/** The value of a code; `undefined`: missing. */
export function scalarOf(code: number, texts: Pick<Texts, 'textOf'> | null): Scalar | undefined {
  if (Number.isNaN(code)) return undefined;
  if (isNumberCode(code)) return code;
  return isTextCode(code) ? texts?.textOf(textIdOf(code)) : code === TRUE;
}

/** The present value of a cell (`aggregate/feature-table.ts`); `undefined`: missing. */
export const cellValue = ({
  value,
  texts,
}: {
  value: number;
  texts: Pick<Texts, 'textOf'> | null;
}): Scalar | undefined => scalarOf(value, texts);

/** A code of a text that is kept nowhere but in `texts`. */
export function loneText(text: string): { readonly code: number; readonly texts: Pick<Texts, 'textOf'> } {
  return { code: TEXTS, texts: { textOf: () => text } };
}
