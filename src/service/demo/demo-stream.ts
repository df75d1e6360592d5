import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, LogProducer, OutgoingRecord } from '../../runtime/ports/log.js';
import { DemoGenerator } from './demo-generator.js';
import type { DemoTransaction } from './demo-transaction.js';

export interface DemoStreamOptions {
  /** Stays the caller's: `stop` does not close it. */
  readonly producer: LogProducer;
  readonly clock: Clock;
  readonly topic: string;
  /** The record's value. Called once a transaction; what it throws ends the stream with that trouble. */
  readonly encode: (transaction: DemoTransaction) => Uint8Array;
  readonly seed: number;
  readonly accounts?: number;
  /** What `demoPosition` gives for the topic. */
  readonly position: number;
  /** Records a second; above 0. Default 50. */
  readonly ratePerSecond?: number;
  /** After a stall, records that were due longer ago than this are left out. Default 2,000. */
  readonly catchUpMaxMs?: number;
  /** Told when nothing gets through any more, in words, and `null` when it does again. Must not throw. */
  readonly onTrouble?: (trouble: string | null) => void;
}

export interface DemoStreamStatus {
  readonly state: 'created' | 'running' | 'stopped' | 'failed';
  readonly ratePerSecond: number;
  /** Records that are durable in the log. */
  readonly sent: number;
  /** Records left out after stalls. */
  readonly skipped: number;
  /** Why nothing gets through at present, in words. */
  readonly trouble: string | null;
}

const TICK_MS = 20;
const BATCH_MAX = 5_000;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;
const STOP_WAIT_MS = 2_000;

/**
 * Where the demo goes on in a topic: the number of records that were ever written there. Two starts get the same answer
 * only if nothing was written between them, so ids never repeat.
 */
export async function demoPosition(log: Log, topic: string): Promise<number> {
  const info = (await log.topics()).find(({ name }) => name === topic);
  let position = 0;
  for (let partition = 0; partition < (info?.partitions ?? 0); partition += 1) {
    position += (await log.offsets({ topic, partition })).end;
  }
  return position;
}

/**
 * Writes demo transactions to a topic at a steady rate.
 *
 *     created ──start()──▶ running ──stop()──▶ stopped
 *                             └──encode threw──▶ failed
 *
 * Invariants:
 * 1. Record `n` is due at `origin + n / rate`: the rate does not drift, however late the timer is.
 * 2. One send is under way at a time. A batch that failed is sent again, the same bytes, before anything newer.
 * 3. After a stall at most `catchUpMaxMs` worth of records is caught up on; the rest is skipped and counted.
 */
export class DemoStream {
  private readonly generator: DemoGenerator;
  private readonly ratePerSecond: number;
  private readonly catchUpMaxMs: number;
  private readonly encoder = new TextEncoder();
  private state: DemoStreamStatus['state'] = 'created';
  private trouble: string | null = null;
  private origin = 0;
  /** Number of the next record that is due (1). */
  private due = 0;
  private sent = 0;
  private skipped = 0;
  private unsent: readonly OutgoingRecord[] = [];
  private retryMs = RETRY_MIN_MS;
  private cancelTimer: () => void = () => undefined;
  private sending: Promise<void> = Promise.resolve();

  constructor(private readonly options: DemoStreamOptions) {
    const { seed, accounts, position } = options;
    this.generator = new DemoGenerator({ seed, accounts, position });
    this.ratePerSecond = options.ratePerSecond ?? 50;
    this.catchUpMaxMs = options.catchUpMaxMs ?? 2_000;
    if (!Number.isFinite(this.ratePerSecond) || this.ratePerSecond <= 0) {
      throw new RangeError(`ratePerSecond must be above 0, not ${this.ratePerSecond}`);
    }
  }

  /** Starts writing; the first record is due at once. Starting twice, or after a stop, is an error of the caller. */
  start(): void {
    if (this.state !== 'created') {
      throw new Error(`a demo stream starts once; this one is ${this.state}`);
    }
    this.state = 'running';
    this.origin = this.options.clock.now();
    this.tick();
  }

  /**
   * Resolves when what was being sent is durable, or after 2 s of waiting for that. Records that failed and wait to be
   * sent again are dropped. Never throws.
   */
  async stop(): Promise<void> {
    this.cancelTimer();
    if (this.state !== 'failed') {
      this.state = 'stopped';
    }
    let cancelWait: () => void = () => undefined;
    const waited = new Promise<void>((resolve) => {
      cancelWait = this.options.clock.schedule(STOP_WAIT_MS, resolve);
    });
    await Promise.race([this.sending, waited]);
    cancelWait();
  }

  status(): DemoStreamStatus {
    const { state, ratePerSecond, sent, skipped, trouble } = this;
    return { state, ratePerSecond, sent, skipped, trouble };
  }

  private tick(): void {
    this.sending = this.send().then((waitMs) => {
      if (this.state === 'running') {
        this.cancelTimer = this.options.clock.schedule(waitMs, () => this.tick());
      }
    });
  }

  /** Sends what is due; gives the time to wait before the next look. */
  private async send(): Promise<number> {
    if (this.unsent.length === 0 && !this.fill()) {
      return 0;
    }
    if (this.unsent.length > 0) {
      try {
        await this.options.producer.send(this.unsent);
      } catch (error) {
        return this.failed(error);
      }
      this.sent += this.unsent.length;
      this.unsent = [];
      this.retryMs = RETRY_MIN_MS;
      this.tell(null);
    }
    return Math.max(TICK_MS, this.dueAt(this.due) - this.options.clock.now());
  }

  private failed(error: unknown): number {
    this.tell(messageOf(error));
    const waitMs = this.retryMs;
    this.retryMs = Math.min(RETRY_MAX_MS, this.retryMs * 2);
    return waitMs;
  }

  private tell(trouble: string | null): void {
    if (trouble !== this.trouble) {
      this.trouble = trouble;
      this.options.onTrouble?.(trouble);
    }
  }

  /** Makes the records that are due now; false when that failed for good. */
  private fill(): boolean {
    const now = this.options.clock.now();
    this.skipStale(now);
    const records: OutgoingRecord[] = [];
    try {
      while (records.length < BATCH_MAX && this.dueAt(this.due) <= now) {
        records.push(this.record(this.dueAt(this.due)));
        this.due += 1;
      }
    } catch (error) {
      this.state = 'failed';
      this.tell(messageOf(error));
      return false;
    }
    this.unsent = records;
    return true;
  }

  private skipStale(now: number): void {
    const oldest = Math.ceil(((now - this.catchUpMaxMs - this.origin) * this.ratePerSecond) / 1_000);
    if (oldest > this.due) {
      this.skipped += oldest - this.due;
      this.due = oldest;
    }
  }

  private dueAt(n: number): number {
    return this.origin + Math.floor((n * 1_000) / this.ratePerSecond);
  }

  private record(dueAt: number): OutgoingRecord {
    const transaction = this.generator.next(dueAt);
    return {
      topic: this.options.topic,
      key: this.encoder.encode(transaction.accountId),
      value: this.options.encode(transaction),
      headers: new Map([['traceparent', this.encoder.encode(this.generator.traceparent())]]),
      timestamp: dueAt,
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
