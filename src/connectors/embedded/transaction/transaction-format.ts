import { crc32 } from 'node:zlib';
import { type BatchHeader, type Body, HEADER_BYTES, isIntact, readHeader } from '../batch/batch-format.js';

/**
 * A transaction in the redo log, little endian:
 *
 *     0  u32  magic "STKT"
 *     4  u32  bytes after the header
 *     8  u32  CRC-32 of everything after this field
 *     12 u32  bytes of the list of parts
 *     16 u32  1: all before it was on the disk when it was written
 *     20 …    the list of parts, JSON: [["topics/alerts/0", bytes of its batches], …]; then their batches, as in `batch-format.ts`
 */
const MAGIC = Buffer.from('STKT');
const TRANSACTION_HEADER_BYTES = 20;
const CRC_FROM = 12;

/** What one partition gets: whole batches, with the offsets that they have there. */
export interface TransactionPart {
  readonly partition: string;
  readonly batches: Buffer;
}

export interface FoundTransactions {
  readonly transactions: readonly (readonly TransactionPart[])[];
  /** Bytes up to the end of the last one. */
  readonly bytes: number;
  /** Something after these bytes was committed, so what lies between is damaged, and no torn tail. */
  readonly damaged: boolean;
}

export function encodeTransaction(parts: readonly TransactionPart[], afterSynced: boolean): Buffer {
  const list = Buffer.from(JSON.stringify(parts.map((p) => [p.partition, p.batches.length])));
  const header = Buffer.alloc(TRANSACTION_HEADER_BYTES);
  const result = Buffer.concat([header, list, ...parts.map((p) => p.batches)]);
  MAGIC.copy(result);
  result.writeUInt32LE(result.length - TRANSACTION_HEADER_BYTES, 4);
  result.writeUInt32LE(list.length, 12);
  result.writeUInt32LE(afterSynced ? 1 : 0, 16);
  result.writeUInt32LE(crc32(result.subarray(CRC_FROM)), 8);
  return result;
}

/** All whole transactions from the beginning on. */
export function findTransactions(source: Buffer): FoundTransactions {
  const transactions: (readonly TransactionPart[])[] = [];
  let at = 0;
  for (let end = endOf(source, at); end !== undefined; end = endOf(source, at)) {
    transactions.push(decode(source, at));
    at = end;
  }
  return { transactions, bytes: at, damaged: at < source.length && hasSyncedAfter(source, at) };
}

/** The bodies of batches whose first offset is at or beyond `from`, with the header of the first of them. */
export function bodiesFrom(batches: Buffer, from: number): { first: BatchHeader; bodies: Body[] } | undefined {
  const bodies: Body[] = [];
  let first: BatchHeader | undefined;
  for (let at = 0; at < batches.length; ) {
    const header = readHeader(batches, at);
    if (header === undefined || !isIntact(batches, at, header))
      throw new Error('a whole transaction with broken batches');
    const bytes = batches.subarray(at + HEADER_BYTES, at + HEADER_BYTES + header.bodyBytes);
    if (header.baseOffset >= from) {
      first ??= header;
      bodies.push({ bytes, count: header.count, maxTimestamp: header.maxTimestamp });
    }
    at += HEADER_BYTES + header.bodyBytes;
  }
  return first === undefined ? undefined : { first, bodies };
}

/** Where the transaction at `at` ends, or `undefined` when there is no whole one. */
function endOf(source: Buffer, at: number): number | undefined {
  if (at + TRANSACTION_HEADER_BYTES > source.length || source.compare(MAGIC, 0, 4, at, at + 4) !== 0) return undefined;
  const end = at + TRANSACTION_HEADER_BYTES + source.readUInt32LE(at + 4);
  if (end > source.length) return undefined;
  return source.readUInt32LE(at + 8) === crc32(source.subarray(at + CRC_FROM, end)) ? end : undefined;
}

function decode(source: Buffer, at: number): readonly TransactionPart[] {
  const listAt = at + TRANSACTION_HEADER_BYTES;
  let position = listAt + source.readUInt32LE(at + 12);
  const list = JSON.parse(source.toString('utf8', listAt, position)) as [string, number][];
  return list.map(([partition, bytes]) => {
    const batches = source.subarray(position, position + bytes);
    position += bytes;
    return { partition, batches };
  });
}

function hasSyncedAfter(source: Buffer, from: number): boolean {
  for (let at = source.indexOf(MAGIC, from + 1); at >= 0; at = source.indexOf(MAGIC, at + 1)) {
    if (endOf(source, at) !== undefined && source.readUInt32LE(at + 16) === 1) return true;
  }
  return false;
}
