/**
 * A dead letter is the record as it was, key, value and headers untouched, with these headers more. The runtime writes it;
 * this reads it back for tools and consumers.
 *
 * | header | content (text) |
 * |---|---|
 * | `stakeout.reason` | fixed code: `malformed`, `unknown-schema-id`, `missing-key` …; of sinks `not-an-alert`, `refused` |
 * | `stakeout.detail` | a sentence for people |
 * | `stakeout.topic`, `stakeout.partition`, `stakeout.offset` | where the original record lies |
 * | `stakeout.timestamp` | its timestamp, in milliseconds since 1970 |
 * | `stakeout.sink` | of sinks: whose it is |
 *
 * Why headers rather than an Avro record around the bytes: sending a mended record back is a plain copy, any Kafka tool
 * shows what is wrong without our schema, and a reader that tries the original schema can use the value as it is. The key
 * stays the record's key, so letters of one account keep their order.
 */
import type { DecodeFailureReason } from '../../runtime/ports/decoder.js';
import type { LogRecord, TopicPartition } from '../../runtime/ports/log.js';
import type { SinkLetterReason } from '../../runtime/sinks/sink-letters.js';

export interface DeadLetter extends TopicPartition {
  readonly reason: DecodeFailureReason | SinkLetterReason;
  readonly detail: string;
  readonly offset: number;
  /** Of the original record, milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

const text = new TextDecoder();

/** Reads a record of the dead-letter topic; `null` for a record that is no dead letter. */
export function readDeadLetter(record: LogRecord): DeadLetter | null {
  const headers: string[] = [];
  for (const name of ['reason', 'detail', 'topic', 'partition', 'offset', 'timestamp']) {
    const value = record.headers?.get(`stakeout.${name}`);
    if (value === undefined) return null;
    headers.push(text.decode(value));
  }
  const [reason, detail, topic, partition, offset, timestamp] = headers as [DeadLetter['reason'], ...string[]];
  return {
    reason,
    detail: detail!,
    topic: topic!,
    partition: Number(partition),
    offset: Number(offset),
    timestamp: Number(timestamp),
    key: record.key,
    value: record.value,
  };
}
