import { DemoGenerator, type DemoGeneratorOptions, OUT_OF_ORDER_MAX_MS } from './demo-generator.js';
import { SCENARIOS } from './demo-scenarios.js';
import type { DemoTransaction } from './demo-transaction.js';

const START = Date.UTC(2026, 0, 15, 9);
const EVERY_MS = 20;

interface Arrival {
  readonly dueAt: number;
  readonly transaction: DemoTransaction;
}

function arrivals(options: DemoGeneratorOptions, seconds: number, everyMs = EVERY_MS): Arrival[] {
  const generator = new DemoGenerator(options);
  return Array.from({ length: Math.floor((seconds * 1_000) / everyMs) }, (_unused, i) => {
    const dueAt = START + i * everyMs;
    return { dueAt, transaction: generator.next(dueAt) };
  });
}

function byAccount(of: readonly Arrival[]): Map<string, Arrival[]> {
  const map = new Map<string, Arrival[]>();
  for (const arrival of of) {
    const list = map.get(arrival.transaction.accountId);
    if (list === undefined) {
      map.set(arrival.transaction.accountId, [arrival]);
    } else {
      list.push(arrival);
    }
  }
  return map;
}

/** Accounts on which a large payment was followed next by a withdrawal, and then by anything offshore. */
function offshoreDrains(of: readonly Arrival[]): Arrival[] {
  const found: Arrival[] = [];
  for (const list of byAccount(of).values()) {
    const sorted = [...list].sort((a, b) => a.transaction.eventTime - b.transaction.eventTime);
    const large = sorted.findIndex(({ transaction }) => transaction.amount > 10_000);
    const last = sorted.findIndex(({ transaction }, i) => i > large + 1 && transaction.country === 'OFFSHORE');
    const complete = sorted[last];
    if (large >= 0 && complete !== undefined && sorted[large + 1]?.transaction.type === 'Withdrawal') {
      found.push(complete);
    }
  }
  return found;
}

