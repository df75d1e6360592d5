/**
 * Committed alerts in a topic, of this cluster or another one.
 *
 * K1. `write` resolves only when every record is on all in-sync replicas. The producer is idempotent, so what it sends again by itself
 *     is written once; while the brokers are away the same `send` stays under way, and is not begun anew.
 * K2. What an earlier process wrote and did not commit comes again: it is found by its id (header `stakeout.id`) among the last
 *     records of the topic, and not written again. Who else writes to the topic in quantity, or a member that was thought dead, can
 *     make this miss: a reader that must not see an alert twice looks at the id.
 * K3. Records have the alert's key, so those of one key keep their order.
 */
import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, LogProducer, OutgoingRecord } from '../../runtime/ports/log.js';
import { type AlertSink, PartlyWritten, type RefusedAlert } from '../../runtime/sinks/alert-sink.js';
import { KafkaError } from './errors.js';

export interface KafkaSinkOptions {
  readonly name: string;
  /** Closed with the sink. */
  readonly log: Log;
  readonly clock: Clock;
  /** For messages: the brokers. */
  readonly address: string;
  readonly topic: string;
  readonly partitions: number;
  /** Make the topic where it is not there. */
  readonly create: boolean;
  readonly encode: (alert: Alert) => Uint8Array;
  /** How long brokers may take before trouble is told; what was sent stays under way. */
  readonly timeoutMs: number;
  /** So many of the last records of each partition are looked at (K2). Default 5,000. */
  readonly tail?: number;
}

/** The brokers take too long; what was sent is still under way. */
export class KafkaSinkTimeout extends Error {
  readonly code = 'KAFKA_SINK_TIMEOUT';
}

const ID = 'stakeout.id';
const text = new TextEncoder();

export class KafkaSink implements AlertSink {
  readonly name: string;
  private producer: Promise<LogProducer> | null = null;
  /** Ids in the tail of the topic, of what came since a partition was assigned. */
  private there: Promise<ReadonlySet<string>> | null = null;
  /** What is under way, by the id of its first alert: it is waited for again, not sent again (K1). */
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(private readonly options: KafkaSinkOptions) {
    this.name = options.name;
  }

  async prepare(): Promise<void> {
    const { log, topic, partitions, create } = this.options;
    if (create) await log.createTopic({ name: topic, partitions });
  }

  assigned(): void {
    this.there = null;
  }

  /** Throws `PartlyWritten`, `KafkaError`, `KafkaSinkTimeout`. */
  async write(alerts: readonly Alert[]): Promise<void> {
    const [first] = alerts;
    if (first === undefined) return;
    let sending = this.underWay.get(first.id);
    if (sending === undefined) {
      sending = this.send(alerts).finally(() => this.underWay.delete(first.id));
      // Whoever waits for it hears of it; nobody may.
      sending.catch(() => undefined);
      this.underWay.set(first.id, sending);
    }
    await this.withinTimeout(sending);
  }

  async close(): Promise<void> {
    await (await this.producer?.catch(() => null))?.close();
    await this.options.log.close();
  }

  private async send(alerts: readonly Alert[]): Promise<void> {
    this.there ??= this.idsThere();
    const there = await this.there.catch((error: unknown) => {
      this.there = null;
      throw error;
    });
    const fresh = alerts.filter(({ id }) => !there.has(id));
    this.producer ??= this.options.log.producer();
    const producer = await this.producer;
    try {
      await producer.send(fresh.map((alert) => this.recordOf(alert)));
    } catch (error) {
      if (!isTooLarge(error)) {
        // Some may be written: they are looked for.
        this.there = null;
        throw error;
      }
      await this.sendOneByOne(producer, fresh);
    }
  }

  /** One of them is too large, and others may be written already. */
  private async sendOneByOne(producer: LogProducer, alerts: readonly Alert[]): Promise<void> {
    const there = await this.idsThere();
    const refused: RefusedAlert[] = [];
    for (const alert of alerts) {
      if (there.has(alert.id)) continue;
      await producer.send([this.recordOf(alert)]).catch((error: unknown) => {
        if (!isTooLarge(error)) throw error;
        refused.push({ alert, detail: (error as Error).message });
      });
    }
    throw new PartlyWritten('some alerts were refused', refused, []);
  }

  private async idsThere(): Promise<ReadonlySet<string>> {
    const { log, topic, tail = 5_000 } = this.options;
    const ids = new Set<string>();
    const known = (await log.topics()).find(({ name }) => name === topic);
    const decoder = new TextDecoder();
    for (let partition = 0; partition < (known?.partitions ?? 0); partition++) {
      const { begin, end } = await log.offsets({ topic, partition });
      const from = Math.max(begin, end - tail);
      if (from === end) continue;
      for await (const { records } of log.read({ topic, partition }, from, { to: end }))
        for (const { headers } of records) {
          const id = headers?.get(ID);
          if (id !== undefined) ids.add(decoder.decode(id));
        }
    }
    return ids;
  }

  private recordOf(alert: Alert): OutgoingRecord {
    const headers = new Map([[ID, text.encode(alert.id)]]);
    return { topic: this.options.topic, key: text.encode(alert.key), value: this.options.encode(alert), headers };
  }

  private withinTimeout(work: Promise<void>): Promise<void> {
    const { clock, timeoutMs, address } = this.options;
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(timeoutMs, () => {
        const words = `Kafka at ${address} did not take alerts within ${timeoutMs} ms; they are still on their way`;
        reject(new KafkaSinkTimeout(`${words}: see that the brokers run and can be reached`));
      });
      work.then(resolve, reject).finally(cancel);
    });
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof KafkaError && error.code === 'KAFKA_RECORD_TOO_LARGE';
}
