import { crc32 } from 'node:zlib';
import type { PendingRecord } from '../../../runtime/local-log/storage.js';
import type { LogRecord } from '../../../runtime/ports/log.js';

/**
 * A batch on disk, little endian:
 *
 *     0  u32  magic "STKB"
 *     4  u32  bytes of the body
 *     8  u32  CRC-32 of everything after this field
 *     12 u32  number of records
 *     16 f64  offset of the first record
 *     24 f64  highest timestamp
 *     32 f64  when it was appended, by this machine's clock
 *     40 u32  next offset, less the first
 *     44 u32  how many bytes before this batch the flush that wrote it began
 *     48 u32  1: each record says its own offset (after compaction)
 *     52 …    body: the records
 *
 * and a record: u32 offset less the first (only if each says its own), f64 timestamp, i32 bytes of key, i32 bytes of value (-1 is
 * null), u16 number of headers; for each header u16 and u32 bytes of name and value, name, value; then key and value.
 *
 * The start of the flush tells a torn tail from damage: a broken batch was acknowledged if a later flush than its own began.
 */
export const HEADER_BYTES = 52;
export const MAGIC = Buffer.from('STKB');
/** A record with all its parts is smaller; so a body's length beyond it is no length. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024;

const BODY_BYTES_TARGET = 256 * 1024;
const RECORDS_MAX = 1000;
const BODY_BYTES_MAX = RECORD_BYTES_MAX + BODY_BYTES_TARGET;
const RECORD_BYTES_FIXED = 18;
const CRC_FROM = 12;

export interface BatchHeader {
  readonly bodyBytes: number;
  readonly count: number;
  readonly baseOffset: number;
  readonly maxTimestamp: number;
  readonly appendedAt: number;
  readonly nextOffset: number;
  readonly flushDistance: number;
  readonly sparse: boolean;
}

/** Encoded records that do not know their offsets yet. */
export interface Body {
  readonly bytes: Buffer;
  readonly count: number;
  readonly maxTimestamp: number;
}

/** Bytes of one record's encoding. */
export function recordBytes(record: PendingRecord): number {
  let size = RECORD_BYTES_FIXED + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const [name, content] of record.headers ?? []) {
    size += 6 + Buffer.byteLength(name) + content.length;
  }
  return size;
}

/** Encodes records into bodies of bounded size; the bytes are copied. */
export function encodeBodies(records: readonly PendingRecord[]): Body[] {
  const bodies: Body[] = [];
  let first = 0;
  let size = 0;
  for (let i = 0; i < records.length; i++) {
    const bytes = recordBytes(records[i] as PendingRecord);
    if (i > first && (size + bytes > BODY_BYTES_TARGET || i - first === RECORDS_MAX)) {
      bodies.push(encodeBody(records, first, i, size));
      first = i;
      size = 0;
    }
    size += bytes;
  }
  bodies.push(encodeBody(records, first, records.length, size));
  return bodies;
}

/** Puts bodies that fit together into one batch each. */
export function mergeBodies(bodies: readonly Body[]): Body[] {
  const merged: Body[] = [];
  let group: Body[] = [];
  let size = 0;
  let count = 0;
  for (const body of bodies) {
    if (group.length > 0 && (size + body.bytes.length > BODY_BYTES_TARGET || count + body.count > RECORDS_MAX)) {
      merged.push(joined(group, count));
      group = [];
      size = 0;
      count = 0;
    }
    group.push(body);
    size += body.bytes.length;
    count += body.count;
  }
  merged.push(joined(group, count));
  return merged;
}

/** Writes header and body at `at`; returns the position after it. `target` must have room. */
export function writeBatch(
  target: Buffer,
  at: number,
  body: Body,
  header: Pick<BatchHeader, 'baseOffset' | 'nextOffset' | 'appendedAt' | 'flushDistance' | 'sparse'>,
): number {
  const end = at + HEADER_BYTES + body.bytes.length;
  MAGIC.copy(target, at);
  target.writeUInt32LE(body.bytes.length, at + 4);
  target.writeUInt32LE(body.count, at + 12);
  target.writeDoubleLE(header.baseOffset, at + 16);
  target.writeDoubleLE(body.maxTimestamp, at + 24);
  target.writeDoubleLE(header.appendedAt, at + 32);
  target.writeUInt32LE(header.nextOffset - header.baseOffset, at + 40);
  target.writeUInt32LE(header.flushDistance, at + 44);
  target.writeUInt32LE(header.sparse ? 1 : 0, at + 48);
  body.bytes.copy(target, at + HEADER_BYTES);
  target.writeUInt32LE(crc32(target.subarray(at + CRC_FROM, end)), at + 8);
  return end;
}

/** Encodes one batch of records that keep the offsets they have, as compaction needs it. */
export function encodeSparse(records: readonly LogRecord[], header: BatchHeader): Buffer {
  const size = records.reduce((sum, r) => sum + 4 + recordBytes(r), 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const record of records) {
    at = bytes.writeUInt32LE(record.offset - header.baseOffset, at);
    at = encodeRecord(bytes, at, record);
  }
  const batch = Buffer.allocUnsafe(HEADER_BYTES + size);
  const body = { bytes, count: records.length, maxTimestamp: header.maxTimestamp };
  writeBatch(batch, 0, body, { ...header, flushDistance: 0, sparse: true });
  return batch;
}

