import { type DecodedRecord, DecodeFailure } from '../ports/decoder.js';
import type { StreamDefinition } from '../stream.js';

/** Largest time that a date can have, in ms. */
const TIME_MAX = 8.64e15;

/** The kind of an event, which `subtype` tests. */
export function kindOf(decoded: DecodedRecord, stream: StreamDefinition): string {
  if (stream.kindField === null) return decoded.recordName;
  const kind = decoded.fields[stream.kindField];
  return typeof kind === 'string' ? kind : kind === null || kind === undefined ? '' : String(kind);
}

/** Event time in ms, or why there is none. `timestamp` is the record's own. */
export function timeOf(decoded: DecodedRecord, timestamp: number, stream: StreamDefinition): number | DecodeFailure {
  if (stream.timeField === null) return timestamp;
  const value = decoded.fields[stream.timeField];
  if (value === null || value === undefined)
    return new DecodeFailure('missing-time', `field ${stream.timeField} has no value`);
  const time = typeof value === 'number' ? value : Date.parse(String(value));
  if (!Number.isFinite(time) || time < 0 || time > TIME_MAX) {
    return new DecodeFailure('invalid-time', `field ${stream.timeField} is ${JSON.stringify(value)}, not a time`);
  }
  return Math.floor(time);
}

/** Why a decoded record cannot be processed, or `null`. */
export function missingIdentity(decoded: DecodedRecord, stream: StreamDefinition): DecodeFailure | null {
  if (stream.keyField !== null && isMissing(decoded.fields[stream.keyField])) {
    return new DecodeFailure('missing-key', `field ${stream.keyField} has no value`);
  }
  if (stream.idField !== null && isMissing(decoded.fields[stream.idField])) {
    return new DecodeFailure('missing-id', `field ${stream.idField} has no value`);
  }
  return null;
}

const isMissing = (value: unknown): boolean => value === null || value === undefined || value === '';
