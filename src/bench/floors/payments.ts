import type { Row } from '../stream/generate.js';
import { type Floor, stateOf } from './floor.js';

const TEN_MINUTES = 600_000;
const HOUR = 3_600_000;

const none = (): Row[] => [];

function dropBefore(rows: Row[], time: number, windowMs: number): void {
  let ended = 0;
  while (ended < rows.length && time - rows[ended]!.eventTime >= windowMs) ended++;
  if (ended > 0) rows.splice(0, ended);
}

/** W2: three or more payments under 5, followed by one over 500; then all begins anew. */
export class CardTestFloor implements Floor {
  matches = 0;
  /** The last match, so that none can be left out. */
  last: { readonly small: readonly Row[]; readonly large: Row } | null = null;
  private readonly small = new Map<string, Row[]>();

  take(row: Row): void {
    if (row.type !== 'Payment') return;
    if (row.amount < 5) {
      stateOf(this.small, row.accountId, none).push(row);
    } else if (row.amount > 500) {
      const small = this.small.get(row.accountId);
      if (small === undefined) return;
      dropBefore(small, row.eventTime, TEN_MINUTES);
      if (small.length < 3) return;
      this.matches++;
      this.last = { small, large: row };
      this.small.delete(row.accountId);
    }
  }

  finish(): void {}
}

/** W3: two to four transfers just under 10,000, followed by one with which they are more than 25,000; then all begins anew. */
export class StructuringFloor implements Floor {
  matches = 0;
  /** The last match, so that none can be left out. */
  last: { readonly parts: readonly Row[]; readonly last: Row } | null = null;
  private readonly parts = new Map<string, Row[]>();

  take(row: Row): void {
    if (row.type !== 'Transfer' || row.amount < 8000 || row.amount > 9999) return;
    const parts = stateOf(this.parts, row.accountId, none);
    dropBefore(parts, row.eventTime, HOUR);
    // Any three and one more are at least 32,000.
    const enough =
      parts.length >= 3 || (parts.length === 2 && parts[0]!.amount + parts[1]!.amount + row.amount > 25_000);
    if (!enough) {
      parts.push(row);
      return;
    }
    this.matches++;
    this.last = { parts, last: row };
    this.parts.delete(row.accountId);
  }

  finish(): void {}
}