/** The header at `at`, or `undefined` when there is none: too few bytes, another magic, an impossible length. */
export function readHeader(source: Buffer, at: number): BatchHeader | undefined {
  if (at + HEADER_BYTES > source.length || source.compare(MAGIC, 0, 4, at, at + 4) !== 0) {
    return undefined;
  }
  const bodyBytes = source.readUInt32LE(at + 4);
  if (bodyBytes > BODY_BYTES_MAX) {
    return undefined;
  }
  const baseOffset = source.readDoubleLE(at + 16);
  return {
    bodyBytes,
    count: source.readUInt32LE(at + 12),
    baseOffset,
    maxTimestamp: source.readDoubleLE(at + 24),
    appendedAt: source.readDoubleLE(at + 32),
    nextOffset: baseOffset + source.readUInt32LE(at + 40),
    flushDistance: source.readUInt32LE(at + 44),
    sparse: source.readUInt32LE(at + 48) === 1,
  };
}

/** Whether the whole batch at `at` is there and is what was written. */
export function isIntact(source: Buffer, at: number, { bodyBytes }: BatchHeader): boolean {
  const end = at + HEADER_BYTES + bodyBytes;
  return end <= source.length && source.readUInt32LE(at + 8) === crc32(source.subarray(at + CRC_FROM, end));
}

/** Decodes the records of an intact batch from offset `from` on; keys and values are views of `source`. */
export function decodeRecords(source: Buffer, at: number, header: BatchHeader, from: number, into: LogRecord[]): void {
  let position = at + HEADER_BYTES;
  for (let i = 0; i < header.count; i++) {
    let delta = i;
    if (header.sparse) {
      delta = source.readUInt32LE(position);
      position += 4;
    }
    const offset = header.baseOffset + delta;
    const timestamp = source.readDoubleLE(position);
    const keyBytes = source.readInt32LE(position + 8);
    const valueBytes = source.readInt32LE(position + 12);
    const headerCount = source.readUInt16LE(position + 16);
    position += RECORD_BYTES_FIXED;
    let headers: Map<string, Uint8Array> | null = null;
    if (headerCount > 0) {
      headers = new Map();
      position = decodeHeaders(source, position, headerCount, headers);
    }
    const valueAt = position + Math.max(keyBytes, 0);
    if (offset >= from) {
      into.push({
        offset,
        timestamp,
        key: keyBytes < 0 ? null : source.subarray(position, valueAt),
        value: valueBytes < 0 ? null : source.subarray(valueAt, valueAt + valueBytes),
        headers,
      });
    }
    position = valueAt + Math.max(valueBytes, 0);
  }
}

function decodeHeaders(source: Buffer, from: number, count: number, into: Map<string, Uint8Array>): number {
  let position = from;
  for (let i = 0; i < count; i++) {
    const valueAt = position + 6 + source.readUInt16LE(position);
    const end = valueAt + source.readUInt32LE(position + 2);
    into.set(source.toString('utf8', position + 6, valueAt), source.subarray(valueAt, end));
    position = end;
  }
  return position;
}

function encodeBody(records: readonly PendingRecord[], first: number, end: number, size: number): Body {
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  let maxTimestamp = Number.NEGATIVE_INFINITY;
  for (let i = first; i < end; i++) {
    const record = records[i] as PendingRecord;
    at = encodeRecord(bytes, at, record);
    maxTimestamp = Math.max(maxTimestamp, record.timestamp);
  }
  return { bytes, count: end - first, maxTimestamp };
}

function encodeRecord(bytes: Buffer, start: number, { timestamp, key, value, headers }: PendingRecord): number {
  bytes.writeDoubleLE(timestamp, start);
  bytes.writeInt32LE(key === null ? -1 : key.length, start + 8);
  bytes.writeInt32LE(value === null ? -1 : value.length, start + 12);
  bytes.writeUInt16LE(headers?.size ?? 0, start + 16);
  let at = start + RECORD_BYTES_FIXED;
  for (const [name, content] of headers ?? []) {
    const nameBytes = bytes.write(name, at + 6);
    bytes.writeUInt16LE(nameBytes, at);
    bytes.writeUInt32LE(content.length, at + 2);
    bytes.set(content, at + 6 + nameBytes);
    at += 6 + nameBytes + content.length;
  }
  if (key !== null) {
    bytes.set(key, at);
    at += key.length;
  }
  if (value !== null) {
    bytes.set(value, at);
    at += value.length;
  }
  return at;
}

function joined(group: readonly Body[], count: number): Body {
  if (group.length === 1) {
    return group[0] as Body;
  }
  return {
    bytes: Buffer.concat(group.map((b) => b.bytes)),
    count,
    maxTimestamp: group.reduce((max, b) => Math.max(max, b.maxTimestamp), Number.NEGATIVE_INFINITY),
  };
}
