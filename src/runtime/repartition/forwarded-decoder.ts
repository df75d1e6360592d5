import { DecodeFailure, type RecordDecoder } from '../ports/decoder.js';
import type { LogRecord } from '../ports/log.js';
import { decodeEnvelope, type ForwardedEvent } from './envelope.js';

function eventIn(value: Uint8Array | null): ForwardedEvent | null {
  const envelope = value === null ? null : decodeEnvelope(value);
  return envelope?.kind === 'event' ? envelope : null;
}

const NOT_OURS = new DecodeFailure('malformed', 'this is no record that stakeout forwarded');
const unknown = (stream: string | null): DecodeFailure =>
  new DecodeFailure('malformed', `it is of the stream ${stream}, which these rules do not read`);

/**
 * Decodes forwarded events as their own stream's decoder does. `of`: the decoder of a stream by its name, `null` where there is but one;
 * it answers `null` for a stream that it does not know.
 */
export function forwardedDecoder(of: (stream: string | null) => RecordDecoder | null): RecordDecoder {
  return {
    prepare: (records, signal) => {
      const byDecoder = new Map<RecordDecoder, LogRecord[]>();
      for (const record of records) {
        const event = eventIn(record.value);
        const decoder = event === null ? null : of(event.stream);
        if (event === null || decoder === null) continue;
        const known = byDecoder.get(decoder) ?? [];
        known.push({ ...record, value: event.raw });
        byDecoder.set(decoder, known);
      }
      const waits = [...byDecoder].flatMap(([decoder, own]) => decoder.prepare(own, signal) ?? []);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
    decode: (record, from) => {
      const event = eventIn(record.value);
      if (event === null) return NOT_OURS;
      return of(event.stream)?.decode({ ...record, value: event.raw }, from) ?? unknown(event.stream);
    },
    decodeWhole: (value) => {
      const event = eventIn(value);
      if (event === null) return NOT_OURS;
      return of(event.stream)?.decodeWhole(event.raw) ?? unknown(event.stream);
    },
  };
}
