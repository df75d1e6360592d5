import { Backoff, pause } from './backoff.js';
import type { Clock } from './ports/clock.js';
import type { Log, LogRecord } from './ports/log.js';

export interface TopicFollowerOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Has one partition; made compacted where it is not there. */
  readonly topic: string;
  /** Each record once, in order. */
  readonly onRecord: (record: LogRecord) => void;
  /** Something may have been read. Never called twice at once. */
  readonly onRead: () => Promise<void>;
  readonly onTrouble: (error: Error | null) => void;
}

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5000;

/** A topic of one partition that many processes read whole, each for itself, and write to: its order is what they agree on. */
export class TopicFollower {
  private position = 0;
  private readonly stopping = new AbortController();
  private following: Promise<void> | null = null;
  private telling: Promise<void> = Promise.resolve();

  constructor(private readonly options: TopicFollowerOptions) {}

  /** Reads all there is; waits for a log that is away. Of what it reads `onRead` is not told. */
  async open(): Promise<void> {
    const { log, clock, topic, onTrouble } = this.options;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    for (;;) {
      try {
        await log.createTopic({ name: topic, partitions: 1, compacted: true });
        await this.readToEnd();
        onTrouble(null);
        return;
      } catch (error) {
        onTrouble(error as Error);
        await pause(clock, retry.next(), this.stopping.signal);
        if (this.stopping.signal.aborted) throw new Error(`stopped before ${topic} was read`, { cause: error });
      }
    }
  }

  /** Goes on reading, until `stop`. */
  follow(): void {
    this.following ??= this.followOn();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.telling;
  }

  async readToEnd(): Promise<void> {
    const { log, topic } = this.options;
    const { signal } = this.stopping;
    const { begin, end } = await log.offsets({ topic, partition: 0 });
    for await (const batch of log.read({ topic, partition: 0 }, Math.max(begin, this.position), { to: end, signal }))
      this.take(batch.records, batch.nextOffset);
  }

  /** Writes records; resolves when they are durable. */
  async append(records: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[]): Promise<void> {
    const { log, topic } = this.options;
    const producer = await log.producer();
    try {
      await producer.send(records.map((record) => ({ topic, partition: 0, ...record })));
    } finally {
      await producer.close();
    }
  }

  /** Has `onRead` told; resolves when it, and those before it, are done. */
  tell(): Promise<void> {
    this.telling = this.telling.then(() => this.options.onRead());
    return this.telling;
  }

  /** Records may be read twice, to the end and by following. */
  private take(records: readonly LogRecord[], next: number): void {
    for (const record of records) {
      if (record.offset < this.position) continue;
      this.position = record.offset + 1;
      this.options.onRecord(record);
    }
    this.position = Math.max(this.position, next);
  }

  private async followOn(): Promise<void> {
    const { log, clock, topic, onTrouble } = this.options;
    const { signal } = this.stopping;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    while (!signal.aborted) {
      try {
        for await (const batch of log.read({ topic, partition: 0 }, this.position, { follow: true, signal })) {
          retry.reset();
          onTrouble(null);
          this.take(batch.records, batch.nextOffset);
          await this.tell();
        }
      } catch (error) {
        if (!signal.aborted) onTrouble(error as Error);
      }
      await pause(clock, retry.next(), signal);
    }
  }
}
