import type { Log, LogProducer, LogRecord, OutgoingRecord, TopicPartition } from '../ports/log.js';

/** Why a sink leaves a record of the alerts topic out. */
export type SinkLetterReason =
  /** The record is no alert. */
  | 'not-an-alert'
  /** What the sink writes to will never take it. */
  | 'refused';

export interface SinkLetter {
  readonly record: LogRecord;
  readonly from: TopicPartition;
  readonly reason: SinkLetterReason;
  readonly detail: string;
}

const text = new TextEncoder();

/**
 * Dead letters of sinks: the record of the alerts topic as it was, with the headers of every dead letter (reason, detail, topic,
 * partition, offset, timestamp) and `stakeout.sink`, which tells whose it is. A crash may write one twice.
 */
export class SinkLetters {
  private producer: Promise<LogProducer> | null = null;
  private isMade = false;

  constructor(
    private readonly log: Log,
    private readonly topic: string,
    private readonly sink: string,
  ) {}

  /** Resolves when they are durable. */
  async write(letters: readonly SinkLetter[]): Promise<void> {
    if (letters.length === 0) return;
    if (!this.isMade) await this.log.createTopic({ name: this.topic, partitions: 1 });
    this.isMade = true;
    this.producer ??= this.log.producer();
    await (await this.producer).send(letters.map((letter) => this.recordOf(letter)));
  }

  async close(): Promise<void> {
    await (await this.producer)?.close();
    this.producer = null;
  }

  private recordOf({ record, from, reason, detail }: SinkLetter): OutgoingRecord {
    const headers = new Map(record.headers ?? []);
    const fields = { reason, detail, ...from, offset: record.offset, timestamp: record.timestamp, sink: this.sink };
    for (const name of ['reason', 'detail', 'topic', 'partition', 'offset', 'timestamp', 'sink'] as const)
      headers.set(`stakeout.${name}`, text.encode(String(fields[name])));
    return { topic: this.topic, key: record.key, value: record.value, headers };
  }
}