describe('DemoGenerator', () => {
  it('gives the same transactions and trace ids for the same seed, and others for another', () => {
    expect(arrivals({ seed: 7 }, 20)).toEqual(arrivals({ seed: 7 }, 20));
    expect(arrivals({ seed: 7 }, 1)).not.toEqual(arrivals({ seed: 8 }, 1));
    expect(new DemoGenerator({ seed: 7 }).traceparent()).toBe(new DemoGenerator({ seed: 7 }).traceparent());
  });

  it.each([1, 2, 3, 42, 2026])(
    'completes its first episode, the offshore drain, within three seconds (seed %i)',
    (seed) => {
      const [first] = offshoreDrains(arrivals({ seed }, 10));
      expect(first?.dueAt).toBeLessThanOrEqual(START + 3_000);
    },
  );

  it('plays an episode every five to ten seconds from then on', () => {
    const minutes = 10;
    const victims = [...byAccount(arrivals({ seed: 5 }, minutes * 60)).values()].filter((list) => list.length > 1);
    expect(victims.length).toBeGreaterThanOrEqual(minutes * 6);
    expect(victims.length).toBeLessThanOrEqual(minutes * 12);
  });

  it('keeps out-of-orderness within its bound, and does bring some', () => {
    let highest = 0;
    let behind = 0;
    let outside = 0;
    for (const { dueAt, transaction } of arrivals({ seed: 3 }, 300)) {
      outside += transaction.eventTime > dueAt || transaction.eventTime <= highest - OUT_OF_ORDER_MAX_MS ? 1 : 0;
      behind += transaction.eventTime < highest ? 1 : 0;
      highest = Math.max(highest, transaction.eventTime);
    }
    expect(outside).toBe(0);
    expect(behind).toBeGreaterThan(1_000);
  });

  it('keeps the bound and the order of episodes when the stream stands still for a minute', () => {
    const generator = new DemoGenerator({ seed: 1 });
    const before = Array.from({ length: 60 }, (_unused, i) => START + i * EVERY_MS);
    const after = Array.from({ length: 500 }, (_unused, i) => START + 60_000 + i * EVERY_MS);
    const all = [...before, ...after].map((dueAt) => ({ dueAt, transaction: generator.next(dueAt) }));
    for (const { dueAt, transaction } of all) {
      expect(transaction.eventTime).toBeGreaterThan(dueAt - OUT_OF_ORDER_MAX_MS);
    }
    expect(offshoreDrains(all).length).toBeGreaterThanOrEqual(1);
  });

  it('leaves the account of an episode alone until the episode is over, with few accounts too', () => {
    const all = arrivals({ seed: 9, accounts: 100 }, 600);
    const large = all.filter(({ transaction }) => transaction.amount > 10_000 && transaction.country !== 'OFFSHORE');
    expect(large.length).toBeGreaterThan(3);
    for (const first of large) {
      const later = all
        .map(({ transaction }) => transaction)
        .filter(({ accountId, eventTime }) => {
          return accountId === first.transaction.accountId && eventTime > first.transaction.eventTime;
        })
        .sort((a, b) => a.eventTime - b.eventTime);
      expect(later.slice(0, 2).map(({ type, country }) => [type, country === 'OFFSHORE'])).toEqual([
        ['Withdrawal', false],
        ['Transfer', true],
      ]);
    }
  });

  it('never repeats an id, also when a later start goes on at another position', () => {
    const first = arrivals({ seed: 1 }, 30);
    const second = arrivals({ seed: 1, position: first.length }, 30);
    const half = arrivals({ seed: 1, position: first.length / 2 }, 30);
    const ids = [...first, ...second, ...half].map(({ transaction }) => transaction.transactionId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('goes on with other accounts after a restart', () => {
    const first = new Set(arrivals({ seed: 1 }, 60).map(({ transaction }) => transaction.accountId));
    const second = arrivals({ seed: 1, position: 3_000 }, 4).map(({ transaction }) => transaction.accountId);
    expect(second.filter((account) => first.has(account)).length).toBeLessThan(10);
  });

  it('refuses options that make no sense', () => {
    expect(() => new DemoGenerator({ seed: 1, accounts: 99 })).toThrow(
      'accounts must be a whole number of at least 100',
    );
    expect(() => new DemoGenerator({ seed: 1, position: -1 })).toThrow('position must be a whole number from 0');
  });
});

describe('daily life', () => {
  const ordinaryOnes = [...byAccount(arrivals({ seed: 11 }, 600)).values()]
    .filter((list) => list.length === 1)
    .flatMap((list) => list.map(({ transaction }) => transaction));

  it('has most of the kinds of the schema, payments most often', () => {
    const kinds = new Map<string, number>();
    for (const { type } of ordinaryOnes) {
      kinds.set(type, (kinds.get(type) ?? 0) + 1);
    }
    expect([...kinds.keys()].sort()).toEqual(
      [
        'Deposit',
        'DeviceAdded',
        'Login',
        'LoginFailed',
        'PayeeAdded',
        'Payment',
        'ProfileChanged',
        'Refund',
        'Transfer',
        'Withdrawal',
      ].sort(),
    );
    expect((kinds.get('Payment') ?? 0) / ordinaryOnes.length).toBeCloseTo(0.55, 1);
  });

  it('keeps clear of the amounts that episodes have', () => {
    const odd = ordinaryOnes.filter(({ type, amount, country }) => {
      return amount >= 5_000 || country === 'OFFSHORE' || (type === 'Payment' && amount < 5);
    });
    expect(odd).toEqual([]);
  });

  it('has log-normal amounts: half of the grocery bills near the median, with a long tail', () => {
    const bills = ordinaryOnes
      .filter(({ merchantCategory, type }) => merchantCategory === 'grocery' && type === 'Payment')
      .map(({ amount }) => amount)
      .sort((a, b) => a - b);
    const median = bills[Math.floor(bills.length / 2)] ?? 0;
    expect(median).toBeGreaterThan(28);
    expect(median).toBeLessThan(40);
    expect(bills.at(-1)).toBeGreaterThan(100);
  });
});

describe('SCENARIOS', () => {
  it('are all played within two minutes', () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(12);
    const victims = [...byAccount(arrivals({ seed: 4 }, 120)).values()].filter((list) => list.length > 1);
    expect(victims.length).toBeGreaterThanOrEqual(SCENARIOS.length);
  });

  it('have a name of their own each', () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  });
});
