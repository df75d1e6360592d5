import { join } from 'node:path';
import { generateRows } from '../../src/bench/stream/generate.js';
import { parseStream } from '../../src/bench/stream/spec.js';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import type { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { OutgoingRecord } from '../../src/runtime/ports/log.js';
import { root } from './service-process.js';

const SEND_AT_ONCE = 5000;

export interface FilledTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly events: number;
  /** Event times, and the log's timestamps, end about now: else they are those of the workload, and when it was filled. */
  readonly endsNow?: boolean;
  /** How many terminals they are of, in turns. Absent: of none. */
  readonly terminals?: number;
}

/** Fills a topic with W1's stream, as transactions of the shipped schema. Answers the event times of the first and the last. */
export async function fillTopic(
  log: KafkaLog,
  of: FilledTopic,
): Promise<{ readonly from: number; readonly to: number }> {
  const { topic, partitions, events, endsNow = false, terminals = 0 } = of;
  await log.createTopic({ name: topic, partitions });
  const encoder = new TransactionEncoder(readAvroSchema(join(root, 'schemas', 'transaction.avsc')));
  const producer = await log.producer();
  const rows = generateRows(parseStream(`u5k/${events}/${Math.max(1, Math.round(events / 20))}/5000`));
  const shift = endsNow ? Date.now() - rows.at(-1)!.eventTime : 0;
  for (let from = 0; from < rows.length; from += SEND_AT_ONCE) {
    const records = rows.slice(from, from + SEND_AT_ONCE).map((row, i): OutgoingRecord => {
      const eventTime = row.eventTime + shift;
      const value = encoder.encode({
        ...{ transactionId: row.id, accountId: row.accountId, type: row.type, amount: row.amount },
        ...{ country: row.country, eventTime, currency: 'EUR' },
        ...(terminals > 0 && { terminalId: `pos-${(from + i) % terminals}` }),
      });
      if (!value.ok) throw new Error(JSON.stringify(value.errors));
      const key = Buffer.from(row.accountId);
      return { topic, key, value: value.bytes, ...(endsNow ? { timestamp: eventTime } : {}) };
    });
    await producer.send(records);
  }
  await producer.close();
  return { from: rows[0]!.eventTime + shift, to: rows.at(-1)!.eventTime + shift };
}

/** Records a second of the client alone, from some offsets on. */
export async function bareConsume(log: KafkaLog, topic: string, begins: readonly number[]): Promise<number> {
  const started = performance.now();
  const read = await Promise.all(
    begins.map(async (begin, partition) => {
      let count = 0;
      for await (const batch of log.read({ topic, partition }, begin)) count += batch.records.length;
      return count;
    }),
  );
  return (read.reduce((a, b) => a + b, 0) * 1000) / (performance.now() - started);
}
