import { ByteReader, ByteWriter } from '../../engine/index.js';
import type { TopicPartition } from '../ports/log.js';

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
}

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

const VERSION = 2;
/** The last version without `stream`. */
const BEFORE_STREAMS = 1;
const KINDS = ['event', 'watermark', 'idle'] as const;
const text = new TextEncoder();
const utf8 = new TextDecoder();

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const out = new ByteWriter();
  out.varint(VERSION);
  out.varint(KINDS.indexOf(envelope.kind));
  out.varint(envelope.of);
  out.byteString(text.encode(envelope.stream ?? ''));
  out.byteString(text.encode(envelope.from.topic));
  out.varint(envelope.from.partition);
  if (envelope.kind === 'watermark') out.double(envelope.watermark);
  if (envelope.kind === 'event') {
    out.varint(envelope.offset);
    out.double(envelope.time);
    out.byteString(envelope.raw);
  }
  return out.finish();
}

/** `null`: these bytes are none of ours. `raw` is a view of them. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | null {
  try {
    const input = new ByteReader(bytes);
    const version = input.varint();
    const kind = KINDS[input.varint()];
    if ((version !== VERSION && version !== BEFORE_STREAMS) || kind === undefined) return null;
    const of = input.varint();
    const stream = version === BEFORE_STREAMS ? null : utf8.decode(input.byteString()) || null;
    const topic = utf8.decode(input.byteString());
    const from = { topic, partition: input.varint() };
    if (kind === 'idle') return { kind, of, stream, from };
    if (kind === 'watermark') return { kind, of, stream, from, watermark: input.double() };
    return { kind, of, stream, from, offset: input.varint(), time: input.double(), raw: input.byteString() };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
