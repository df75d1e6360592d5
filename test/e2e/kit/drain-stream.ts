import type { LogProducer } from '../../../src/runtime/ports/log.js';
import type { Drains } from './drains.js';

/** Sends drains, one account after another, interleaved and without a pause, until it is told to stop. */
export class DrainStream {
  readonly accounts: string[] = [];
  private stopping = false;
  private readonly running: Promise<void>;

  constructor(
    private readonly name: string,
    private readonly drains: Drains,
    private readonly producer: LogProducer,
  ) {
    this.running = this.run();
  }

  /** Completes the drains that are begun. Resolves, with all accounts, when every record is durable. */
  async stop(): Promise<readonly string[]> {
    this.stopping = true;
    await this.running;
    return this.accounts;
  }

  private async run(): Promise<void> {
    const { drains, producer, accounts } = this;
    let last: string | null = null;
    let lastButOne: string | null = null;
    while (!this.stopping) {
      const account = `${this.name}-${accounts.length}`;
      accounts.push(account);
      const records = [drains.record(account, 0)];
      if (last !== null) records.push(drains.record(last, 1));
      if (lastButOne !== null) records.push(drains.record(lastButOne, 2));
      await producer.send(records);
      [last, lastButOne] = [account, last];
    }
    if (last !== null) await producer.send([drains.record(last, 1), drains.record(last, 2)]);
    if (lastButOne !== null) await producer.send([drains.record(lastButOne, 2)]);
  }
}
