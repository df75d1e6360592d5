/**
 * Transactions at a steady rate for the whole run, made so that the alerts are known beforehand.
 *
 * 1. They come in units, each with accounts (and a device) of its own, so that what one unit gives depends on nothing else.
 * 2. Event time is a clock of its own: it goes on by one tick a tick, and stands still while nothing can be sent. So no record is
 *    late, however long the brokers are away.
 * 3. Records are numbered in the order of sending. All are sent once; sending again is the producer's affair.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { partitionOfKey } from '../../src/runtime/partitioner.js';
import type { LogProducer, OutgoingRecord } from '../../src/runtime/ports/log.js';
import type { Dice } from './random.js';

/** Header that holds the number of a record, as text. */
export const NUMBER = 'number';
const TICK_MS = 50;
/** More unsent records than this stop the clock. */
const UNSENT_MAX = 2000;
/** Between two records of a unit, in ticks; less than the window of `silence` in all. */
const GAP_MAX = 20;
/** By so much event time what was sent is older than the last record in the end: the windows of `silence`, and disorder, are over. */
const FLUSH_MS = 60_000;
/** How long after its last record an alert must be there, in event time, for as long as nothing goes wrong. */
const WINDOW_MS = 3_000;

type Fields = Readonly<Record<string, unknown>>;

interface Unit {
  /** Of the alert it gives, `pattern/key`. */
  readonly alert: string | null;
  readonly records: readonly Fields[];
}

/** An alert that must come. */
interface Due {
  readonly alert: string;
  /** Event time from which on it must be found. */
  readonly at: number;
}

export interface TrafficOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly unitsPerSecond: number;
}

export class Traffic {
  sent = 0;
  acknowledged = 0;
  private readonly due: Due[] = [];
  private readonly planned = new Map<number, Fields[]>();
  private readonly failures: unknown[] = [];
  private readonly begunAt = Date.now();
  private tick = 0;
  private units = 0;
  private stopping = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: TrafficOptions,
    private readonly producer: LogProducer,
    private readonly encoder: TransactionEncoder,
    private readonly dice: Dice,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Event time by now. */
  get time(): number {
    return this.begunAt + this.tick * TICK_MS;
  }

  /** Alerts (`pattern/key`) that must be found once the event time `until` has been processed. */
  expected(until = Number.POSITIVE_INFINITY): readonly string[] {
    return this.due.filter(({ at }) => at < until).map(({ alert }) => alert);
  }

  /** Ends what is begun, and lets time pass for each partition. Resolves when every record is acknowledged. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    for (let later = 1; later <= 2; later++) {
      for (let partition = 0; partition < this.options.partitions; partition++) {
        const accountId = this.accountIn(partition);
        this.send([{ accountId, type: 'Other', deviceId: accountId }], this.time + later * FLUSH_MS);
      }
    }
    while (this.acknowledged < this.sent) {
      this.mustNotHaveFailed();
      await sleep(TICK_MS);
    }
  }

  private async run(): Promise<void> {
    const { unitsPerSecond } = this.options;
    let owed = 0;
    while (!this.stopping || this.planned.size > 0) {
      this.mustNotHaveFailed();
      const slept = performance.now();
      await sleep(TICK_MS);
      if (this.sent - this.acknowledged > UNSENT_MAX) continue;
      const ticks = Math.max(1, Math.min(10, Math.round((performance.now() - slept) / TICK_MS)));
      for (let i = 0; i < ticks; i++) {
        this.tick++;
        owed += this.stopping ? 0 : (unitsPerSecond * TICK_MS) / 1000;
        for (; owed >= 1; owed--) this.plan(this.unit(this.units++));
        const records = this.planned.get(this.tick);
        this.planned.delete(this.tick);
        if (records !== undefined) this.send(records, this.time);
      }
    }
  }

  private mustNotHaveFailed(): void {
    if (this.failures.length > 0) throw new Error('a record could not be sent', { cause: this.failures[0] });
  }

  private unit(number: number): Unit {
    const accountId = `unit-${number}`;
    switch (number % 5) {
      case 0:
        return {
          alert: `drain/${accountId}`,
          records: [
            { accountId, type: 'Deposit', amount: 12_000 },
            { accountId, type: 'Withdrawal', amount: 300 },
            { accountId, type: 'Transfer', amount: 9_000, country: 'OFFSHORE' },
          ],
        };
      case 1: {
        const types = ['DeviceAdded', 'PayeeAdded', 'Transfer'];
        const deviceId = `device-${number}`;
        return {
          alert: `relay/${deviceId}`,
          records: types.map((type, i) => ({ accountId: `${accountId}-${i}`, deviceId, type, amount: 10 })),
        };
      }
      case 2: {
        const isBusy = this.dice.chance(0.5);
        const records = Array.from({ length: isBusy ? 5 : 4 }, () => ({ accountId, type: 'Payment', amount: 10 }));
        return { alert: isBusy ? `busy/${accountId}` : null, records };
      }
      case 3: {
        const deviceId = `device-${number}`;
        const accounts = Array.from({ length: 3 }, (_, i) => `${accountId}-${i}`);
        return {
          alert: `shared/${accounts.at(-1)}`,
          records: accounts.map((each) => ({ accountId: each, deviceId, type: 'Refund', amount: 10 })),
        };
      }
      default: {
        const isSilent = this.dice.chance(0.5);
        const types = isSilent ? ['PasswordReset'] : ['PasswordReset', 'Login'];
        return { alert: isSilent ? `silence/${accountId}` : null, records: types.map((type) => ({ accountId, type })) };
      }
    }
  }

  private plan({ alert, records }: Unit): void {
    let tick = this.tick;
    for (const record of records) {
      const others = this.planned.get(tick) ?? [];
      others.push(record);
      this.planned.set(tick, others);
      tick += this.dice.between(1, GAP_MAX);
    }
    if (alert !== null) this.due.push({ alert, at: this.begunAt + tick * TICK_MS + WINDOW_MS });
  }

  /** Records of one tick have one time: they are of different units. */
  private send(all: readonly Fields[], time: number): void {
    const records = all.map((fields, i): OutgoingRecord => {
      const number = this.sent + i;
      const encoded = this.encoder.encode({ transactionId: `t-${number}`, eventTime: time, ...fields });
      if (!encoded.ok) throw new Error(`a record of our own does not hold: ${JSON.stringify(encoded.errors)}`);
      const headers = new Map([[NUMBER, Buffer.from(String(number))]]);
      return {
        topic: this.options.topic,
        key: Buffer.from(String(fields.accountId)),
        value: encoded.bytes,
        headers,
      };
    });
    this.sent += records.length;
    for (const record of records) {
      this.producer.send([record]).then(
        () => void this.acknowledged++,
        (error: unknown) => void this.failures.push(error),
      );
    }
  }

  private accountIn(partition: number): string {
    for (let i = 0; ; i++) {
      const account = `flush-${i}`;
      if (partitionOfKey(Buffer.from(account), this.options.partitions) === partition) return account;
    }
  }
}
