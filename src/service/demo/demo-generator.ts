import { accountOf } from './demo-accounts.js';
import { ordinary } from './demo-ordinary.js';
import { SCENARIOS, type Scenario } from './demo-scenarios.js';
import type { Activity, DemoTransaction } from './demo-transaction.js';
import { mixSeed, Random } from './random.js';

export interface DemoGeneratorOptions {
  /** Whole number; the same seed and position give the same transactions. */
  readonly seed: number;
  /** How many accounts there are; at least 100. Default 200,000: at 50 events/s each acts about once an hour. */
  readonly accounts?: number;
  /** How many records earlier generators of this seed have written. Default 0. */
  readonly position?: number;
}

/** A step of an episode that is still to come. `deliverAt` is when the source hands it over, `delayMs` later than it happened. */
interface PlannedStep {
  readonly episode: number;
  readonly account: number;
  readonly activity: Activity;
  readonly deliverAt: number;
  readonly delayMs: number;
  readonly last: boolean;
}

const DEFAULT_ACCOUNTS = 200_000;
const DELAY_MAX_MS = 1_500;
const OVERDUE_MAX_MS = 400;
const FIRST_EPISODE_AFTER_MS = 300;
const EPISODE_EVERY_MS: readonly [number, number] = [5_000, 9_000];
const EPISODES_MAX = 16;

/** The most by which a transaction is older than one handed over before it. */
export const OUT_OF_ORDER_MAX_MS = 2_000;

/**
 * The activity of many accounts, with episodes of fraud woven in. Pure: no clock, all randomness from the seed.
 *
 * Invariants:
 * 1. A transaction's id is unique among all generators of a log, as long as no two that wrote anything began at the same
 *    position: it is made of the position at the start and a count.
 * 2. Within an episode, transactions are handed over in order of event time; nothing else happens on its account meanwhile.
 * 3. `next(t)` gives an event time above `t - OUT_OF_ORDER_MAX_MS` and not above `t`, as long as `t` does not fall.
 * 4. At most `EPISODES_MAX` accounts are kept for episodes.
 */
export class DemoGenerator {
  private readonly seed: number;
  private readonly accounts: number;
  private readonly position: number;
  private readonly stride: number;
  private readonly random: Random;
  private readonly traces: Random;
  /** Accounts with an episode, and the time until which nothing else happens on them. */
  private readonly busy = new Map<number, number>();
  private planned: PlannedStep[] = [];
  private generated = 0;
  private cursor: number;
  private episodes = 0;
  private nextEpisodeAt: number | null = null;

  constructor(options: DemoGeneratorOptions) {
    this.seed = options.seed;
    this.accounts = options.accounts ?? DEFAULT_ACCOUNTS;
    this.position = options.position ?? 0;
    if (!Number.isSafeInteger(this.accounts) || this.accounts < 100) {
      throw new RangeError(`accounts must be a whole number of at least 100, not ${this.accounts}`);
    }
    if (!Number.isSafeInteger(this.position) || this.position < 0) {
      throw new RangeError(`position must be a whole number from 0, not ${this.position}`);
    }
    this.random = new Random(mixSeed(this.seed, this.position, 1));
    this.traces = new Random(mixSeed(this.seed, this.position, 2));
    this.stride = strideFor(this.accounts);
    this.cursor = this.position;
  }

  /** The next transaction. `eventTime` is when it is due, in milliseconds since 1970; it must not fall from call to call. */
  next(eventTime: number): DemoTransaction {
    this.planEpisodes(eventTime);
    return this.takePlanned(eventTime) ?? this.takeOrdinary(eventTime);
  }

  /** A W3C `traceparent` for the next record: sampled, with ids of their own. */
  traceparent(): string {
    return `00-${this.traces.hex(32)}-${this.traces.hex(16)}-01`;
  }

