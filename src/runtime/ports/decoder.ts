import type { LogRecord, TopicPartition } from './log.js';

/** What the decoder makes of one record's value. */
export interface DecodedRecord {
  /** Fields by name: those that the loaded rules use, and the stream's key, time, id and kind fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Record name of the union branch or of the whole record; see the stream's `type` setting for discriminator fields. */
  readonly recordName: string;
}

export type DecodeFailureReason =
  | 'empty-value'
  | 'not-confluent-framed'
  | 'unknown-schema-id'
  | 'truncated'
  | 'trailing-bytes'
  | 'incompatible-schema'
  | 'malformed'
  | 'missing-key'
  | 'missing-time'
  | 'invalid-time'
  | 'missing-id';

/** An expected failure: the record goes to the dead-letter topic with this reason. */
export class DecodeFailure {
  constructor(
    readonly reason: DecodeFailureReason,
    readonly detail: string,
  ) {}
}

/** Decodes the values of one stream's records. */
export interface RecordDecoder {
  /**
   * Makes sure that all schemas that these records need are known. Resolves `undefined` at once (no promise) when they are.
   * A registry that does not answer is retried until `signal` aborts: a record is never blamed for it.
   */
  prepare(records: readonly LogRecord[], signal: AbortSignal): Promise<void> | undefined;
  /**
   * What must be prepared before the value that begins at `start` can be decoded: values of one number need the same. -1: nothing.
   * Absent: `prepare` must be asked for each.
   */
  schemaOf?(bytes: Uint8Array, start: number, end: number): number;
  /** Decodes one value; never throws for bad bytes. Its schema must have been prepared. */
  decode(record: LogRecord, from: TopicPartition): DecodedRecord | DecodeFailure;
  /** The whole record as plain JSON-ready data, for alerts and explanations. */
  decodeWhole(value: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure;
}
