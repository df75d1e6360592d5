import type { ToldFeatures } from '../../engine/index.js';
import { type RuleSetVersion, rulesOf } from '../journal/rule-set-version.js';
import { type DecodedRecord, DecodeFailure } from '../ports/decoder.js';
import type { LogRecord, TopicPartition } from '../ports/log.js';
import { decodeEnvelope, type Envelope } from '../repartition/envelope.js';
import { decodeTold } from '../repartition/told.js';
import type { StreamDefinition } from '../stream.js';
import { kindOf, missingIdentity, timeOf } from './interpret.js';
import { SourceEvent } from './source-event.js';
import type { TaskStreams } from './task-streams.js';

const utf8 = new TextDecoder();

/** What a reader asks of its task: the rules of now, and the time that an event counts with. */
export interface ReaderOf {
  readonly ruleSet: () => RuleSetVersion;
  readonly effectiveTime: (time: number) => number;
}

/** Makes events of the records of one partition, with the fields that the rules of now use. */
export class EventReader {
  constructor(
    private readonly partition: TopicPartition,
    private readonly streams: TaskStreams,
    private readonly of: ReaderOf,
  ) {}

  /** `null`: it is no event, but says how far event time has come where the events are from. */
  read(record: LogRecord): SourceEvent | DecodeFailure | null {
    if (record.value === null) return new DecodeFailure('empty-value', 'the record has no value');
    return this.of.ruleSet().clock.forwarded === true
      ? this.readForwarded(record, record.value)
      : this.readOwn(record, record.value);
  }

  /** The event as the rules of now see it. Its time stays. */
  readAnew(event: SourceEvent): SourceEvent | null {
    const { offset, raw, traceparent, time } = event;
    const decoded = this.decode({ offset, timestamp: 0, key: null, value: raw, headers: null });
    if (decoded instanceof DecodeFailure) return null;
    const kind = kindOf(decoded, this.streams.named(event.stream));
    const anew = new SourceEvent(
      time,
      kind,
      decoded.fields,
      offset,
      raw,
      traceparent,
      false,
      event.stream,
      event.forKey,
    );
    const isPassedOn = this.of.ruleSet().clock.passedOn === true;
    anew.told = (isPassedOn ? this.told(decodeEnvelope(raw)) : null) ?? event.told;
    return anew;
  }

  private decode(record: LogRecord): DecodedRecord | DecodeFailure {
    return this.of.ruleSet().decoder.decode(record, this.partition);
  }

  /** What was told of a forwarded event, by the names that the rules of now have for it; `null`: nothing. */
  private told(envelope: Envelope | null): ToldFeatures | null {
    const ruleSet = this.of.ruleSet();
    if (ruleSet.clock.passedOn !== true || envelope?.kind !== 'event') return null;
    return envelope.told === undefined ? null : decodeTold(envelope.told, rulesOf(ruleSet));
  }

  private readForwarded(record: LogRecord, value: Uint8Array): SourceEvent | DecodeFailure | null {
    const envelope = decodeEnvelope(value);
    if (envelope === null) return new DecodeFailure('malformed', 'this is no record that stakeout forwarded');
    if (envelope.kind !== 'event') return null;
    const decoded = this.decode(record);
    if (decoded instanceof DecodeFailure) return decoded;
    const event = this.eventOf(record, value, decoded, envelope.time, this.streams.named(envelope.stream));
    event.told = this.told(envelope);
    return event;
  }

  private readOwn(record: LogRecord, value: Uint8Array): SourceEvent | DecodeFailure {
    const stream = this.streams.own;
    const decoded = this.decode(record);
    if (decoded instanceof DecodeFailure) return decoded;
    const missing = missingIdentity(decoded, stream);
    if (missing !== null) return missing;
    const time = timeOf(decoded, record.timestamp, stream);
    return time instanceof DecodeFailure ? time : this.eventOf(record, value, decoded, time, stream);
  }

  private eventOf(
    record: LogRecord,
    value: Uint8Array,
    decoded: DecodedRecord,
    time: number,
    stream: StreamDefinition,
  ): SourceEvent {
    const forKey = this.of.ruleSet().clock.forwarded === true && record.key !== null ? utf8.decode(record.key) : null;
    const traceparent = record.headers?.get('traceparent');
    return new SourceEvent(
      this.of.effectiveTime(time),
      kindOf(decoded, stream),
      decoded.fields,
      record.offset,
      value,
      traceparent === undefined ? null : utf8.decode(traceparent),
      false,
      stream.name,
      forKey,
    );
  }
}
