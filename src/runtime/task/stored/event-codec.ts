import { ByteReader, ByteWriter, type EngineEvent, type EventCodec } from '../../../engine/index.js';
import type { SourceEvent } from '../source-event.js';
import { type ReadRecord, StoredEvent } from './stored-event.js';

const text = new TextEncoder();
const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder();
const NO_FIELDS = {};
const TIME_BYTES = 8;

/** Decodes a record's value again, into the fields that today's rules use. Throws when it cannot. */
export type Redecode = (raw: Uint8Array, offset: number) => ReadRecord;

/**
 * Events inside key state: their record as it came, with the times that processing gave them. Fields are decoded anew, when
 * they are asked for, so that a rule that was added can see fields that no rule used before. Events that are read keep the bytes they
 * were read from.
 */
export function eventCodec(redecode: Redecode): EventCodec {
  // One writer for all events: encoding has no pauses.
  const out = new ByteWriter();
  return {
    encode(event: EngineEvent): Uint8Array {
      if (event instanceof OutlinedEvent) return event.bytes;
      if (event instanceof StoredEvent) return event.stored;
      const source = event as SourceEvent;
      out.double(source.time);
      out.varint(source.seq);
      out.varint(source.offset);
      out.byteString(besideOf(source));
      out.byteString(source.raw);
      return out.take();
    },
    decode(bytes: Uint8Array): EngineEvent {
      const input = new ByteReader(bytes);
      const time = input.double();
      const seq = input.varint();
      const offset = input.varint();
      const beside = input.byteString();
      // Most have nothing, and the decoder is not free.
      const { traceparent, notes } = beside.length === 0 ? NOTHING_BESIDE : readBeside(beside);
      const length = input.varint();
      const [start, end] = [bytes.byteOffset, bytes.byteOffset + bytes.length];
      return new StoredEvent(time, seq, offset, traceparent, notes, bytes.buffer, start, end - length, end, redecode);
    },
  };
}

/** First byte where something was noted; a trace context begins with a digit. */
const WITH_NOTES = 0;

/** The trace context; or, after a byte that begins none, the trace context with its length, and what was noted. */
function besideOf({ traceparent, noted }: SourceEvent): Uint8Array {
  const trace = traceparent === null ? NOTHING : text.encode(traceparent);
  if (noted === null) return trace;
  const out = new ByteWriter();
  out.varint(WITH_NOTES);
  out.byteString(trace);
  noted.write(out);
  return out.take();
}

const NOTHING_BESIDE = { traceparent: null, notes: null };

function readBeside(bytes: Uint8Array): { readonly traceparent: string | null; readonly notes: Uint8Array | null } {
  if (bytes[0] !== WITH_NOTES) return { traceparent: decoder.decode(bytes), notes: null };
  const input = new ByteReader(bytes.subarray(1));
  const trace = input.byteString();
  return {
    traceparent: trace.length === 0 ? null : decoder.decode(trace),
    notes: bytes.subarray(1 + input.position),
  };
}

/** All that is needed of a stored event to see what its key waits for; its record is not decoded. */
class OutlinedEvent implements EngineEvent {
  readonly kind = '';
  readonly fields = NO_FIELDS;

  constructor(
    readonly time: number,
    readonly seq: number,
    /** As the event was stored. */
    readonly bytes: Uint8Array,
  ) {}
}

/**
 * Reads key states that are looked at and then kept as bytes: of a million keys that are restored, few are used next, and decoding
 * their records takes most of the time. What it reads must be gone when the bytes are.
 */
export const outlineCodec: EventCodec = {
  encode: () => {
    throw new Error('states that were only looked at cannot be written by themselves');
  },
  decode(bytes: Uint8Array): EngineEvent {
    const input = new ByteReader(bytes);
    return new OutlinedEvent(input.double(), input.varint(), bytes);
  },
};

/** Moves from the begin of an encoded event to its raw record, and answers how long that is. */
export function moveToRaw(input: ByteReader, start: number): number {
  input.moveTo(start);
  input.skip(TIME_BYTES);
  input.varint();
  input.varint();
  input.skip(input.varint());
  return input.varint();
}

/** What tells an event from all others of its key: the one that begins at `start`. */
export function identityIn(input: ByteReader, start: number): { readonly seq: number; readonly offset: number } {
  input.moveTo(start);
  input.skip(TIME_BYTES);
  return { seq: input.varint(), offset: input.varint() };
}
