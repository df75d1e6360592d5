import { BenchError } from '../bench-error.js';

/** Numbers that make a stream. */
export interface StreamSpec {
  /** As it was asked for, such as `u5k/200000/10000`. */
  readonly name: string;
  readonly seed: number;
  readonly events: number;
  readonly accounts: number;
  /** Events a second of event time. */
  readonly rate: number;
  /** An account's place is `accounts * u ** skew` for a uniform `u`: 1 is uniform. */
  readonly skew: 1 | 3;
  /** `eventTime` is at most this much earlier than order of arrival says, in ms. */
  readonly disorderMs: number;
  /** Whether one account in fifty is a structurer and one a card tester. */
  readonly profiles: boolean;
}

type Base = Omit<StreamSpec, 'name' | 'seed'>;

const BIG: Base = { events: 2_000_000, accounts: 100_000, rate: 5000, skew: 1, disorderMs: 2000, profiles: true };

const BASES: ReadonlyMap<string, Base> = new Map([
  ['u5k', BIG],
  ['u500', { ...BIG, rate: 500 }],
  ['z5k', { ...BIG, skew: 3 }],
  ['hot', { ...BIG, events: 20_000, accounts: 100, rate: 20, profiles: false }],
]);

const SEED = 42;

/**
 * The stream that `NAME` or `NAME/EVENTS/ACCOUNTS/RATE` stands for; numbers at the end may be left out.
 * Throws `BenchError` `UNKNOWN_STREAM`.
 */
export function parseStream(text: string): StreamSpec {
  const [name = '', ...numbers] = text.split('/');
  const base = BASES.get(name);
  const [events, accounts, rate] = numbers.map(Number);
  const valid = numbers.length <= 3 && numbers.every((n) => /^[1-9]\d*$/.test(n));
  if (base === undefined || !valid) {
    throw new BenchError(
      'UNKNOWN_STREAM',
      `There is no stream ${text}. Streams are ${[...BASES.keys()].join(', ')}, also as NAME/EVENTS/ACCOUNTS/RATE.`,
    );
  }
  return {
    ...base,
    name: text,
    seed: SEED,
    events: events ?? base.events,
    accounts: accounts ?? base.accounts,
    rate: rate ?? base.rate,
  };
}

/** The same stream with fewer events, and accounts in proportion, so that each account has as many events as before. */
export function shortened(spec: StreamSpec, events: number): StreamSpec {
  if (events >= spec.events) return spec;
  const accounts = Math.max(1, Math.round((spec.accounts * events) / spec.events));
  return { ...spec, name: `${spec.name.split('/')[0]}/${events}/${accounts}/${spec.rate}`, events, accounts };
}
