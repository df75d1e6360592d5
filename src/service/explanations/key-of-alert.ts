import { keyFields } from '../../rules/key-name.js';
import { keysBy } from '../../rules/key-of.js';
import type { KeyBy } from '../../rules/rule.js';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import type { Alert, AlertEvent } from '../../runtime/ports/alert.js';
import { DecodeFailure } from '../../runtime/ports/decoder.js';
import type { Log, LogRecord } from '../../runtime/ports/log.js';
import type { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import type { StreamParts } from '../compose/streams/stream-parts.js';

/** Where records are, and how they are read. */
export interface RecordsOf {
  readonly log: Pick<Log, 'offsets' | 'read'>;
  readonly streams: readonly StreamParts[];
  readonly pseudonyms: Pseudonyms | undefined;
  readonly signal: AbortSignal;
}

/**
 * The key of an alert that has a pseudonym in its place, read from the records of its events; `null`: they are gone, or the rule is keyed by other
 * fields by now. A key is believed only where its pseudonym is the alert's.
 */
export async function keyOfAlert(alert: Alert, keyBy: KeyBy, of: RecordsOf): Promise<string | null> {
  for (const event of alert.steps.flatMap(({ events }) => events)) {
    const found = await keysIn(event, keyBy, of);
    const key = found.find((candidate) => of.pseudonyms?.of(candidate) === alert.key);
    if (key !== undefined) return key;
  }
  return null;
}

async function keysIn(event: AlertEvent, keyBy: KeyBy, of: RecordsOf): Promise<readonly string[]> {
  const stream = of.streams.find(({ settings }) => topicFilter(settings.topics!)(event.topic));
  const record = stream === undefined ? null : await recordOf(event, of);
  if (stream === undefined || record === null) return [];
  const { name } = stream.settings;
  const decoder = stream.decoder(keyFields(keyBy, name));
  await decoder.prepare([record], of.signal);
  const decoded = decoder.decode(record, event);
  return decoded instanceof DecodeFailure ? [] : keysBy(keyBy)({ stream: name, fields: decoded.fields });
}

/** `null`: retention has taken it away. */
async function recordOf(
  { topic, partition, offset }: AlertEvent,
  { log, signal }: RecordsOf,
): Promise<LogRecord | null> {
  const { begin, end } = await log.offsets({ topic, partition });
  if (offset < begin || offset >= end) return null;
  for await (const { records } of log.read({ topic, partition }, offset, { to: offset + 1, signal })) {
    const found = records.find((record) => record.offset === offset);
    if (found !== undefined) return found;
  }
  return null;
}
