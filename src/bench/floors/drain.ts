import type { Row } from '../stream/generate.js';
import { type Floor, stateOf } from './floor.js';

interface Account {
  /** The row before, if it is large. */
  large: Row | null;
  /** Large rows and the withdrawals right after them, in turn, in order of time. */
  open: Row[];
}

/** Nobody's: most accounts never have anything open. */
const NOTHING: Row[] = [];

/** W1: more than 10,000, next a withdrawal, followed by OFFSHORE, all less than `windowMs` apart. */
export class DrainFloor implements Floor {
  matches = 0;
  /** The last match, so that none can be left out. */
  last: { readonly large: Row; readonly cash: Row; readonly offshore: Row } | null = null;
  private readonly accounts = new Map<string, Account>();

  constructor(private readonly windowMs: number) {}

  take(row: Row): void {
    const account = stateOf(this.accounts, row.accountId, newAccount);
    const { open, large } = account;
    if (open.length > 0) this.continueOpen(open, row);
    if (large !== null && row.type === 'Withdrawal' && row.eventTime - large.eventTime < this.windowMs) {
      if (account.open === NOTHING) account.open = [];
      account.open.push(large, row);
    }
    account.large = row.amount > 10_000 ? row : null;
  }

  finish(): void {}

  private continueOpen(open: Row[], row: Row): void {
    let ended = 0;
    while (ended < open.length && row.eventTime - open[ended]!.eventTime >= this.windowMs) ended += 2;
    if (ended > 0) open.splice(0, ended);
    if (row.country !== 'OFFSHORE') return;
    for (let i = 0; i < open.length; i += 2) {
      this.last = { large: open[i]!, cash: open[i + 1]!, offshore: row };
      this.matches++;
    }
    open.length = 0;
  }
}

const newAccount = (): Account => ({ large: null, open: NOTHING });
