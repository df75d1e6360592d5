import type { DecodeFailure } from '../../ports/decoder.js';
import type { LogRecord, OutgoingRecord, TopicPartition } from '../../ports/log.js';

const text = new TextEncoder();

const headersOf = (
  record: LogRecord,
  from: TopicPartition,
  more: Readonly<Record<string, string>>,
): Map<string, Uint8Array> => {
  const headers = new Map(record.headers ?? []);
  const fields = {
    topic: from.topic,
    partition: from.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    ...more,
  };
  for (const [name, value] of Object.entries(fields)) headers.set(`stakeout.${name}`, text.encode(String(value)));
  return headers;
};

/**
 * A dead letter is the record as it was (key, value and headers untouched, so that it can be sent back once the fault is
 * mended) with headers `stakeout.reason`, `.detail`, `.topic`, `.partition`, `.offset`, `.timestamp`.
 */
export function deadLetter(
  topic: string,
  record: LogRecord,
  from: TopicPartition,
  failure: DecodeFailure,
): OutgoingRecord {
  const headers = headersOf(record, from, { reason: failure.reason, detail: failure.detail });
  return { topic, key: record.key, value: record.value, headers };
}

/** A late event, likewise as it was, with `stakeout.eventTime` and the `stakeout.watermark` it was behind. */
export function lateRecord(
  topic: string,
  record: LogRecord,
  from: TopicPartition,
  eventTime: number,
  watermark: number,
): OutgoingRecord {
  const headers = headersOf(record, from, { eventTime: String(eventTime), watermark: String(watermark) });
  return { topic, key: record.key, value: record.value, headers };
}
