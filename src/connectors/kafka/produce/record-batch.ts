/**
 * Writes a record batch (format 2, uncompressed) into one buffer.
 *
 *     head 61 bytes: base offset 8, length 4, leader epoch 4, magic 1, crc 4, attributes 2, last offset delta 4, first timestamp 8,
 *                    max timestamp 8, producer id 8, epoch 2, base sequence 4, count 4;   then the records
 */
import { crc32c, IS_TRANSACTIONAL } from '@platformatic/kafka';

export interface EncodableRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

export interface BatchIdentity {
  readonly producerId: bigint;
  readonly epoch: number;
  /** Sequence number of the first record. */
  readonly sequence: number;
  /** The batch belongs to a transaction. Default false. */
  readonly transactional?: boolean;
}

const HEAD_BYTES = 61;
const CRC_AT = 17;
const CRC_FROM = 21;
/** Most that a record takes beside key, value and headers. */
const RECORD_OVERHEAD = 40;
const NULL_LENGTH = -1;

/** An upper bound of what the record takes in a batch. */
export function recordBytesMax(record: EncodableRecord): number {
  let bytes = RECORD_OVERHEAD + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const [name, value] of record.headers ?? []) bytes += 20 + name.length * 3 + value.length;
  return bytes;
}

export function encodeBatch(records: readonly EncodableRecord[], identity: BatchIdentity): Buffer {
  const first = records[0];
  if (first === undefined) throw new RangeError('a batch has at least one record');
  let bytesMax = HEAD_BYTES;
  let maxTimestamp = first.timestamp;
  for (const record of records) {
    bytesMax += recordBytesMax(record);
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp;
  }
  const buffer = Buffer.allocUnsafe(bytesMax);
  const out = new Out(buffer, HEAD_BYTES);
  for (const [i, record] of records.entries()) writeRecord(out, record, i, record.timestamp - first.timestamp);
  const batch = buffer.subarray(0, out.at);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(identity.transactional ? IS_TRANSACTIONAL : 0, 21);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(first.timestamp), 27);
  batch.writeBigInt64BE(BigInt(maxTimestamp), 35);
  batch.writeBigInt64BE(identity.producerId, 43);
  batch.writeInt16BE(identity.epoch, 51);
  batch.writeInt32BE(identity.sequence, 53);
  batch.writeInt32BE(records.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)) >>> 0, CRC_AT);
  return batch;
}

function writeRecord(out: Out, record: EncodableRecord, offsetDelta: number, timestampDelta: number): void {
  const headers = [...(record.headers ?? [])].map(([name, value]) => ({ name: Buffer.from(name, 'utf8'), value }));
  let length = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + varintBytes(headers.length);
  length += fieldBytes(record.key) + fieldBytes(record.value);
  for (const { name, value } of headers) length += fieldBytes(name) + fieldBytes(value);
  out.varint(length);
  out.byte(0);
  out.varint(timestampDelta);
  out.varint(offsetDelta);
  out.field(record.key);
  out.field(record.value);
  out.varint(headers.length);
  for (const { name, value } of headers) {
    out.field(name);
    out.field(value);
  }
}

function fieldBytes(field: Uint8Array | null): number {
  return field === null ? varintBytes(NULL_LENGTH) : varintBytes(field.length) + field.length;
}

/** Small numbers of either sign become small unsigned ones. Exact up to 2^52. */
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function varintBytes(value: number): number {
  let rest = zigzag(value);
  let bytes = 1;
  while (rest >= 128) {
    rest = Math.floor(rest / 128);
    bytes++;
  }
  return bytes;
}

class Out {
  constructor(
    private readonly buffer: Buffer,
    public at: number,
  ) {}

  byte(value: number): void {
    this.buffer[this.at++] = value;
  }

  varint(value: number): void {
    let rest = zigzag(value);
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  field(field: Uint8Array | null): void {
    if (field === null) {
      this.varint(NULL_LENGTH);
      return;
    }
    this.varint(field.length);
    this.buffer.set(field, this.at);
    this.at += field.length;
  }
}
