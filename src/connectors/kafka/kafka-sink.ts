/**
 * Committed alerts in a topic, of this cluster or another one.
 *
 * K1. `write` resolves only when every record is on all in-sync replicas. The producer is idempotent, so what it sends again by itself
 *     is written once. Each alert is a `send` of its own, in the same request as the others: one that is under way, because the brokers
 *     are away or another was refused, is waited for and not begun anew.
 * K2. What an earlier process wrote and did not commit comes again: it is found by its id (header `stakeout.id`) among the last
 *     records of the topic, and not written again. Who else writes to the topic in quantity, or a member that was thought dead, can
 *     make this miss: a reader that must not see an alert twice looks at the id.
 * K3. Records have the alert's key, so those of one key keep their order.
 */
import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, LogProducer, OutgoingRecord } from '../../runtime/ports/log.js';
import { type AlertSink, PartlyWritten, type RefusedAlert } from '../../runtime/sinks/alert-sink.js';
import { KafkaError } from './client/errors.js';

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
const TAIL = 5_000;
const text = new TextEncoder();

export class KafkaSink implements AlertSink {
  readonly name: string;
  private producer: Promise<LogProducer> | null = null;
  /** Ids in the tail of the topic: of before a partition was assigned, and of what was written since. */
  private there: Promise<Set<string>> | null = null;
  /** By id (K1). */
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
    if (alerts.length > 0) await this.withinTimeout(this.send(alerts));
  }

  async close(): Promise<void> {
    await (await this.producer?.catch(() => null))?.close();
    await this.options.log.close();
  }

  private async send(alerts: readonly Alert[]): Promise<void> {
    this.producer ??= this.options.log.producer();
    const producer = await this.producer;
    this.there ??= this.idsThere();
    const there = await this.there.catch((error: unknown) => {
      this.there = null;
      throw error;
    });
    const sent = alerts.map((alert) => (there.has(alert.id) ? undefined : this.sendOnce(producer, alert)));
    const outcomes = await Promise.allSettled(sent);
    const refused: RefusedAlert[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue;
      if (!isTooLarge(outcome.reason)) throw outcome.reason;
      refused.push({ alert: alerts[i]!, detail: (outcome.reason as Error).message });
    }
    if (refused.length > 0) throw new PartlyWritten('some alerts were refused', refused, []);
  }

  private sendOnce(producer: LogProducer, alert: Alert): Promise<void> {
    const { id } = alert;
    const known = this.underWay.get(id);
    if (known !== undefined) return known;
    const sending = producer
      .send([this.recordOf(alert)])
      .then(
        () => this.remember(id),
        (error: unknown) => {
          // It may be written: what is there is looked at again.
          if (!isTooLarge(error)) this.there = null;
          throw error;
        },
      )
      .finally(() => this.underWay.delete(id));
    // Whoever waits for it hears of it; nobody may.
    sending.catch(() => undefined);
    this.underWay.set(id, sending);
    return sending;
  }

  /** Before it is no longer under way; as many as are looked for, of each partition. */
  private async remember(id: string): Promise<void> {
    const { tail = TAIL, partitions } = this.options;
    const there = await this.there?.catch(() => null);
    const [oldest] = there?.add(id) ?? [];
    if (oldest !== undefined && there!.size > 2 * tail * partitions) there!.delete(oldest);
  }

  private async idsThere(): Promise<Set<string>> {
    const { log, topic, tail = TAIL } = this.options;
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
