import type { Rule } from '../../rules/rule.js';
import type { Alert } from '../ports/alert.js';
import type { Clock } from '../ports/clock.js';
import { DecodeFailure, type RecordDecoder } from '../ports/decoder.js';
import type { LogRecord, TopicPartition } from '../ports/log.js';
import { type AlertSource, buildAlert } from './alert/alert-builder.js';
import { isInCanary } from './canary.js';
import type { ConsideredAdvance } from './consider.js';
import type { Detection } from './detection.js';
import type { SourceEvent } from './source-event.js';

/** What a task has for it. */
export interface Considering {
  readonly partition: TopicPartition;
  readonly position: number;
  readonly decoder: RecordDecoder;
  readonly detection: Detection;
  readonly alertSource: AlertSource;
  readonly clock: Clock;
  /** `null`: it is no event. */
  interpret(record: LogRecord): SourceEvent | DecodeFailure | null;
}

/** What a record would do if it came next. */
export interface ConsideredRecord {
  /** The state that was asked: of a partition, up to an offset, and event time in ms up to which events are in it. */
  readonly asOf: TopicPartition & { readonly position: number; readonly watermark: number | null };
  /** It would be late, and count for nothing. */
  readonly isLate: boolean;
  /** Events of its keys that came, wait for the watermark, and were counted before it. */
  readonly waiting: number;
  readonly alerts: readonly Alert[];
  readonly advances: readonly ConsideredAdvance[];
}

/**
 * What a record would do if it came next. Nothing is changed, and nothing given out; rules in shadow have no say. `onEvent`: is told
 * of the event, unless it would be late.
 */
export async function considerRecord(
  task: Considering,
  given: Pick<LogRecord, 'key' | 'value'>,
  signal: AbortSignal,
  onEvent: (event: SourceEvent) => void,
): Promise<ConsideredRecord | DecodeFailure> {
  const { partition, position, decoder, detection, alertSource } = task;
  const record = { ...given, offset: position, timestamp: task.clock.now(), headers: null };
  await decoder.prepare([record], signal);
  const event = task.interpret(record);
  if (event === null) return new DecodeFailure('malformed', 'it is no event');
  if (event instanceof DecodeFailure) return event;
  const { watermark } = detection.clock;
  const asOf = { ...partition, position, watermark: Number.isFinite(watermark) ? watermark : null };
  const [alerts, advances]: [Alert[], ConsideredAdvance[]] = [[], []];
  if (detection.clock.isLate(event.time)) return { asOf, isLate: true, waiting: 0, alerts, advances };
  const waiting = detection.consider(event, {
    onMatch: (rule, key, match, at) => {
      if (isGivenOut(rule, key)) alerts.push(buildAlert(rule, key, match, at, alertSource));
    },
    onAdvance: (rule, advance) => {
      if (isGivenOut(rule, advance.key)) advances.push(advance);
    },
  });
  onEvent(event);
  return { asOf, isLate: false, waiting, alerts, advances };
}

/** Alerts of a rule in shadow are for those who try it. */
const isGivenOut = (rule: Rule, key: string): boolean => rule.status !== 'shadow' && isInCanary(rule, key);
