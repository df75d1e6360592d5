import { mulberry32 } from './random.js';
import type { StreamSpec } from './spec.js';

/**
 * One transaction of the benchmark stream. The order of the fields is that of its NDJSON.
 * An alias, not an interface: it must fit where any record of fields does.
 */
export type Row = {
  readonly id: string;
  readonly accountId: string;
  readonly type: string;
  readonly amount: number;
  readonly country: string;
  readonly deviceId: string;
  readonly merchantId: string;
  /** In ms since 1970; at most `disorderMs` before that of an earlier row. */
  readonly eventTime: number;
};

export const TYPES = ['Deposit', 'Withdrawal', 'Transfer', 'Payment'] as const;
export const COUNTRIES = 'OFFSHORE GB FR DE ES IT NL BE PL SE NO DK FI IE PT AT CH CZ GR US'.split(' ');

const STARTS_AT = 1_700_000_000_000;
const MERCHANTS = 10_000;
const PROFILES = 50;
const STRUCTURER = 0;
const CARD_TESTER = 1;

/** Rows up to a share of all draws: `u` below `upTo` (and not below the one before) gives `value`. */
type Shares<T> = readonly { readonly upTo: number; readonly value: T }[];

/** Amounts in cents, `from` included and `to` not. */
interface Cents {
  readonly from: number;
  readonly to: number;
}

interface Habit {
  readonly types: Shares<string>;
  readonly amounts: Shares<Cents>;
}

const cents = (from: number, to: number): Cents => ({ from, to });
const share = <T>(upTo: number, value: T): { readonly upTo: number; readonly value: T } => ({ upTo, value });

const ORDINARY_AMOUNTS: Shares<Cents> = [
  share(0.1, cents(100, 500)),
  share(0.6, cents(500, 20_000)),
  share(0.85, cents(20_000, 200_000)),
  share(0.95, cents(200_000, 1_000_000)),
  share(1, cents(1_000_000, 5_000_000)),
];
const ORDINARY: Habit = {
  types: [share(0.15, 'Deposit'), share(0.4, 'Withdrawal'), share(0.6, 'Transfer'), share(1, 'Payment')],
  amounts: ORDINARY_AMOUNTS,
};
const STRUCTURERS: Habit = {
  types: [share(0.6, 'Transfer'), share(0.8, 'Withdrawal'), share(1, 'Payment')],
  amounts: [share(0.3, cents(800_000, 1_000_000)), share(1, cents(500, 200_000))],
};
const CARD_TESTERS: Habit = {
  types: [share(0.8, 'Payment'), share(0.9, 'Withdrawal'), share(1, 'Deposit')],
  amounts: [share(0.5, cents(100, 500)), share(1, cents(500, 200_000))],
};
const EVEN: Habit = {
  types: [share(0.25, 'Deposit'), share(0.5, 'Withdrawal'), share(0.75, 'Transfer'), share(1, 'Payment')],
  amounts: ORDINARY_AMOUNTS,
};

/** The rows of a stream in order of arrival. Eight draws a row, always in the same order. */
export function generateRows(spec: StreamSpec): readonly Row[] {
  const draw = mulberry32(spec.seed);
  const names = Array.from({ length: spec.accounts }, (_, k) => `A${k}`);
  const rows = new Array<Row>(spec.events);
  for (let i = 0; i < spec.events; i++) {
    const account = Math.floor(spec.accounts * skewed(draw(), spec.skew));
    const habit = habitOf(account, spec.profiles);
    const type = pick(habit.types, draw());
    const { from, to } = pick(habit.amounts, draw());
    const amount = (from + Math.floor(draw() * (to - from))) / 100;
    const country = COUNTRIES[Math.floor(draw() * COUNTRIES.length)]!;
    const device = draw() < 0.9 ? account * 2 : account * 2 + 1;
    const merchant = Math.floor(draw() * MERCHANTS);
    const behind = Math.floor(draw() * (spec.disorderMs + 1));
    rows[i] = {
      id: `t${i}`,
      accountId: names[account]!,
      type,
      amount,
      country,
      deviceId: `D${device}`,
      merchantId: `M${merchant}`,
      eventTime: STARTS_AT + Math.floor((i * 1000) / spec.rate) - behind,
    };
  }
  return rows;
}

const skewed = (u: number, skew: 1 | 3): number => (skew === 3 ? u * u * u : u);

function habitOf(account: number, profiles: boolean): Habit {
  if (!profiles) return EVEN;
  if (account % PROFILES === STRUCTURER) return STRUCTURERS;
  return account % PROFILES === CARD_TESTER ? CARD_TESTERS : ORDINARY;
}

function pick<T>(shares: Shares<T>, u: number): T {
  for (const { upTo, value } of shares) if (u < upTo) return value;
  return shares.at(-1)!.value;
}
