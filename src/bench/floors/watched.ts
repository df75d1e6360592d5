import type { Row } from '../stream/generate.js';
import { type Floor, stateOf } from './floor.js';

const none = (): Row[] => [];

/** More than 100 at one of the first `count` merchants, followed by OFFSHORE, within `windowMs`; a match for each. */
export class WatchedFloor implements Floor {
  matches = 0;
  private readonly watched: ReadonlySet<string>;
  private readonly accounts = new Map<string, Row[]>();

  constructor(
    count: number,
    private readonly windowMs: number,
  ) {
    this.watched = new Set(Array.from({ length: count }, (_, merchant) => `M${merchant}`));
  }

  take(row: Row): void {
    if (row.country === 'OFFSHORE') {
      const waiting = this.accounts.get(row.accountId);
      if (waiting !== undefined) {
        for (const { eventTime } of waiting) if (row.eventTime - eventTime < this.windowMs) this.matches++;
        waiting.length = 0;
      }
    }
    if (row.amount > 100 && this.watched.has(row.merchantId)) stateOf(this.accounts, row.accountId, none).push(row);
  }

  finish(): void {}
}
