import type { Row } from '../stream/generate.js';
import { type Floor, stateOf } from './floor.js';

interface Chain {
  readonly beganAt: number;
  /** How many of `countries` were found. */
  found: number;
}

const none = (): Chain[] => [];

/** More than 10,000, followed by each of `countries` in turn, within `windowMs`. */
export class ChainFloor implements Floor {
  matches = 0;
  private readonly accounts = new Map<string, Chain[]>();

  constructor(
    private readonly countries: readonly string[],
    private readonly windowMs: number,
  ) {}

  take(row: Row): void {
    const chains = stateOf(this.accounts, row.accountId, none);
    let kept = 0;
    for (const chain of chains) {
      if (row.eventTime - chain.beganAt >= this.windowMs) continue;
      if (row.country === this.countries[chain.found] && ++chain.found === this.countries.length) this.matches++;
      else chains[kept++] = chain;
    }
    chains.length = kept;
    if (row.amount > 10_000) chains.push({ beganAt: row.eventTime, found: 0 });
  }

  finish(): void {}
}
