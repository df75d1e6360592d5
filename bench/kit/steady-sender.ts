import { setTimeout as sleep } from 'node:timers/promises';
import type { LogProducer, OutgoingRecord } from '../../src/runtime/ports/log.js';

const TICK_MS = 1;

/**
 * Sends at a steady rate, in ticks of a millisecond. What could not be sent in time is sent late, all of it: `dueAt` of a record
 * does not move when the sender is held up.
 */
export class SteadySender {
  private stopped = false;
  private failure: unknown = null;

  /** `make`: the record of this number (0, 1, …); `dueAt` by `performance.now()`. */
  constructor(
    private readonly producer: LogProducer,
    private readonly ratePerSecond: number,
    private readonly make: (number: number, dueAt: number) => OutgoingRecord,
  ) {}

  /** Sends `count` records, or until it is stopped. Resolves with how many, when all are durable. */
  async run(count = Number.POSITIVE_INFINITY): Promise<number> {
    const begin = performance.now();
    const pending = new Set<Promise<void>>();
    let sent = 0;
    while (sent < count && !this.stopped) {
      const records: OutgoingRecord[] = [];
      const now = performance.now();
      for (; sent < count; sent++) {
        const dueAt = begin + (sent * 1000) / this.ratePerSecond;
        if (dueAt > now) break;
        records.push(this.make(sent, dueAt));
      }
      if (records.length > 0) this.send(records, pending);
      if (this.failure !== null) throw this.failure;
      await sleep(TICK_MS);
    }
    await Promise.all(pending);
    return sent;
  }

  stop(): void {
    this.stopped = true;
  }

  private send(records: readonly OutgoingRecord[], pending: Set<Promise<void>>): void {
    const done = this.producer.send(records).then(
      () => void pending.delete(done),
      (error: unknown) => {
        this.failure = error;
      },
    );
    pending.add(done);
  }
}
