/** Fraud that the shipped pattern `offshore-drain` finds: three records of an account give one alert. */
import type { TransactionEncoder } from '../../../src/connectors/avro/transaction-encoder.js';
import type { OutgoingRecord } from '../../../src/runtime/ports/log.js';

export const PATTERN = 'offshore-drain';
/** 2026-01-01T12:00:00Z */
export const START = 1_767_268_800_000;

const STEPS = [
  { type: 'Deposit', amount: 12_000 },
  { type: 'Withdrawal', amount: 300 },
  { type: 'Transfer', amount: 9_000, country: 'OFFSHORE' },
] as const;

export type Step = 0 | 1 | 2;

export class Drains {
  constructor(
    readonly topic: string,
    private readonly encoder: TransactionEncoder,
  ) {}

  bytes(account: string, step: Step, more: Readonly<Record<string, unknown>> = {}): Buffer {
    const encoded = this.encoder.encode({
      transactionId: `${account}-${step}`,
      accountId: account,
      eventTime: START + step * 1_000,
      ...STEPS[step],
      ...more,
    });
    if (!encoded.ok) throw new Error(`the test's own record does not hold: ${JSON.stringify(encoded.errors)}`);
    return encoded.bytes;
  }

  record(account: string, step: Step, more?: Readonly<Record<string, unknown>>): OutgoingRecord {
    return { topic: this.topic, key: Buffer.from(account), value: this.bytes(account, step, more) };
  }

  whole(account: string): OutgoingRecord[] {
    return [this.record(account, 0), this.record(account, 1), this.record(account, 2)];
  }
}
