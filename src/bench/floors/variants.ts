import type { Row } from '../stream/generate.js';
import type { Variant } from '../workloads/variants.js';
import { type Floor, stateOf } from './floor.js';

const TEN_MINUTES = 600_000;

interface Account {
  before: Row | null;
  /** By variant, the large rows that wait for the country; `null` until there is one. */
  readonly waiting: (Row[] | null)[];
}

/** W6-N: every variant looks at every row, as N copies of W1's floor would, but with the account looked up once. */
export class VariantsFloor implements Floor {
  matches = 0;
  private readonly accounts = new Map<string, Account>();
  private readonly newAccount = (): Account => ({ before: null, waiting: new Array(this.variants.length).fill(null) });

  constructor(private readonly variants: readonly Variant[]) {}

  take(row: Row): void {
    const account = stateOf(this.accounts, row.accountId, this.newAccount);
    const { before, waiting } = account;
    const { variants } = this;
    account.before = row;
    for (let k = 0; k < variants.length; k++) {
      const variant = variants[k]!;
      const rows = waiting[k]!;
      if (rows !== null && rows.length > 0) this.continueWaiting(rows, variant, row);
      if (before === null || before.amount <= variant.threshold || row.type !== variant.type) continue;
      if (row.eventTime - before.eventTime >= TEN_MINUTES) continue;
      if (rows === null) waiting[k] = [before];
      else rows.push(before);
    }
  }

  finish(): void {}

  private continueWaiting(rows: Row[], variant: Variant, row: Row): void {
    let ended = 0;
    while (ended < rows.length && row.eventTime - rows[ended]!.eventTime >= TEN_MINUTES) ended++;
    if (ended > 0) rows.splice(0, ended);
    if (row.country !== variant.country) return;
    this.matches += rows.length;
    rows.length = 0;
  }
}
