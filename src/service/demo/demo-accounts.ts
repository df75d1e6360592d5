import { mixSeed, Random } from './random.js';

/** What stays the same about an account holder. */
export interface DemoAccount {
  readonly accountId: string;
  readonly country: string;
  readonly currency: string;
  readonly cardId: string;
  readonly deviceId: string;
  readonly ip: string;
  /** How much more or less than the median the holder spends. */
  readonly wealth: number;
}

/** Home countries with their currency; the ones named more often are more common. */
const HOMES: readonly [readonly [string, string], ...(readonly [string, string])[]] = [
  ['DE', 'EUR'],
  ['DE', 'EUR'],
  ['FR', 'EUR'],
  ['FR', 'EUR'],
  ['IT', 'EUR'],
  ['ES', 'EUR'],
  ['NL', 'EUR'],
  ['BE', 'EUR'],
  ['AT', 'EUR'],
  ['PT', 'EUR'],
  ['IE', 'EUR'],
  ['GB', 'GBP'],
  ['CH', 'CHF'],
];

export function accountIdOf(index: number): string {
  return `acc-${String(index).padStart(6, '0')}`;
}

/** The account of that number: computed, not stored, so that any number of them costs no memory. */
export function accountOf(index: number, seed: number): DemoAccount {
  const random = new Random(mixSeed(seed, index, 0xacc));
  const [country, currency] = random.pick(HOMES);
  return {
    accountId: accountIdOf(index),
    country,
    currency,
    cardId: `card-${random.hex(12)}`,
    deviceId: `dev-${random.hex(10)}`,
    ip: addressOf(random),
    wealth: random.spend(1, 0.35, 0.4, 2.5),
  };
}

/** An address of the range that is kept for tests of networks (198.18.0.0/15): it is nobody's. */
export function addressOf(random: Random): string {
  return `198.${random.int(18, 19)}.${random.int(0, 255)}.${random.int(1, 254)}`;
}
