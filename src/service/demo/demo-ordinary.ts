import type { DemoAccount } from './demo-accounts.js';
import { accountIdOf } from './demo-accounts.js';
import type { Activity } from './demo-transaction.js';
import type { Random } from './random.js';

/**
 * Daily life on an account. The amounts keep clear of what the shipped patterns look for, so that nearly every alert of
 * the demo comes from an episode of fraud: payments of 5 or more, transfers below any salary, deposits below 6,000.
 */
interface Shop {
  readonly category: string;
  readonly median: number;
  readonly sigma: number;
  readonly online: boolean;
}

const SHOPS: readonly [Shop, ...Shop[]] = [
  { category: 'grocery', median: 34, sigma: 0.6, online: false },
  { category: 'grocery', median: 34, sigma: 0.6, online: false },
  { category: 'restaurant', median: 28, sigma: 0.5, online: false },
  { category: 'fuel', median: 58, sigma: 0.3, online: false },
  { category: 'pharmacy', median: 16, sigma: 0.5, online: false },
  { category: 'clothing', median: 62, sigma: 0.6, online: true },
  { category: 'electronics', median: 95, sigma: 0.8, online: true },
  { category: 'travel', median: 180, sigma: 0.7, online: true },
  { category: 'streaming', median: 12, sigma: 0.2, online: true },
];

type Maker = (account: DemoAccount, random: Random, accounts: number) => Activity;

/** Each kind with its share of a hundred. */
const KINDS: readonly (readonly [number, Maker])[] = [
  [55, payment],
  [13, login],
  [11, transfer],
  [8, withdrawal],
  [7, salary],
  [2, refund],
  [1, () => ({ type: 'LoginFailed', channel: 'online' })],
  [1, () => ({ type: 'ProfileChanged', channel: 'online' })],
  [1, payee],
  [1, (_account, random) => ({ type: 'DeviceAdded', channel: 'online', deviceId: `dev-${random.hex(10)}` })],
];

const KINDS_TOTAL = KINDS.reduce((sum, [share]) => sum + share, 0);

/** One ordinary thing that the holder of an account does. */
export function ordinary(account: DemoAccount, random: Random, accounts: number): Activity {
  let at = random.unit() * KINDS_TOTAL;
  for (const [share, make] of KINDS) {
    at -= share;
    if (at < 0) {
      return make(account, random, accounts);
    }
  }
  return payment(account, random);
}

function payment(account: DemoAccount, random: Random): Activity {
  const shop = random.pick(SHOPS);
  const online = shop.online && random.chance(0.8);
  return {
    type: 'Payment',
    amount: random.spend(shop.median * account.wealth, shop.sigma, 5, 450),
    country: random.chance(0.97) ? account.country : random.pick(['FR', 'IT', 'ES', 'AT', 'NL', 'US']),
    channel: online ? 'online' : 'pos',
    merchantId: `${shop.category}-${random.int(1, 400)}`,
    merchantCategory: shop.category,
    terminalId: online ? null : `pos-${random.int(1, 9_000)}`,
    cardId: account.cardId,
    deviceId: online ? account.deviceId : null,
    ip: online ? account.ip : null,
  };
}

function login(): Activity {
  return { type: 'Login', channel: 'online' };
}

function transfer(account: DemoAccount, random: Random, accounts: number): Activity {
  return {
    type: 'Transfer',
    amount: random.spend(110 * account.wealth, 0.8, 10, 900),
    channel: 'online',
    counterparty: accountIdOf(random.int(0, accounts - 1)),
  };
}

function withdrawal(account: DemoAccount, random: Random): Activity {
  return {
    type: 'Withdrawal',
    amount: random.int(2, 20) * 10,
    channel: 'atm',
    terminalId: `atm-${account.country}-${random.int(1, 600)}`,
    cardId: account.cardId,
    deviceId: null,
    ip: null,
  };
}

function salary(account: DemoAccount, random: Random): Activity {
  return {
    type: 'Deposit',
    amount: random.spend(2_300 * account.wealth, 0.3, 1_200, 4_800),
    counterparty: `employer-${random.int(1, 3_000)}`,
    deviceId: null,
    ip: null,
  };
}

function refund(account: DemoAccount, random: Random): Activity {
  const shop = random.pick(SHOPS);
  return {
    type: 'Refund',
    amount: random.spend(shop.median, shop.sigma, 5, 300),
    channel: 'online',
    merchantId: `${shop.category}-${random.int(1, 400)}`,
    merchantCategory: shop.category,
    cardId: account.cardId,
    deviceId: null,
    ip: null,
  };
}

function payee(_account: DemoAccount, random: Random, accounts: number): Activity {
  return { type: 'PayeeAdded', channel: 'online', counterparty: accountIdOf(random.int(0, accounts - 1)) };
}
