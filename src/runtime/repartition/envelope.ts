import { ByteReader, ByteWriter } from '../../engine/index.js';
import type { RecordPlace, TopicPartition } from '../ports/log.js';
import { type EncodedTold, NOTHING_TOLD, readTold, writeTold } from './told.js';

/**
 * Records of a repartition topic. The events of one partition of the source come in order of event time, and between them what
 * its watermark is: so who reads several of them knows how far event time has come in all.
 */
interface FromSource {
  /** The partition of the source that wrote it. */
  readonly from: TopicPartition;
  /** The stream that it is of; `null`: the only one, as releases wrote it that knew no others. */
  readonly stream: string | null;
  /** Partitions of the stream in all. */
  readonly of: number;
}

export interface ForwardedEvent extends FromSource {
  readonly kind: 'event';
  /** Offset of the record in the source. */
  readonly offset: number;
  /** Event time that it counts with, in ms. */
  readonly time: number;
  /** Value of the record as it came. */
  readonly raw: Uint8Array;
  /** Where it was first, of an event that was passed on from one such topic to another. Absent: at `from` and `offset`. */
  readonly origin?: RecordPlace;
  /** What features of other keys are at it, as far as they were counted on the way. Absent: none were. */
  readonly told?: EncodedTold;
}

/** Where an event was first. */
export const originOf = ({ origin, from, offset }: ForwardedEvent): RecordPlace => origin ?? { ...from, offset };

export interface ForwardedWatermark extends FromSource {
  readonly kind: 'watermark';
  /** All events up to here were forwarded. */
  readonly watermark: number;
}

/** The partition has no events and no longer holds time back, until it has. */
export interface ForwardedIdle extends FromSource {
  readonly kind: 'idle';
}

export type Envelope = ForwardedEvent | ForwardedWatermark | ForwardedIdle;

/** The first version of events that are passed on. */
const PASSED_ON = 3;
const VERSION = 2;
/** The last version without `stream`. */
const BEFORE_STREAMS = 1;
const KINDS = ['event', 'watermark', 'idle'] as const;
const text = new TextEncoder();
const utf8 = new TextDecoder();
/** Used anew for each envelope. */
const out = new ByteWriter();
/** Streams and topics, which are few. */
const encodedNames = new Map<string, Uint8Array>();
/** More of them than this are not remembered. */
const NAMES_MAX = 1000;

function encodedName(name: string): Uint8Array {
  const known = encodedNames.get(name);
  if (known !== undefined) return known;
  const bytes = text.encode(name);
  if (encodedNames.size < NAMES_MAX) encodedNames.set(name, bytes);
  return bytes;
}

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { origin, told } = envelope.kind === 'event' ? envelope : {};
  out.varint(origin === undefined ? VERSION : PASSED_ON);
  out.varint(KINDS.indexOf(envelope.kind));
  out.varint(envelope.of);
  out.byteString(encodedName(envelope.stream ?? ''));
  out.byteString(encodedName(envelope.from.topic));
  out.varint(envelope.from.partition);
  if (envelope.kind === 'watermark') out.double(envelope.watermark);
  if (envelope.kind === 'event') {
    out.varint(envelope.offset);
    out.double(envelope.time);
    out.byteString(envelope.raw);
  }
  if (origin !== undefined) {
    out.byteString(encodedName(origin.topic));
    out.varint(origin.partition);
    out.varint(origin.offset);
    writeTold(out, told ?? NOTHING_TOLD);
  }
  return out.finish();
}

/** Reads names in one place of envelopes, where the next is as a rule the same as the one before. */
class NamesRead {
  private bytes = new Uint8Array(0);
  private name = '';

  next(bytes: Uint8Array): string {
    if (!isSame(bytes, this.bytes)) {
      this.name = utf8.decode(bytes);
      this.bytes = Uint8Array.from(bytes);
    }
    return this.name;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const streams = new NamesRead();
const topics = new NamesRead();
const firstTopics = new NamesRead();

/** What was decoded last, and of what: reading a record asks several times in a row what is in it. */
let latest: { readonly bytes: Uint8Array | null; readonly envelope: Envelope | null } = { bytes: null, envelope: null };

/** `null`: these bytes are none of ours. `raw` is a view of them. They must not be written to. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | null {
  if (latest.bytes !== bytes) latest = { bytes, envelope: decoded(bytes) };
  return latest.envelope;
}

function decoded(bytes: Uint8Array): Envelope | null {
  try {
    const input = new ByteReader(bytes);
    const version = input.varint();
    const kind = KINDS[input.varint()];
    if (version < BEFORE_STREAMS || version > PASSED_ON || kind === undefined) return null;
    const of = input.varint();
    const stream = version === BEFORE_STREAMS ? null : streams.next(input.byteString()) || null;
    const topic = topics.next(input.byteString());
    const from = { topic, partition: input.varint() };
    if (kind === 'idle') return { kind, of, stream, from };
    if (kind === 'watermark') return { kind, of, stream, from, watermark: input.double() };
    const event = { kind, of, stream, from, offset: input.varint(), time: input.double(), raw: input.byteString() };
    if (version !== PASSED_ON) return event;
    const first = { topic: firstTopics.next(input.byteString()), partition: input.varint(), offset: input.varint() };
    return { ...event, origin: first, told: readTold(input) };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Where the event of a record was first. One that was forwarded to where it was read says so itself. */
export function firstPlaceOf(
  { raw, offset }: { readonly raw: Uint8Array; readonly offset: number },
  partition: TopicPartition,
  isForwarded: boolean,
): RecordPlace {
  const envelope = isForwarded ? decodeEnvelope(raw) : null;
  return envelope?.kind === 'event' ? originOf(envelope) : { ...partition, offset };
}
