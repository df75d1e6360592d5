import type { Row } from '../stream/generate.js';
import { type Floor, stateOf } from './floor.js';

const MINUTE = 60_000;

interface Account {
  /** Times of the deposits that may still count. */
  deposits: number[];
  /** How many deposits were dropped from `deposits`. */
  dropped: number;
  /** For each withdrawal, how many deposits came before it, dropped ones included. Ascending. */
  withdrawals: number[];
}

/**
 * W5 by counting alone: deposits in an unbroken row among the deposits, any later withdrawal, any later transfer, all within
 * a minute. A transfer, and a withdrawal before it that has n deposits within the window before itself, stand for n (n + 1) / 2
 * matches: one for each way to choose the first and the last deposit.
 */
export class CombinationsFloor implements Floor {
  matches = 0;
  private readonly accounts = new Map<string, Account>();

  take(row: Row): void {
    const account = stateOf(this.accounts, row.accountId, newAccount);
    if (row.type === 'Deposit') account.deposits.push(row.eventTime);
    else if (row.type === 'Withdrawal') account.withdrawals.push(account.dropped + account.deposits.length);
    else if (row.type === 'Transfer') this.count(account, row.eventTime);
  }

  finish(): void {}

  private count(account: Account, time: number): void {
    const { deposits, withdrawals } = account;
    let ended = 0;
    while (ended < deposits.length && time - deposits[ended]! >= MINUTE) ended++;
    if (ended > 0) deposits.splice(0, ended);
    account.dropped += ended;
    let useless = 0;
    while (useless < withdrawals.length && withdrawals[useless]! <= account.dropped) useless++;
    if (useless > 0) withdrawals.splice(0, useless);
    for (const before of withdrawals) {
      const n = before - account.dropped;
      this.matches += (n * (n + 1)) / 2;
    }
  }
}

const newAccount = (): Account => ({ deposits: [], dropped: 0, withdrawals: [] });
