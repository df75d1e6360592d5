import { DecodeFailure, type RecordDecoder } from '../ports/decoder.js';
import { decodeEnvelope } from './envelope.js';

const rawOf = (value: Uint8Array | null): Uint8Array | null => {
  const envelope = value === null ? null : decodeEnvelope(value);
  return envelope?.kind === 'event' ? envelope.raw : null;
};

const NOT_OURS = new DecodeFailure('malformed', 'this is no record that stakeout forwarded');

/** Decodes forwarded events as the source's own decoder does their records. */
export function forwardedDecoder(inner: RecordDecoder): RecordDecoder {
  return {
    prepare: (records, signal) =>
      inner.prepare(
        records.flatMap((record) => {
          const raw = rawOf(record.value);
          return raw === null ? [] : [{ ...record, value: raw }];
        }),
        signal,
      ),
    decode: (record, from) => {
      const raw = rawOf(record.value);
      return raw === null ? NOT_OURS : inner.decode({ ...record, value: raw }, from);
    },
    decodeWhole: (value) => {
      const raw = rawOf(value);
      return raw === null ? NOT_OURS : inner.decodeWhole(raw);
    },
  };
}
