import { createHash } from 'node:crypto';
import { ByteReader, type ByteWriter, canonicalJson, type Expr, partsOf, type Scalar } from '../../engine/index.js';
import { readScalar, writeScalar } from '../scalar-bytes.js';

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
      writeScalar(out, this.values[i]!);
    }
  }

  /** Reads to the end of the bytes. */
  static read(bytes: Uint8Array): Noted {
    const input = new ByteReader(bytes);
    const [ids, values]: [number[], (Scalar | null)[]] = [[], []];
    while (!input.done) {
      ids.push(input.varint());
      values.push(readScalar(input));
    }
    return new Noted(ids, values);
  }
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