  private planEpisodes(now: number): void {
    this.nextEpisodeAt ??= now + FIRST_EPISODE_AFTER_MS;
    if (now < this.nextEpisodeAt) {
      return;
    }
    for (const [account, until] of this.busy) {
      if (until <= now) {
        this.busy.delete(account);
      }
    }
    if (this.busy.size >= EPISODES_MAX) {
      return;
    }
    const [low, high] = EPISODE_EVERY_MS;
    this.nextEpisodeAt = now + this.random.int(low, high);
    const scenario = SCENARIOS[this.episodes % SCENARIOS.length];
    if (scenario !== undefined) {
      this.planEpisode(scenario, now);
    }
    this.episodes += 1;
  }

  private planEpisode(scenario: Scenario, now: number): void {
    const account = this.restingAccount();
    const { accounts, random } = this;
    const steps = scenario.steps({ account: accountOf(account, this.seed), random, accounts });
    // Half of them come at once: a first alert should not wait for a delay.
    const delayMs = this.episodes === 0 || random.chance(0.5) ? 0 : random.int(0, DELAY_MAX_MS);
    let deliverAt = now + delayMs;
    steps.forEach((step, index) => {
      deliverAt += step.afterMs;
      const last = index === steps.length - 1;
      this.planned.push({ episode: this.episodes, account, activity: step.activity, deliverAt, delayMs, last });
    });
    this.planned.sort((a, b) => a.deliverAt - b.deliverAt || a.episode - b.episode);
    this.busy.set(account, Number.POSITIVE_INFINITY);
  }

  /** An account half a round away from those that act now: it has rested, and stays at rest without its episode (2). */
  private restingAccount(): number {
    for (let i = Math.floor(this.accounts / 2); ; i += 1) {
      const account = this.accountAt(this.cursor + i);
      if (!this.busy.has(account)) {
        return account;
      }
    }
  }

  private takePlanned(now: number): DemoTransaction | undefined {
    const first = this.planned[0];
    if (first === undefined || first.deliverAt > now) {
      return undefined;
    }
    const overdueMs = now - first.deliverAt - OVERDUE_MAX_MS;
    if (overdueMs > 0) {
      // The stream stood still or is slow: what is to come moves with it, so that nothing is late (3).
      this.planned = this.planned.map((step) => ({ ...step, deliverAt: step.deliverAt + overdueMs }));
    }
    const taken = this.planned.shift() ?? first;
    if (taken.last) {
      // A delayed transaction must not slip in between the steps (2).
      this.busy.set(taken.account, now + DELAY_MAX_MS);
    }
    return this.transaction(taken.account, taken.deliverAt - taken.delayMs, taken.activity);
  }

  private takeOrdinary(now: number): DemoTransaction {
    let account = this.accountAt(this.cursor);
    this.cursor += 1;
    while (this.busy.has(account)) {
      account = this.accountAt(this.cursor);
      this.cursor += 1;
    }
    const delayMs = this.random.chance(0.7) ? 0 : this.random.int(1, DELAY_MAX_MS);
    const activity = ordinary(accountOf(account, this.seed), this.random, this.accounts);
    return this.transaction(account, now - delayMs, activity);
  }

  private accountAt(cursor: number): number {
    return ((cursor % this.accounts) * this.stride) % this.accounts;
  }

  private transaction(accountIndex: number, eventTime: number, activity: Activity): DemoTransaction {
    const account = accountOf(accountIndex, this.seed);
    const id = `demo-${this.position}-${this.generated}`;
    this.generated += 1;
    return {
      transactionId: id,
      accountId: account.accountId,
      eventTime: Math.round(eventTime),
      amount: 0,
      currency: account.currency,
      country: account.country,
      channel: '',
      status: 'approved',
      counterparty: null,
      merchantId: null,
      merchantCategory: null,
      terminalId: null,
      cardId: null,
      deviceId: account.deviceId,
      ip: account.ip,
      ...activity,
    };
  }
}

/** A step near the golden section that has no divisor in common with `n`: walking by it visits every number once a round. */
function strideFor(n: number): number {
  let stride = Math.floor(n * 0.618);
  while (greatestCommonDivisor(stride, n) !== 1) {
    stride += 1;
  }
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
