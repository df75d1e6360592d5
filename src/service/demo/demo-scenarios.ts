import { accountIdOf, addressOf, type DemoAccount } from './demo-accounts.js';
import type { Activity } from './demo-transaction.js';
import type { Random } from './random.js';

/** What a scenario may use to fill in its steps. */
export interface ScenarioContext {
  readonly account: DemoAccount;
  readonly random: Random;
  /** Number of accounts there are. */
  readonly accounts: number;
}

/** An activity and how long after the one before it happens, in milliseconds of event time. */
export interface ScenarioStep {
  readonly afterMs: number;
  readonly activity: Activity;
}

/** An episode of fraud as the catalogue of patterns describes it: all its steps are on one account. */
export interface Scenario {
  /** Id of the shipped pattern that it is meant to set off. */
  readonly name: string;
  steps(context: ScenarioContext): readonly ScenarioStep[];
}

/** In the order in which the stream plays them, over and over. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'offshore-drain', steps: offshoreDrain },
  { name: 'card-testing', steps: cardTesting },
  { name: 'account-takeover', steps: accountTakeover },
  { name: 'mule-pass-through', steps: mulePassThrough },
  { name: 'structuring', steps: structuring },
  { name: 'sim-swap', steps: simSwap },
  { name: 'two-atms', steps: twoAtms },
  { name: 'deposit-then-crypto', steps: depositThenCrypto },
  { name: 'balance-probing', steps: balanceProbing },
  { name: 'transfer-burst', steps: transferBurst },
  { name: 'refund-abuse', steps: refundAbuse },
  { name: 'new-device-transfer', steps: newDeviceTransfer },
  { name: 'card-retry', steps: cardRetry },
];

function offshoreDrain({ account, random, accounts }: ScenarioContext): readonly ScenarioStep[] {
  return [
    step(0, {
      type: 'Transfer',
      amount: random.spend(17_000, 0.35, 10_500, 60_000),
      channel: 'online',
      counterparty: partner(random, accounts),
    }),
    step(random.int(500, 900), cash(account, random, random.int(5, 20) * 100)),
    step(random.int(500, 900), {
      type: 'Transfer',
      amount: random.spend(8_000, 0.3, 4_000, 20_000),
      country: 'OFFSHORE',
      channel: 'online',
      counterparty: `trust-${random.hex(6)}`,
    }),
  ];
}

function cardTesting({ account, random }: ScenarioContext): readonly ScenarioStep[] {
  const thief = { deviceId: `dev-${random.hex(10)}`, ip: addressOf(random) };
  const tries = repeat(6, (i) =>
    step(i === 0 ? 0 : random.int(700, 1_500), {
      ...cardPayment(account, random, random.amount(0.5, 4.9), 'streaming'),
      ...thief,
      status: i % 3 === 1 ? 'declined' : 'approved',
    }),
  );
  return [
    ...tries,
    step(random.int(1_000, 2_500), {
      ...cardPayment(account, random, random.spend(780, 0.3, 520, 1_900), 'electronics'),
      ...thief,
    }),
  ];
}

function accountTakeover({ random, accounts }: ScenarioContext): readonly ScenarioStep[] {
  const thief = { channel: 'online', deviceId: `dev-${random.hex(10)}`, ip: addressOf(random) } as const;
  const payee = partner(random, accounts);
  return [
    ...repeat(5, (i) => step(i === 0 ? 0 : random.int(400, 1_200), { type: 'LoginFailed', ...thief })),
    step(random.int(800, 1_500), { type: 'Login', ...thief }),
    step(random.int(1_000, 2_500), { type: 'PayeeAdded', counterparty: payee, ...thief }),
    step(random.int(1_000, 2_500), {
      type: 'Transfer',
      amount: random.spend(4_200, 0.25, 2_500, 8_500),
      counterparty: payee,
      ...thief,
    }),
  ];
}

function mulePassThrough({ random, accounts }: ScenarioContext): readonly ScenarioStep[] {
  const credit = random.spend(5_200, 0.2, 3_200, 8_500);
  return [
    step(0, { type: 'Deposit', amount: credit, channel: 'online', counterparty: partner(random, accounts) }),
    step(random.int(2_000, 6_000), {
      type: 'Transfer',
      amount: Math.round(credit * (0.93 + 0.05 * random.unit()) * 100) / 100,
      channel: 'online',
      counterparty: partner(random, accounts),
    }),
  ];
}

function structuring({ random }: ScenarioContext): readonly ScenarioStep[] {
  return repeat(3, (i) =>
    step(i === 0 ? 0 : random.int(2_000, 4_000), {
      type: 'Deposit',
      amount: random.int(180, 199) * 50,
      channel: 'branch',
      deviceId: null,
      ip: null,
    }),
  );
}

function simSwap({ random, accounts }: ScenarioContext): readonly ScenarioStep[] {
  const thief = { channel: 'online', deviceId: `dev-${random.hex(10)}`, ip: addressOf(random) } as const;
  return [
    step(0, { type: 'SimSwap', deviceId: null, ip: null }),
    step(random.int(1_500, 3_000), { type: 'PasswordReset', ...thief }),
    step(random.int(800, 1_800), { type: 'DeviceAdded', ...thief }),
    step(random.int(1_500, 3_000), {
      type: 'Transfer',
      amount: random.spend(3_600, 0.25, 2_200, 7_500),
      counterparty: partner(random, accounts),
      ...thief,
    }),
  ];
}

function twoAtms({ account, random }: ScenarioContext): readonly ScenarioStep[] {
  const far = random.pick(['BR', 'TH', 'ZA', 'MX']);
  return [
    step(0, cash(account, random, 400)),
    step(random.int(4_000, 9_000), {
      ...cash(account, random, 600),
      country: far,
      terminalId: `atm-${far}-${random.int(1, 600)}`,
    }),
  ];
}

function depositThenCrypto({ account, random }: ScenarioContext): readonly ScenarioStep[] {
  const credit = random.spend(6_800, 0.15, 5_200, 8_900);
  return [
    step(0, { type: 'Deposit', amount: credit, channel: 'online', counterparty: `loan-${random.hex(6)}` }),
    step(random.int(3_000, 7_000), {
      ...cardPayment(account, random, Math.round(credit * 0.8), 'crypto'),
      deviceId: account.deviceId,
      ip: account.ip,
    }),
  ];
}

function balanceProbing({ account, random }: ScenarioContext): readonly ScenarioStep[] {
  const first = random.int(6, 9) * 100;
  return repeat(4, (i) =>
    step(i === 0 ? 0 : random.int(900, 2_000), {
      ...cardPayment(account, random, first / 2 ** i, 'electronics'),
      deviceId: `dev-${account.deviceId.slice(-6)}f`,
      status: i < 3 ? 'declined' : 'approved',
    }),
  );
}

function transferBurst({ random, accounts }: ScenarioContext): readonly ScenarioStep[] {
  return repeat(10, (i) =>
    step(i === 0 ? 0 : random.int(400, 1_100), {
      type: 'Transfer',
      amount: random.spend(1_600, 0.25, 1_050, 2_900),
      channel: 'online',
      counterparty: partner(random, accounts),
    }),
  );
}

function refundAbuse({ account, random }: ScenarioContext): readonly ScenarioStep[] {
  const merchantId = `clothing-${random.int(1, 400)}`;
  return repeat(3, (i) => {
    const amount = random.amount(80, 260);
    return [
      step(i === 0 ? 0 : random.int(1_000, 2_000), {
        ...cardPayment(account, random, amount, 'clothing'),
        merchantId,
      }),
      step(random.int(1_000, 2_000), {
        type: 'Refund',
        amount,
        channel: 'online',
        merchantId,
        merchantCategory: 'clothing',
        cardId: account.cardId,
      } as const),
    ];
  }).flat();
}

function newDeviceTransfer({ random, accounts }: ScenarioContext): readonly ScenarioStep[] {
  const thief = { channel: 'online', deviceId: `dev-${random.hex(10)}`, ip: addressOf(random) } as const;
  const payee = partner(random, accounts);
  return [
    step(0, { type: 'DeviceAdded', ...thief }),
    step(random.int(1_500, 3_000), { type: 'PayeeAdded', counterparty: payee, ...thief }),
    step(random.int(1_500, 3_000), {
      type: 'Transfer',
      amount: random.spend(7_500, 0.15, 5_500, 9_800),
      counterparty: payee,
      ...thief,
    }),
  ];
}

function cardRetry({ account, random }: ScenarioContext): readonly ScenarioStep[] {
  const attempt = cardPayment(account, random, random.amount(120, 380), 'electronics');
  return [
    step(0, { ...attempt, status: 'declined' }),
    step(random.int(2_000, 5_000), { ...attempt, status: 'declined' }),
    step(random.int(2_000, 5_000), { ...attempt, status: 'approved' }),
  ];
}

function step(afterMs: number, activity: Activity): ScenarioStep {
  return { afterMs, activity };
}

function repeat<T>(times: number, make: (index: number) => T): T[] {
  return Array.from({ length: times }, (_unused, index) => make(index));
}

function partner(random: Random, accounts: number): string {
  return accountIdOf(random.int(0, accounts - 1));
}

function cash(account: DemoAccount, random: Random, amount: number): Activity {
  return {
    type: 'Withdrawal',
    amount,
    channel: 'atm',
    terminalId: `atm-${account.country}-${random.int(1, 600)}`,
    cardId: account.cardId,
    deviceId: null,
    ip: null,
  };
}

function cardPayment(account: DemoAccount, random: Random, amount: number, category: string): Activity {
  return {
    type: 'Payment',
    amount,
    channel: 'online',
    merchantId: `${category}-${random.int(1, 400)}`,
    merchantCategory: category,
    cardId: account.cardId,
  };
}
