import { createHash } from 'node:crypto';
import { ByteReader, type ByteWriter, canonicalJson, type Expr, partsOf, type Scalar } from '../../engine/index.js';

const [MISSING, NUMBER, TEXT, FALSE, TRUE] = [0, 1, 2, 3, 4];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * What conditions read when an event was taken, and its record does not tell later: the features of its key, and what reference lists
 * had. An alert shows it of each of its events.
 */
export class Noted {
  /** @param ids of the expressions (`noteIdOf`), whose `values` these are; `null`: missing. */
  constructor(
    readonly ids: readonly number[],
    readonly values: readonly (Scalar | null)[],
  ) {}

  /** `undefined`: it was not noted. */
  valueOf(id: number): Scalar | null | undefined {
    const at = this.ids.indexOf(id);
    return at < 0 ? undefined : this.values[at]!;
  }

  write(out: ByteWriter): void {
    for (const [i, id] of this.ids.entries()) {
      out.varint(id);
      const value = this.values[i]!;
      out.varint(tagOf(value));
      if (typeof value === 'number') out.double(value);
      else if (typeof value === 'string') out.byteString(encoder.encode(value));
    }
  }

  /** Reads to the end of the bytes. */
  static read(bytes: Uint8Array): Noted {
    const input = new ByteReader(bytes);
    const [ids, values]: [number[], (Scalar | null)[]] = [[], []];
    while (!input.done) {
      ids.push(input.varint());
      values.push(readValue(input));
    }
    return new Noted(ids, values);
  }
}

function tagOf(value: Scalar | null): number {
  if (value === null) return MISSING;
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  return typeof value === 'number' ? NUMBER : TEXT;
}

function readValue(input: ByteReader): Scalar | null {
  const tag = input.varint();
  if (tag === NUMBER) return input.double();
  if (tag === TEXT) return decoder.decode(input.byteString());
  return tag === MISSING ? null : tag === TRUE;
}

/** 48 bits that stand for an expression, in states too: features and lists have other numbers in another rule set. */
export const noteIdOf = (expr: Expr): number =>
  createHash('sha256').update(canonicalJson(expr)).digest().readUIntBE(0, 6);

/** Whether it is to be noted: the record of the event, and those of the events before, do not tell it. */
export const isNoted = (expr: Expr): boolean =>
  expr.op === 'feature' || (expr.op === 'lookup' && seesEventAlone(expr.key));

const BEYOND_EVENT: ReadonlySet<Expr['op']> = new Set(['feature', 'aggregate', 'nth']);

const seesEventAlone = (expr: Expr): boolean => !BEYOND_EVENT.has(expr.op) && partsOf(expr).every(seesEventAlone);

/** A value that is no scalar, or no number, is missing. */
export function scalarOr(value: unknown): Scalar | null {
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}
